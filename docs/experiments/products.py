"""Rates of the engine's own products beside SciPy's BLAS, one thread, in the shapes of the networks of docs/speed.md.

python docs/experiments/products.py        (numba has to be installed; unset OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE)
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
import scipy.linalg  # noqa: F401  its BLAS has to be loaded before its threads are limited
from threadpoolctl import threadpool_limits

from bench.backends.floors import repeated_tile
from scratchnet.engine.product import Matrix
from scratchnet.product import Product

INPUTS = 785
SHAPES = [
    (15, 32),
    (30, 64),
    (30, 256),
    (64, 32),
    (64, 128),
    (128, 64),
    (128, 256),
    (256, 128),
    (512, 256),
    (1024, 512),
]
"""Neurons and examples."""
ROUNDS, SECONDS = 7, 0.03


def by_tile(A: np.ndarray, B: np.ndarray, C: np.ndarray) -> Callable[[int], object]:
    one, zero = A.dtype.type(1), A.dtype.type(0)
    operands = [Matrix(array.ctypes.data, *array.shape, *array.strides) for array in (A, B, C)]
    repeated = repeated_tile()
    return lambda times: repeated(times, one, operands[0], operands[1], zero, operands[2])


def by_blas(A: np.ndarray, B: np.ndarray, C: np.ndarray) -> Callable[[int], object]:
    one = Product(A, B, C)
    return lambda times: [one() for _ in range(times)]


def rate(run: Callable[[int], object], operations: int) -> float:
    """Operations a second of the best of a few blocks: whatever else runs can only make one slower."""
    times = 1
    while (seconds := measured(run, times)) < SECONDS:
        times = max(2 * times, int(times * SECONDS / max(seconds, 1e-9)))
    return operations * times / min(measured(run, times) for _ in range(ROUNDS))


def measured(run: Callable[[int], object], times: int) -> float:
    start = time.perf_counter()
    run(times)
    return time.perf_counter() - start


def operands(neurons: int, examples: int, dtype: str) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Forward and gradient product of layer 1, as the engine has them in memory: (18) and BP3.2."""
    rng = np.random.default_rng(0)
    W, rows, delta = (
        rng.normal(size=shape).astype(dtype) for shape in ((neurons, INPUTS), (examples, INPUTS), (examples, neurons))
    )
    return [(rows, W.T, np.zeros((examples, neurons), dtype)), (delta.T, rows, np.zeros((neurons, INPUTS), dtype))]


def main() -> None:
    """A line a shape: GFLOP/s of both ways, forward and gradient product together."""
    with threadpool_limits(1):
        for dtype in ("float32", "float64"):
            ratios = []
            for neurons, examples in SHAPES:
                work = 2 * neurons * examples * INPUTS
                rates = {
                    make.__name__: [rate(make(*one), work) for one in operands(neurons, examples, dtype)]
                    for make in (by_tile, by_blas)
                }
                tile, blas = (2 / sum(1 / each for each in rates[name]) / 1e9 for name in ("by_tile", "by_blas"))
                ratios.append(tile / blas)
                forward, gradient = (each / 1e9 for each in rates["by_tile"])
                line = f"{tile:.0f} (forward {forward:.0f}, gradient {gradient:.0f})"
                print(f"{dtype} {neurons} x {examples}: tile {line}, BLAS {blas:.0f} GFLOP/s", flush=True)
            print(f"{dtype}: tile / BLAS {statistics.geometric_mean(ratios):.2f} in the geometric mean")


if __name__ == "__main__":
    main()
