"""Updates as one loop over the parameters each, which Numba compiles where the extra `numba` is installed.

Fed by optimizers, whose `update` says the same as NumPy's passes over blocks: NumPy goes through memory once for each
operation, a compiled loop once in all. The variable SCRATCHNET_UPDATES (`numba` or `numpy`) overrides the choice.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratchnet.checks import chosen

Array = NDArray[np.floating[Any]]
Loop = Callable[..., None]
"""Takes θ, g and what is kept, vectors of one size, then factors of their dtype; updates all but g."""

VARIABLE = "SCRATCHNET_UPDATES"
LIBRARIES = ("numba", "numpy")
"""The preferred one first."""


def library() -> str:
    """Name of the library that updates the parameters.

    Raises
    ------
    ValueError
        Where SCRATCHNET_UPDATES names no library, or one that is not installed.
    """
    return chosen(VARIABLE, LIBRARIES, installed(), installed()[0])


def installed() -> list[str]:
    """Names of the libraries that are installed, the preferred one first."""
    return [name for name in LIBRARIES if find_spec(name)]


def compiled(loop: Loop) -> Loop | None:
    """The loop as machine code; None where NumPy updates the parameters."""
    return machine_code(loop) if library() == "numba" else None


@cache
def machine_code(loop: Loop, on_disk: bool = True) -> Any:
    """The loop, which Numba compiles for each dtype that it is called with; kept on disk where a folder for that is."""
    import numba  # half a second, which only what is trained with it pays

    # Python's own model would look for a division by zero at each parameter, and no such loop takes several at a time.
    made = numba.njit(error_model="numpy")(loop)
    if on_disk:
        with suppress(RuntimeError):  # neither this package nor the user's cache can be written
            made.enable_caching()
    return made


def nesterov(theta: Array, g: Array, velocity: Array, momentum: float, factor: float) -> None:
    """v ← μ v + factor · g, θ ← θ + μ v + factor · g."""
    for i in range(len(theta)):
        velocity[i] = momentum * velocity[i] + factor * g[i]
        theta[i] += momentum * velocity[i] + factor * g[i]


def rmsprop(theta: Array, g: Array, v: Array, share: float, epsilon: float, rate: float) -> None:
    """v ← v + share · (g² − v), θ ← θ − η g / √(v + ε)."""
    for i in range(len(theta)):
        v[i] += share * (g[i] * g[i] - v[i])
        theta[i] -= rate * g[i] / np.sqrt(v[i] + epsilon)


def adam(
    theta: Array,
    g: Array,
    m: Array,
    v: Array,
    share_m: float,
    share_v: float,
    epsilon: float,
    rate: float,
    decay: float,
) -> None:
    """m ← m + share_m · (g − m), v ← v + share_v · (g² − v), θ ← θ − decay · θ − α m / (√v + ε)."""
    for i in range(len(theta)):
        m[i] += share_m * (g[i] - m[i])
        v[i] += share_v * (g[i] * g[i] - v[i])
        theta[i] -= decay * theta[i] + rate * m[i] / (np.sqrt(v[i]) + epsilon)


def adagrad(theta: Array, g: Array, total: Array, epsilon: float, rate: float) -> None:
    """s ← s + g², θ ← θ − η g / √(s + ε)."""
    for i in range(len(theta)):
        total[i] += g[i] * g[i]
        theta[i] -= rate * g[i] / np.sqrt(total[i] + epsilon)
