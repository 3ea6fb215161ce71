"""Functions of one BLAS, by their addresses: of Intel's MKL where the extra `mkl` is installed, else of SciPy's.

Fed by a dtype, a network's width and the variable SCRATCHNET_BLAS (`mkl` or `scipy`), which overrides the choice; feeds
`scratchnet.product`. All products of a network go through one library: two would be two pools of spinning threads.
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import threadpoolctl
from numpy.typing import DTypeLike
from scipy.linalg import cython_blas

from scratchnet.checks import chosen

Function = Callable[..., None]
"""Takes pointers, as Fortran does, and keeps Python's lock: a step is too short to give it away."""

VARIABLE = "SCRATCHNET_BLAS"
WIDE = 256
"""Units of a layer from which SciPy's library is the faster one on processors that are not Intel's."""
PROCESS_WIDE = "pthreads"
"""Threads of OpenBLAS whose number is one for the whole process; that of OpenMP's threads is one for each thread."""
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


def threads() -> threadpoolctl.ThreadpoolController:
    """What limits the threads of every BLAS in this process; ours is loaded first, or it would be missed."""
    function("gemm", np.float32)
    return threadpoolctl.ThreadpoolController()


@contextmanager
def one_thread() -> Iterator[None]:
    """Within, BLAS takes one thread. Several threads of Python may be within at once, and leave in any order."""
    with _process_limit, _pools()[1].limit(limits=1, user_api="blas"):
        yield


class _ProcessLimit:
    """The limit of those BLAS that have one for the whole process: the first to enter sets it, the last lifts it."""

    def __init__(self) -> None:
        self._lock, self._count = Lock(), 0
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            self._count += 1
            if self._count == 1:
                self._limit = _pools()[0].limit(limits=1, user_api="blas")
                _let_every_thread_set_limits()

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._count -= 1
            if not self._count:
                self._limit.restore_original_limits()
                _let_every_thread_set_limits()


_process_limit = _ProcessLimit()


@cache
def _pools() -> tuple[Any, Any]:
    """What limits those BLAS whose limit is the whole process's, OpenBLAS as SciPy brings it, and all the others."""
    every = threads()
    layers = {library.get("threading_layer") for library in every.info()} - {PROCESS_WIDE}
    return every.select(threading_layer=PROCESS_WIDE), every.select(threading_layer=list(layers))


def _let_every_thread_set_limits() -> None:
    """From threadpoolctl 3.8 on the thread that set OpenBLAS's limit is the only one that can, until it says so."""
    getattr(threadpoolctl.OpenBLASController, "clear_controlling_thread", lambda: None)()


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
