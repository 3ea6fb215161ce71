"""Trains scratchnet from one file of examples, in this process, through `Network.fit` as a user would.

It imports little, because the memory of this process is measured.
"""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.core.environment import peak_memory_bytes
from scratchnet import SGD, Dense, Network

EPOCHS, BATCH_SIZE, LEARNING_RATE = 4, 128, 0.01


def train(x: Path, y: Path, mapped: bool) -> dict[str, Any]:
    """Fit 784-128-10; the file is put out of the system's cache first, so that the first epoch reads the disk."""
    drop_from_cache(x)
    memory, moments = [], [time.perf_counter()]

    def on_epoch(_: object) -> None:
        moments.append(time.perf_counter())
        memory.append(own_memory_bytes())

    X, labels = np.load(x, mmap_mode="r" if mapped else None), np.load(y)
    layers = [Dense(128, "relu"), Dense(10, "softmax")]
    network = Network(X.shape[1], layers, optimizer=SGD(LEARNING_RATE))
    ready = time.perf_counter() - moments[0]
    network.fit(X, labels, epochs=EPOCHS, batch_size=BATCH_SIZE, on_epoch=on_epoch)
    first, *rest = np.diff(moments).tolist()
    return {
        "ready_seconds": ready,
        "first_epoch_seconds": first - ready,
        "epoch_seconds": tuple(rest),
        "own_memory_bytes": memory[-1],
        "peak_memory_bytes": peak_memory_bytes(),
    }


def drop_from_cache(path: Path) -> None:
    """Have the system forget the pages of a file, where it can."""
    if hasattr(os, "posix_fadvise"):
        with path.open("rb") as file:
            os.fsync(file.fileno())  # a page that is not on disk yet stays
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def own_memory_bytes() -> int | None:
    """Resident memory that no file stands behind; None where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), None)
