"""C ← α A B + β C and y ← y + a x in place, through BLAS, bound to their arrays once.

Fed by NumPy arrays and `scratchnet.blas`; feeds workspaces. SciPy's own wrapper would copy columns of a matrix, and
work on a silent copy of a result that does not suit it; so shapes and strides are checked here, once.
"""

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratchnet import blas
from scratchnet.calls import Row, row

Array = NDArray[np.floating[Any]]

ALPHA, BETA = 5, 10
"""Their places among the arguments of gemm."""
_REALS = {np.dtype(np.float32): ctypes.c_float, np.dtype(np.float64): ctypes.c_double}


class Product:
    """C ← α A B + β C; each operand has neighbours in memory along one of its axes.

    width : units of the network's widest layer, see `scratchnet.blas`.

    Raises
    ------
    ValueError
        Where it has not, the dtypes differ or the shapes do not fit.
    """

    def __init__(self, A: Array, B: Array, C: Array, width: int = 0) -> None:
        if not A.dtype == B.dtype == C.dtype or C.strides[1] != C.itemsize:
            raise ValueError("a product in place needs rows without gaps in its result and one dtype")
        if (A.shape[1], C.shape) != (B.shape[0], (A.shape[0], B.shape[1])):
            raise ValueError(f"a product of {A.shape} and {B.shape} does not fit into {C.shape}")
        real = _REALS[C.dtype]
        self._gemm, self._alpha, self._beta = blas.function("gemm", C.dtype, width), real(1.0), real(0.0)
        # BLAS counts down the columns: it is given Cᵀ = Bᵀ Aᵀ.
        (transpose_B, B_start, B_step), (transpose_A, A_start, A_step) = _operand(B.T), _operand(A.T)
        columns, rows, inner = (ctypes.c_int(n) for n in (C.shape[1], C.shape[0], A.shape[1]))
        C_start, C_step = _start(C), ctypes.c_int(max(C.strides[0] // C.itemsize, C.shape[1]))
        given = (
            *(transpose_B, transpose_A, columns, rows, inner, self._alpha),
            *(B_start, B_step, A_start, A_step, self._beta, C_start, C_step),
        )
        self._arguments = [ctypes.byref(argument) for argument in given]
        self._alive = (A, B, C, given)  # BLAS keeps no array alive

    def __call__(self, alpha: float = 1.0, beta: float = 0.0) -> None:
        self._alpha.value, self._beta.value = alpha, beta
        self._gemm(*self._arguments)

    def calls(self, alpha: Array, beta: Array) -> list[Row]:
        """This product in a table of calls, where α and β are what stands at the start of those arrays."""
        *_, given = self._alive
        pointers = [ctypes.addressof(argument) for argument in given]
        pointers[ALPHA], pointers[BETA] = alpha.ctypes.data, beta.ctypes.data
        return [row(blas.address(self._gemm), pointers, self, alpha, beta)]


class AddScaled:
    """y ← y + a x, vectors without gaps, in one pass over memory where NumPy needs two; `width` as in `Product`.

    Raises
    ------
    ValueError
        Where they have gaps, or shapes or dtypes differ.
    """

    def __init__(self, x: Array, y: Array, width: int = 0) -> None:
        if x.shape != y.shape or x.dtype != y.dtype or not (x.flags.c_contiguous and y.flags.c_contiguous):
            raise ValueError("a sum in place needs vectors without gaps, of one shape and one dtype")
        self._axpy, self._factor = blas.function("axpy", y.dtype, width), _REALS[y.dtype](1.0)
        size, step = ctypes.c_int(y.size), ctypes.c_int(1)
        arguments = (size, self._factor, _start(x), step, _start(y), step)
        self._arguments = [ctypes.byref(argument) for argument in arguments]
        self._alive = (x, y)

    def __call__(self, a: float) -> None:
        self._factor.value = a
        self._axpy(*self._arguments)


def _operand(array: Array) -> tuple[ctypes.c_char, Any, ctypes.c_int]:
    """An array as BLAS reads it: whether transposed, where it starts, and elements from column to column."""
    for transpose, seen in ((b"N", array), (b"T", array.T)):
        down, across = (stride // array.itemsize for stride in seen.strides)
        rows, columns = seen.shape
        if (down == 1 or rows == 1) and (across >= rows or columns == 1):
            return ctypes.c_char(transpose), _start(array), ctypes.c_int(max(across, rows))
    raise ValueError("a product without a copy needs neighbours in memory along one axis")


def _start(array: Array) -> Any:
    return ctypes.c_char.from_address(array.ctypes.data)
