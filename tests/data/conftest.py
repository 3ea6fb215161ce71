"""Data folders that the tests break."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

WriteIdx = Callable[..., Path]


def idx_bytes(array: np.ndarray) -> bytes:
    """Magic number 0, 0, 8 (unsigned bytes), dimensions; sizes, big-endian; the bytes."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture(scope="session")
def write_idx() -> WriteIdx:
    """A function that fills a folder with the four files; an argument replaces one file's bytes by name."""

    def write(folder: Path, zipped: bool = False, joint: str = "-", **replaced: bytes) -> Path:
        digits = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
        contents = {
            "train_images": idx_bytes(digits),
            "train_labels": idx_bytes(np.array([0, 1])),
            "t10k_images": idx_bytes(digits[:1] + 100),
            "t10k_labels": idx_bytes(np.array([1])),
        }
        for name, content in (contents | replaced).items():
            kind = "idx3" if name.endswith("images") else "idx1"
            stem = f"{name.replace('_', '-')}{joint}{kind}-ubyte"
            path = folder / (f"{stem}.gz" if zipped else stem)
            path.write_bytes(gzip.compress(content, mtime=0) if zipped else content)
        return folder

    return write


@pytest.fixture(scope="session")
def to_idx_bytes() -> Callable[[np.ndarray], bytes]:
    return idx_bytes
