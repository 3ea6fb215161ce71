"""Loops that Numba compiles where the extra `numba` is installed, bound to arrays as products are: calls in C.

Fed by `scratchnet.loops`; feeds optimizers, and the table of calls of a step (`scratchnet.program`). The variable
SCRATCHNET_STEPS (`numba` or `numpy`) overrides the choice.
"""

import ctypes
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scratchnet.checks import chosen

Loop = Callable[..., None]
"""A function of `scratchnet.loops`."""

VARIABLE = "SCRATCHNET_STEPS"
LIBRARIES = ("numba", "numpy")
"""The preferred one first."""
POINTERS = 13
"""Arguments of a call in a table, as many as `gemm` takes; a function in C leaves alone what it does not take."""


class Row(NamedTuple):
    """A call in a table: the address of a function and those of its arguments, and what has to live as long."""

    words: tuple[int, ...]
    alive: tuple[Any, ...] = ()


def library() -> str:
    """Name of the library that does what a step has to do beside its products.

    Raises
    ------
    ValueError
        Where SCRATCHNET_STEPS names no library, or one that is not installed.
    """
    return chosen(VARIABLE, LIBRARIES, installed(), installed()[0])


def installed() -> list[str]:
    """Names of the libraries that are installed, the preferred one first."""
    return [name for name in LIBRARIES if find_spec(name)]


def compiles() -> bool:
    """Whether loops are compiled: else NumPy does what they do."""
    return library() == "numba"


def row(function: int, pointers: Sequence[int], *alive: Any) -> Row:
    """A call in a table."""
    return Row((function, *pointers, *[0] * (POINTERS - len(pointers))), alive)


WAIT = row(0, [])
"""The call in which a process waits for those that it trains together with."""


class Call:
    """A loop bound to its arrays."""

    def __init__(self, loop: Loop, *arrays: NDArray[Any]) -> None:
        code, addresses = machine_code(loop, *(array.dtype for array in arrays)), [a.ctypes.data for a in arrays]
        self.row = row(code.address, addresses, code, arrays)
        self._function = ctypes.PYFUNCTYPE(None)(code.address)
        self._pointers = [ctypes.c_void_p(address) for address in addresses]

    def __call__(self) -> None:
        self._function(*self._pointers)


@cache
def machine_code(loop: Loop, *dtypes: np.dtype[Any], on_disk: bool = True) -> Any:
    """The loop as a function in C, of pointers to such numbers; kept on disk where a folder for that is."""
    import numba  # half a second, which only what trains with it pays

    signature = numba.void(*(numba.types.CPointer(numba.from_dtype(dtype)) for dtype in dtypes))
    try:
        # Python's own model would look for a division by zero at each number, and no such loop takes several at a time.
        return numba.cfunc(signature, cache=on_disk, error_model="numpy")(loop)
    except RuntimeError:  # neither this package nor the user's cache can be written
        return numba.cfunc(signature, error_model="numpy")(loop)
