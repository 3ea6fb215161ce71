"""The product C ← α A B + β C in place, by SciPy's BLAS and bound to its arrays once. The formulations compute with it.

SciPy's own wrapper would copy columns of a matrix, and would silently work on a copy of a result that does not suit it.
So shapes and strides are checked here, once.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from scratchnet.arrays import Array

_REALS = {np.dtype(np.float32): ctypes.c_float, np.dtype(np.float64): ctypes.c_double}
_NAMES = {np.dtype(np.float32): "sgemm", np.dtype(np.float64): "dgemm"}


class Product:
    """C ← α A B + β C. Each operand has neighbours in memory along one of its axes; else, a ValueError."""

    def __init__(self, A: Array, B: Array, C: Array) -> None:
        if not A.dtype == B.dtype == C.dtype or C.strides[1] != C.itemsize:
            raise ValueError("a product in place needs rows without gaps in its result and one dtype")
        if (A.shape[1], C.shape) != (B.shape[0], (A.shape[0], B.shape[1])):
            raise ValueError(f"a product of {A.shape} and {B.shape} does not fit into {C.shape}")
        real = _REALS[C.dtype]
        self._gemm, self._alpha, self._beta = _gemm(_NAMES[C.dtype]), real(1.0), real(0.0)
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


@cache
def _gemm(name: str) -> Callable[..., None]:
    """By the pointer that SciPy publishes for Cython and Numba; it takes pointers, as Fortran does."""
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    from scipy.linalg import cython_blas  # takes a while to import, and the engine needs none

    capsule = vars(cython_blas)["__pyx_capi__"][name]
    return ctypes.PYFUNCTYPE(None)(api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule)))


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
