"""Exponentials of one number, and functions made from them, in operations that LLVM can vectorize.

LLVM has no vector form of `exp`; a polynomial can be vectorized for every processor. Each function is accurate to a few
units in the last place of its dtype and gives `nan` for `nan`.
"""

import math

import numpy as np
from numba import types
from scipy.special import erfcx

from scratchnet.engine.intrinsics import (
    exponent_of,
    fraction_of,
    like,
    number,
    part_of_step,
    polynomial,
    power_of_two,
    rounded,
    series,
    size_of,
    whole,
)

SINGLE = 4
"""Bytes of a float32."""

# (eˣ − 1) / x from −ln 2 / 2 to ln 2 / 2: Taylor's series.
_exponential = polynomial(lambda size: [1.0 / math.factorial(k + 1) for k in range(7 if size == SINGLE else 13)])
# artanh(√x) / √x from 0 to 0.0295: Taylor's series.
_arctanh = polynomial(lambda size: [1.0 / (2 * k + 1) for k in range(5 if size == SINGLE else 11)])


def _chebyshev(size: int) -> list[float]:
    """Coefficients of erfc(x) · e^(x²) / t in Chebyshev polynomials of t = 1 / (1 + x / 2), mapped to [−1, 1]."""
    count = 12 if size == SINGLE else 27
    angles = (np.arange(count) + 0.5) * math.pi / count
    t = 0.5 * (np.cos(angles) + 1.0)
    values = erfcx(2.0 / t - 2.0) / t
    c = 2.0 / count * np.cos(np.outer(np.arange(count), angles)) @ values
    return [0.5 * c[0], *c[1:]]


_erfc_series = series(_chebyshev)


@number
def _most(x):  # type: ignore[no-untyped-def]
    """The largest x whose eˣ, and that of −x, is no subnormal number."""
    return like(87.3, x) if size_of(x) == SINGLE else like(708.3, x)


@part_of_step(lambda x: types.UniTuple(x, 2), inline=True)
def _powers(x):  # type: ignore[no-untyped-def]
    """2ⁿ and e^r − 1 of x = n ln 2 + r; beyond what floats hold without subnormal numbers x is taken at its bound."""
    single, most = size_of(x) == SINGLE, _most(x)
    x = most if x > most else x
    x = -most if x < -most else x
    place = rounded(x * like(1.0 / math.log(2.0), x))
    n = whole(place)
    # ln 2 as a sum of two, of which the first has so few digits that n times it is exact (Cody & Waite 1980).
    r = x - n * (like(0.693359375, x) if single else like(0.693147180369123816490, x))
    r -= n * (like(-2.12194440e-4, x) if single else like(1.90821492927058770002e-10, x))
    return power_of_two(place), r * _exponential(r)


@number
def exp(x):  # type: ignore[no-untyped-def]
    """eˣ; 0 and infinity where it is beyond what floats hold without subnormal numbers."""
    power, rest = _powers(x)
    most = _most(x)
    value = like(math.inf, x) if x > most else power + power * rest
    return like(0.0, x) if x < -most else value


@number
def expm1(x):  # type: ignore[no-untyped-def]
    """eˣ − 1, which keeps the digits of a small x."""
    power, rest = _powers(x)
    return (power - like(1.0, x)) + power * rest


@number
def log(x):  # type: ignore[no-untyped-def]
    """ln x of x greater than 0: e ln 2 + 2 artanh((m − 1) / (m + 1)) of x = m · 2ᵉ."""
    m, one = fraction_of(x), like(1.0, x)
    s = (m - one) / (m + one)
    return exponent_of(x) * like(math.log(2.0), x) + (s + s) * _arctanh(s * s)


@number
def log1p(x):  # type: ignore[no-untyped-def]
    """ln(1 + x) of x from 0 to 1, which keeps the digits of a small x."""
    one, zero = like(1.0, x), like(0.0, x)
    is_large = x > like(math.sqrt(2.0) - 1.0, x)
    s = (x - one) / (x + like(3.0, x)) if is_large else x / (x + like(2.0, x))
    return (like(math.log(2.0), x) if is_large else zero) + (s + s) * _arctanh(s * s)


@number
def absolute(x):  # type: ignore[no-untyped-def]
    """|x|."""
    return -x if x < like(0.0, x) else x


@number
def sigmoid(x):  # type: ignore[no-untyped-def]
    """1 / (1 + e⁻ˣ)."""
    one = like(1.0, x)
    return one / (one + exp(-x))


@number
def tanh(x):  # type: ignore[no-untyped-def]
    """(e²ˣ − 1) / (e²ˣ + 1)."""
    rest = expm1(x + x)
    return rest / (rest + like(2.0, x))


@number
def softplus(x):  # type: ignore[no-untyped-def]
    """ln(1 + eˣ), in which no exponential overflows."""
    zero = like(0.0, x)
    return (zero if x < zero else x) + log1p(exp(-absolute(x)))


@part_of_step(lambda x, root_half: types.UniTuple(x, 2), inline=True)
def normal(x, root_half):  # type: ignore[no-untyped-def]
    """Φ(x) and e^(−x²/2) of the normal distribution, Φ(x) = erfc(−x √½) / 2, which keeps the digits of a small one."""
    one, two = like(1.0, x), like(2.0, x)
    z = x * root_half
    size, density = absolute(z), exp(-z * z)
    t = two / (two + size)
    tail = like(0.5, x) * t * _erfc_series(t + t - one) * density
    return (tail if x < like(0.0, x) else one - tail), density
