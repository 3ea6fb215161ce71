"""The arithmetic floor: the floating-point operations of an epoch divided by this machine's best rate of products.

The other limit, the step's own matrix products, is a backend: `bench.backends.products`.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bench.spec import TrainingSpec
from scratchnet import engine
from scratchnet.product import Product

Floats = NDArray[np.floating[Any]]

GEMM_SIZE = 1024
"""Side of the square product whose rate is taken: arithmetic bounds it, and it is small enough for the cache."""
TILE_SHAPE = (128, 256, 768)
"""Rows, k and columns of the engine's product: whole tiles, and operands that stay in the cache of a core."""
TILE_TIMES = 40


RateProduct = Literal["blas", "tile"]


class Rate(NamedTuple):
    """Operations a second of all threads together, and which product reached it: `blas` or `tile`, the engine's."""

    operations_per_second: float
    product: RateProduct


def operations(spec: TrainingSpec, examples: int) -> int:
    """Floating-point operations of the matrix products of one epoch, a multiplication and an addition each.

    Z = W̃ Ã and Δ Ãᵀ of each layer, Wᵀ Δ of each but the first: 2 n_l (n_{l-1} + 1) each, for every example.
    """
    layers = [n_out * (n_in + 1) for n_in, n_out in pairwise(spec.architecture.widths)]
    return 2 * examples * (3 * sum(layers) - layers[0])


def product_rate(dtype: str, threads: int, seconds: float = 0.5) -> Rate:
    """The best rate of that many cores: BLAS or, where Numba is installed, the engine's own product."""
    rates = [Rate(measure(dtype, threads, seconds), name) for name, measure in WAYS.items()]
    return max(rates)


def _of_blas(dtype: str, threads: int, seconds: float) -> float:
    A, B = _random((GEMM_SIZE, GEMM_SIZE), dtype), _random((GEMM_SIZE, GEMM_SIZE), dtype)
    product = Product(A, B, np.zeros_like(A))  # loads the BLAS that is limited next
    with threadpool_limits(threads, user_api="blas"):
        return 2 * GEMM_SIZE**3 / _shortest(product, seconds)


def _of_tile(dtype: str, threads: int, seconds: float) -> float:
    """Each thread has operands of its own, as in a step that is shared by examples."""
    from scratchnet.engine.product import Matrix

    rows, inner, columns = TILE_SHAPE
    shapes = ((rows, inner), (inner, columns), (rows, columns))
    operands = [[_random(shape, dtype) for shape in shapes] for _ in range(threads)]
    repeated, one, zero = repeated_tile(), np.dtype(dtype).type(1), np.dtype(dtype).type(0)
    placed = [[Matrix(array.ctypes.data, *array.shape, *array.strides) for array in arrays] for arrays in operands]

    with ThreadPoolExecutor(threads) as pool:

        def once() -> None:
            list(pool.map(lambda of: repeated(TILE_TIMES, one, of[0], of[1], zero, of[2]), placed))

        once()  # compiles
        best = _shortest(once, seconds)
    return 2 * rows * inner * columns * TILE_TIMES * threads / best


@cache
def repeated_tile() -> Any:
    """The engine's product, so many times: (times, alpha, A, B, beta, C), the matrices as `Matrix`. Needs Numba."""
    from numba import njit

    from scratchnet.engine.compiling import OPTIONS
    from scratchnet.engine.product import product

    def repeated(times, alpha, A, B, beta, C):  # type: ignore[no-untyped-def]
        for _ in range(times):
            product(alpha, A, B, beta, C)

    return njit(repeated, **OPTIONS)


def _random(shape: tuple[int, int], dtype: str) -> Floats:
    return np.random.default_rng(0).random(shape).astype(dtype)


def _shortest(run: Callable[[], object], seconds: float) -> float:
    """Seconds of the fastest of all runs in that time: whatever else works here can only make one slower."""
    best, end = float("inf"), time.perf_counter() + seconds
    while (start := time.perf_counter()) < end or best == float("inf"):
        run()
        best = min(best, time.perf_counter() - start)
    return best


WAYS: dict[RateProduct, Callable[[str, int, float], float]] = {"blas": _of_blas}
if "numba" in engine.installed():
    WAYS["tile"] = _of_tile


def arithmetic_seconds(spec: TrainingSpec, examples: int, rate: float) -> float:
    """Seconds that the operations of one epoch take at that rate."""
    return operations(spec, examples) / rate
