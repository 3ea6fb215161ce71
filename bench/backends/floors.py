"""What no backend can be faster than: floating-point operations of an epoch over the rate of BLAS, measured here.

Fed by a spec; the other limit, the step's own matrix products, is a backend: `bench.backends.products`.
"""

import time
from itertools import pairwise

import numpy as np

from bench.spec import TrainingSpec
from scratchnet.product import Product

GEMM_SIZE = 1024
"""Side of the square product whose rate is taken: arithmetic bounds it, and it is small enough for the cache."""


def operations(spec: TrainingSpec, examples: int) -> int:
    """Floating-point operations of the matrix products of one epoch, a multiplication and an addition each.

    Z = W̃ Ã and Δ Ãᵀ of each layer, Wᵀ Δ of each but the first: 2 n_l (n_{l-1} + 1) each, for every example.
    """
    layers = [n_out * (n_in + 1) for n_in, n_out in pairwise(spec.architecture.widths)]
    return 2 * examples * (3 * sum(layers) - layers[0])


def gemm_rate(dtype: str, seconds: float = 0.5) -> float:
    """Operations per second of scratchnet's BLAS with this process's threads: the best of many square products."""
    rng = np.random.default_rng(0)
    A, B = (rng.random((GEMM_SIZE, GEMM_SIZE)).astype(dtype) for _ in range(2))
    product = Product(A, B, np.zeros_like(A))
    best, end = float("inf"), time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        product()
        best = min(best, time.perf_counter() - start)
    return 2 * GEMM_SIZE**3 / best


def arithmetic_seconds(spec: TrainingSpec, examples: int, rate: float) -> float:
    """Seconds that the operations of one epoch take at that rate."""
    return operations(spec, examples) / rate
