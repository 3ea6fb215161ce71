"""C ← α A B + β C on operands with a stride: columns of a matrix, which SciPy's wrapper of gemm would copy first.

Fed by NumPy arrays; calls the same BLAS as `scratchnet.workspace.Product`, by the pointer that SciPy publishes for
Cython and Numba (`scipy.linalg.cython_blas.__pyx_capi__`).
"""

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cython_blas

Array = NDArray[np.floating[Any]]

_REALS = {np.dtype(np.float32): ("sgemm", ctypes.c_float), np.dtype(np.float64): ("dgemm", ctypes.c_double)}


def _pointer(name: str) -> Any:
    """The function of BLAS: it takes 13 pointers, as Fortran does, and keeps Python's lock, as SciPy's wrapper does."""
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    capsules: dict[str, Any] = vars(cython_blas)["__pyx_capi__"]
    capsule = capsules[name]
    address = api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))
    return ctypes.PYFUNCTYPE(None, *[ctypes.c_void_p] * 13)(address)


class StridedProduct:
    """C ← α A B + β C in place; each operand has neighbours in memory along one of its axes.

    Raises
    ------
    ValueError
        Where it has not, or the dtypes differ.
    """

    def __init__(self, A: Array, B: Array, C: Array) -> None:
        if not A.dtype == B.dtype == C.dtype or C.strides[1] != C.itemsize:
            raise ValueError("a product in place needs rows without gaps in its result and one dtype")
        name, real = _REALS[C.dtype]
        (first, transpose_first, step_first), (second, transpose_second, step_second) = _operand(B.T), _operand(A.T)
        self._gemm, self._alpha, self._beta = _pointer(name), real(1.0), real(0.0)
        characters: list[Any] = [ctypes.c_char(transpose_first), ctypes.c_char(transpose_second)]
        sizes: list[Any] = [ctypes.c_int(n) for n in (C.shape[1], C.shape[0], A.shape[1])]
        steps: list[Any] = [ctypes.c_int(n) for n in (step_first, step_second, C.strides[0] // C.itemsize)]
        # BLAS keeps nothing alive.
        self._alive = (A, B, C, characters, sizes, steps)
        at = ctypes.addressof
        self._arguments = (
            *(at(one) for one in (*characters, *sizes, self._alpha)),
            *(first, at(steps[0]), second, at(steps[1]), at(self._beta), C.ctypes.data, at(steps[2])),
        )

    def __call__(self, alpha: float = 1.0, beta: float = 0.0) -> None:
        self._alpha.value, self._beta.value = alpha, beta
        self._gemm(*self._arguments)


def _operand(array: Array) -> tuple[int, bytes, int]:
    """Address of an array as BLAS, which counts down the columns, reads it; whether transposed; elements from column to
    column."""
    for transpose, seen in ((b"N", array), (b"T", array.T)):
        down, across = (stride // array.itemsize for stride in seen.strides)
        rows, columns = seen.shape
        if (down == 1 or rows == 1) and (across >= rows or columns == 1):
            return array.ctypes.data, transpose, max(across, rows)
    raise ValueError("a product without a copy needs neighbours in memory along one axis")
