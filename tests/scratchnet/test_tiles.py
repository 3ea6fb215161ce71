"""The engine's own products: every shape, both dtypes, each way in which operands may lie in memory."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet.engine.compiling import OPTIONS  # noqa: E402
from scratchnet.engine.functions import exp, expm1, log, log1p, normal, sigmoid, softplus, tanh  # noqa: E402
from scratchnet.engine.intrinsics import like, number  # noqa: E402
from scratchnet.engine.product import DEPTH, ROWS, SIDE, Matrix, product  # noqa: E402


@numba.njit(**OPTIONS)
def multiply(alpha, A, B, beta, C):
    product(alpha, A, B, beta, C)


def matrix(array):
    return Matrix(array.ctypes.data, *array.shape, *array.strides)


def within(array, turned=False):
    """The same numbers inside a larger array of `nan`: what is read or written beside them is seen."""
    rows, columns = array.shape
    whole = np.full((columns + 2, rows + 3) if turned else (rows + 2, columns + 3), np.nan, array.dtype)
    part = whole[1:-1, 1:-2].T if turned else whole[1:-1, 1:-2]
    part[...] = array
    return whole, part


SHAPES = [
    *((n, 5, 7) for n in range(1, 2 * ROWS + 2)),
    *((n, m, 19) for n in range(1, SIDE + 2) for m in range(1, SIDE + 2)),
    *((3, m, 5) for m in range(1, 70, 3)),
    *((5, 6, k) for k in (1, 15, 16, 17, 33, DEPTH - 1, DEPTH, 2 * DEPTH + 3)),
    (64, 785, 32),
    (128, 50, 785),
]


@pytest.mark.parametrize("beta", [0.0, 1.0, -0.5])
@pytest.mark.parametrize("turned", ["neither", "A", "B"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tile_is_the_product(dtype, turned, beta):
    rng, real = np.random.default_rng(0), np.dtype(dtype).type
    for n, m, k in SHAPES:
        numbers = [rng.normal(size=shape).astype(dtype) for shape in ((n, k), (k, m), (n, m))]
        (_, A), (_, B), (whole, C) = (within(one, turned == name) for one, name in zip(numbers, "ABC", strict=True))
        expected = 2.0 * A.astype("f8") @ B.astype("f8") + (beta * C if beta else 0.0)
        if not beta:
            C[...] = np.nan  # what stands there is not looked at
        multiply(real(2), matrix(A), matrix(B), real(beta), matrix(C))
        sizes = 2.0 * np.abs(A).astype("f8") @ np.abs(B) + 10.0
        assert (np.abs(C - expected) <= 2 * k**0.5 * np.finfo(dtype).eps * sizes).all(), (n, m, k)
        assert np.isnan(whole).sum() == whole.size - C.size


def applied(function, x, out):
    """out ← the function of each number, compiled."""

    @numba.njit(**OPTIONS)
    def loop(x, out):
        for i in range(len(x)):
            out[i] = function(x[i])

    loop(x, out)


@number
def first_of_normal(x):
    return normal(x, like(np.sqrt(0.5), x))[0]


def cdf(x):
    from scipy.special import erfc

    return 0.5 * erfc(-x * np.sqrt(0.5))


FUNCTIONS = {
    "exp": (exp, np.exp, -87.0, 87.0),
    "expm1": (expm1, np.expm1, -80.0, 80.0),
    "log": (log, np.log, 1e-6, 1e6),
    "log1p": (log1p, np.log1p, 0.0, 1.0),
    "sigmoid": (sigmoid, lambda x: 1.0 / (1.0 + np.exp(-x)), -80.0, 80.0),
    "tanh": (tanh, np.tanh, -20.0, 20.0),
    "softplus": (softplus, lambda x: np.logaddexp(0.0, x), -80.0, 80.0),
    "normal": (first_of_normal, cdf, -9.0, 9.0),
}


@pytest.mark.parametrize(("dtype", "ulps"), [("float32", 4), ("float64", 6)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_right_to_a_few_units_in_the_last_place_and_nan_for_nan(name, dtype, ulps):
    function, right, low, high = FUNCTIONS[name]
    small = np.geomspace(1e-12, 1.0, 2001)
    x = np.concatenate([np.linspace(low, high, 20_001), small, -small if low < 0 else small]).astype(dtype)
    x = np.append(x[(x >= low) & (x <= high)], np.full(40, np.nan, dtype))
    out = np.zeros_like(x)
    applied(function, x, out)
    assert np.isnan(out[-40:]).all() or name in ("log", "log1p")
    x, out = x[:-40], out[:-40]
    expected = right(x.astype(np.longdouble)) if name != "normal" else right(x.astype("f8"))
    # e^(-x²/2) carries the rounding of x², and of so many terms of a series.
    room = np.finfo(dtype).eps * np.abs(expected) * (40 + x.astype("f8") ** 2 if name == "normal" else ulps)
    wrong = np.abs(out - expected) > room + np.finfo(dtype).tiny
    assert not wrong.any(), f"{x[wrong][:3]}: {out[wrong][:3]}, right: {expected[wrong][:3]}"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_beyond_what_floats_hold_exponentials_end_at_their_bounds(dtype):
    x, out = np.array([-1e4, 1e4, -np.inf, np.inf], dtype), np.zeros(4, dtype)
    applied(sigmoid, x, out)
    np.testing.assert_array_equal(out, [0, 1, 0, 1])
    applied(tanh, x, out)
    np.testing.assert_array_equal(out, [-1, 1, -1, 1])
