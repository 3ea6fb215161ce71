"""Training from a file that need not fit in memory: throughput and memory, mapped and read, in fresh processes."""

from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from bench.core.errors import refused
from bench.data import Dataset
from bench.scaling.memmap_worker import train
from bench.scaling.records import MemmapRecord
from bench.workers.pool import fresh_processes

ROWS = 10_000


def measure(data: Path, threads: int, log: Path) -> Iterator[MemmapRecord]:
    """Both ways, over the examples of that folder.

    Raises UnusableError: where the file cannot be written.
    """
    x, y = data / "scaled.npy", data / "y_train.npy"
    try:
        with refused(x, "written"):
            write_scaled(Dataset.open(data), x)
            yield _measured("in memory", x, y, threads, log)
            yield _measured("memory-mapped", x, y, threads, log)
    finally:
        x.unlink(missing_ok=True)


def write_scaled(dataset: Dataset, path: Path) -> None:
    """x (N, n_0) in float32, pixels scaled to [0, 1], piece by piece."""
    pixels = dataset.x_train
    scaled = open_memmap(path, "w+", np.float32, pixels.shape)
    for start in range(0, len(pixels), ROWS):
        np.divide(pixels[start : start + ROWS], 255, out=scaled[start : start + ROWS], dtype=np.float32)
    scaled.flush()


def _measured(way: str, x: Path, y: Path, threads: int, log: Path) -> MemmapRecord:
    facts = {"way": way, "examples": len(np.load(y, mmap_mode="r")), "file_bytes": x.stat().st_size}
    try:
        with fresh_processes(1, threads, log) as pool:
            found = pool.submit(train, x.absolute(), y.absolute(), way == "memory-mapped").result()
    except (BrokenProcessPool, MemoryError) as error:
        reason = f"its process ended: {type(error).__name__} {error}".strip()
        return MemmapRecord.model_validate({**facts, "status": "failed", "reason": reason})
    return MemmapRecord.model_validate({**facts, **found})
