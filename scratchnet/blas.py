"""Functions of one BLAS, by their addresses: of Intel's MKL where the extra `mkl` is installed, else of SciPy's.

Fed by a dtype, a network's width and the variable SCRATCHNET_BLAS (`mkl` or `scipy`), which overrides the choice; feeds
`scratchnet.product`. All products of a network go through one library: two would be two pools of spinning threads.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from scipy.linalg import cython_blas
from threadpoolctl import ThreadpoolController

from scratchnet.checks import chosen

Function = Callable[..., None]
"""Takes pointers, as Fortran does, and keeps Python's lock: a step is too short to give it away."""

VARIABLE = "SCRATCHNET_BLAS"
WIDE = 256
"""Units of a layer from which SciPy's library is the faster one on processors that are not Intel's."""
PREFIXES = {np.dtype(np.float32): "s", np.dtype(np.float64): "d"}


def function(name: str, dtype: DTypeLike, width: int = 0) -> Function:
    """`gemm` or another of BLAS, for that dtype, of the library that networks use whose widest layer has so many units.

    Raises
    ------
    ValueError
        Where SCRATCHNET_BLAS names no library, or one that is not installed.
    """
    return LIBRARIES[library(width)](PREFIXES[np.dtype(dtype)] + name)


def address(function: Function) -> int:
    """Where in memory it stands."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0  # type: ignore[arg-type]


def threads() -> ThreadpoolController:
    """What limits the threads of every BLAS in this process; ours is loaded first, or it would be missed."""
    function("gemm", np.float32)
    return ThreadpoolController()


def library(width: int = 0) -> str:
    """Name of the library that products go through, in networks whose widest layer has so many units."""
    preferred = installed()[-1 if width >= WIDE and not _is_intels() else 0]
    return chosen(VARIABLE, LIBRARIES, installed(), preferred)


def installed() -> list[str]:
    """Names of the libraries that are installed, the preferred one first."""
    return [name for name in LIBRARIES if name != "mkl" or _mkl_path()]


def described() -> str:
    """Names of the libraries that products go through, in words."""
    narrow, wide = library(), library(WIDE)
    return narrow if narrow == wide else f"{narrow}, {wide} from {WIDE} units a layer on"


@cache
def _is_intels() -> bool:
    try:
        return "GenuineIntel" in Path("/proc/cpuinfo").read_text()
    except OSError:  # MKL is for Linux alone, so that there is no choice elsewhere
        return True


@cache
def _mkl_path() -> Path | None:
    try:
        files = metadata.files("mkl") or []
    except metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.name.startswith("libmkl_rt.so")), None)


def _of_mkl(name: str) -> Function:
    found = getattr(ctypes.PyDLL(str(_mkl_path())), name)
    found.restype = None
    function: Function = found
    return function


def _of_scipy(name: str) -> Function:
    """By the pointer that SciPy publishes for Cython and Numba."""
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    capsules: dict[str, Any] = vars(cython_blas)["__pyx_capi__"]
    capsule = capsules[name]
    return ctypes.PYFUNCTYPE(None)(api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule)))


LIBRARIES = {"mkl": _of_mkl, "scipy": _of_scipy}
"""The preferred one first."""
