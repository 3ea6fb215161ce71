"""A suite that trains in a moment, and the IDX files of three classes that it reads."""

import struct

import numpy as np

CLASSES = 3

SUITE = """
rest_seconds = {rest}
time_limit_seconds = {limit}
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
epochs = {epochs}
seeds = {seeds}
data = "idx:{folder}"
"""


def small_suite(folder, rest=0.0, limit=60.0, epochs=3, seeds=(0, 1)):
    return SUITE.format(folder=folder, rest=rest, limit=limit, epochs=epochs, seeds=list(seeds))


def write_idx(path, array):
    path.write_bytes(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes())


def fill(folder):
    rng = np.random.default_rng(0)
    for split, count in (("train", 60), ("t10k", 30)):
        labels = rng.permutation(np.arange(count) % CLASSES).astype(np.uint8)
        images = rng.integers(0, 100, (count, 4, 4), dtype=np.uint8)
        images[np.arange(count), labels] += 100
        write_idx(folder / f"{split}-images-idx3-ubyte", images)
        write_idx(folder / f"{split}-labels-idx1-ubyte", labels)
