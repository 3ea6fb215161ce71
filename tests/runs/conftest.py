"""A small data set and a suite on it: runs of a second or two."""

import struct

import numpy as np
import pytest

CLASSES = 3

SUITE = """
rest_seconds = 0.0
time_limit_seconds = 60.0
backends = ["scratchnet"]

[[specs]]
name = "small"
architecture = {{ inputs = 16, layers = [
  {{ units = 8, activation = "relu" }},
  {{ units = 3, activation = "softmax" }},
] }}
loss = "categorical_crossentropy"
optimizer = {{ learning_rate = 0.1 }}
batch_size = 7
epochs = 3
seeds = [0, 1]
data = "idx:{folder}"
"""


def write_idx(path, array):
    path.write_bytes(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes())


@pytest.fixture(scope="session")
def idx_folder(made_once):
    """The same for all processes of pytest: a run that they share was trained on it."""
    return made_once("idx", fill)


def fill(folder):
    rng = np.random.default_rng(0)
    for split, count in (("train", 60), ("t10k", 30)):
        labels = rng.permutation(np.arange(count) % CLASSES).astype(np.uint8)
        images = rng.integers(0, 100, (count, 4, 4), dtype=np.uint8)
        images[np.arange(count), labels] += 100
        write_idx(folder / f"{split}-images-idx3-ubyte", images)
        write_idx(folder / f"{split}-labels-idx1-ubyte", labels)


@pytest.fixture(scope="session")
def suite_text(idx_folder):
    return SUITE.format(folder=idx_folder)


@pytest.fixture
def suite_path(tmp_path, suite_text):
    path = tmp_path / "small.toml"
    path.write_text(suite_text)
    return path
