"""The measurements, each in a process of its own: epochs of scratchnet, one BLAS pool against two, a load of all cores.

Prints JSON for `bench.doctor.measure`.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import sgemm
from threadpoolctl import threadpool_limits

from bench.core.environment import libraries
from scratchnet import Dense, Network

Floats = NDArray[np.float32]

CELLS = {"784-128-10 M=32": ((128,), 32), "784-512-512-10 M=128": ((512, 512), 128)}
"""Two of the standard suite's networks: one whose products are small, one whose products are large."""

# Short epochs: the fastest of many has been disturbed least, and beside a neighbour even one can take a second.
EXAMPLES, INPUTS, CLASSES = 1_280, 784, 10
CELL_SECONDS, BLOCK_SECONDS, REST_SECONDS = 0.15, 0.12, 0.12
LOAD_SECONDS, SINGLE_SECONDS = 2.0, 0.25


def epochs() -> dict[str, Any]:
    """Seconds of the fastest epoch of each cell: a neighbour can only make an epoch slower."""
    rng = np.random.default_rng(0)
    x, y = rng.random((EXAMPLES, INPUTS), np.float32), rng.integers(0, CLASSES, EXAMPLES)
    seconds = {name: _epoch_seconds(hidden, size, x, y) for name, (hidden, size) in CELLS.items()}
    return {"seconds": seconds, "libraries": libraries()}


def pools() -> dict[str, Any]:
    """Products taken alternately from SciPy's and NumPy's BLAS, against all from SciPy's: a ratio a pair of blocks."""
    rng = np.random.default_rng(0)
    a, b = rng.random((128, INPUTS), np.float32), rng.random((INPUTS, 32), np.float32)
    scipy_product = _product(np.asfortranarray(a), np.asfortranarray(b))

    def two_pools() -> None:
        scipy_product()
        np.matmul(a, b)

    def one_pool() -> None:
        scipy_product()
        scipy_product()

    return {"ratios": [_block(two_pools) / _block(one_pool) for _ in range(3)]}


def load() -> dict[str, Any]:
    """Seconds of a product under a load of all cores; before and after it, of the same product on one core."""
    rng = np.random.default_rng(0)
    product = _product(*(np.asfortranarray(rng.random((512, 512), np.float32)) for _ in range(2)))
    first = _on_one_core(product)
    times = _times(product, LOAD_SECONDS)
    low, high = np.quantile(times, [0.1, 0.9])
    return {
        "first": first,
        "last": _on_one_core(product),
        "low": float(low),
        "high": float(high),
        "mean": float(np.mean(times)),
    }


def _epoch_seconds(hidden: tuple[int, ...], batch_size: int, x: Floats, y: NDArray[np.int64]) -> float:
    network = Network(INPUTS, [*(Dense(units, "relu") for units in hidden), Dense(CLASSES, "softmax")])
    examples, order = network.prepare(x, y), np.arange(len(x))
    return min(_times(lambda: network.train_epoch(examples, order, batch_size), CELL_SECONDS))


def _product(a: Floats, b: Floats) -> Callable[[], object]:
    return lambda: sgemm(1.0, a, b)


def _block(step: Callable[[], object]) -> float:
    """Seconds of a step; the rest lets the threads of the block before stop spinning."""
    time.sleep(REST_SECONDS)
    return float(np.mean(_times(step, BLOCK_SECONDS)))


def _on_one_core(product: Callable[[], object]) -> float:
    # The lower decile: a change of the clock strikes every product, a neighbour only some.
    with threadpool_limits(1):
        return float(np.quantile(_times(product, SINGLE_SECONDS), 0.1))


def _times(work: Callable[[], object], seconds: float) -> list[float]:
    """Seconds of each call, for so long and one call at least, after one that warms up."""
    work()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times


MEASUREMENTS = {"epochs": epochs, "pools": pools, "load": load}

if __name__ == "__main__":
    print(json.dumps(MEASUREMENTS[sys.argv[1]]()))
