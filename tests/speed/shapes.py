"""What the benchmarks share: networks of the shapes that are timed, and their examples; and what their header says."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.backends import registry
from bench.speed.grid import ARCHITECTURES, BATCH_SIZES, GridCell
from scratchnet import Dense, Network, engine
from scratchnet.optimizers import OPTIMIZERS

INPUTS, CLASSES, EXAMPLES = 784, 10, 8192
RATE = 1e-7
"""So small that the weights stay as they are, however often the same step is taken: a run's work does not change."""

Array = NDArray[np.floating[Any]]


class Step(NamedTuple):
    """A network at one batch size, with the batch of one step gathered and passed forward."""

    network: Network
    X: Array
    """Examples as rows, the column of ones among them, (N, n_0 + 1)."""
    Y: Array
    """Targets of the batch, (n_L, M)."""
    order: NDArray[np.int64]


def cells() -> list[Any]:
    """Every shape at every batch size, as parameters of a test."""
    every = [GridCell(architecture, size) for architecture in ARCHITECTURES for size in BATCH_SIZES]
    return [pytest.param(cell, id=f"{cell.architecture}-M{cell.batch_size}") for cell in every]


def network(architecture: str, optimizer: str = "sgd", **options: Any) -> Network:
    """ReLU and softmax, trained by one process."""
    hidden = [Dense(units, "relu") for units in ARCHITECTURES[architecture]]
    return Network(INPUTS, [*hidden, Dense(CLASSES, "softmax")], optimizer=OPTIMIZERS[optimizer](RATE, **options))


def examples(count: int) -> tuple[Array, NDArray[np.int64]]:
    """Pixels in [0, 1) as rows, and labels; the same each time."""
    rng = np.random.default_rng(0)
    return rng.random((count, INPUTS), np.float32), rng.integers(0, CLASSES, count)


def header() -> list[str]:
    """Which BLAS is timed, and which backends are not, for their framework is missing."""
    missing = [f"not timed: {name}: {reason}" for name in registry.BACKENDS if (reason := registry.missing(name))]
    return [f"scratchnet's steps: {engine.library()}", *missing]
