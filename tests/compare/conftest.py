"""The builders of synthetic records stand in tests/results; and a small data set whose labels are known."""

import struct
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "results"))


@pytest.fixture(scope="session")
def idx_folder(tmp_path_factory):
    """Three classes, 200 test examples of 4 x 4 pixels."""
    from made_answers import TEST_EXAMPLES  # which imports the builders

    folder, rng = tmp_path_factory.mktemp("idx"), np.random.default_rng(0)
    for split, count in (("train", 30), ("t10k", TEST_EXAMPLES)):
        labels = (np.arange(count) % 3).astype(np.uint8)
        for kind, array in (("images-idx3", rng.integers(0, 256, (count, 4, 4), np.uint8)), ("labels-idx1", labels)):
            head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (folder / f"{split}-{kind}-ubyte").write_bytes(head + array.tobytes())
    return folder
