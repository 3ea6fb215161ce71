"""Compiled functions, kept on disk from process to process."""

import hashlib
import inspect
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.misc.appdirs import AppDirs

from scratchnet.engine.machine import VECTOR_BYTES

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
"""Python's own model would look for a division by zero at each number, and no loop would take several at a time."""


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, compiled when it is first called with arguments of a type; read from disk where it was before."""
    before = numba.config.CACHE_LOCATOR_CLASSES
    numba.config.CACHE_LOCATOR_CLASSES = before or f"{__name__}.{ByContent.__name__}"
    try:
        return numba.njit(function, cache=True, **OPTIONS)  # type: ignore[no-any-return]
    except RuntimeError:  # no folder can be written
        return numba.njit(function, **OPTIONS)  # type: ignore[no-any-return]
    finally:
        numba.config.CACHE_LOCATOR_CLASSES = before


class ByContent:
    """Where Numba keeps a function: in a folder that is named after all that goes into it.

    Numba's own way looks at the file of the function alone: it would take an old one where a kernel has changed, and
    compile anew for each copy of the project.
    """

    def __init__(self, folder: Path, function: Callable[..., Any]) -> None:
        self._folder, self._line = folder, function.__code__.co_firstlineno

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> "ByContent | None":
        """None where no folder can be written."""
        name = f"numba-{_digest(Path(inspect.getfile(function)))}"
        locators = (cls(parent / name, function) for parent in _parents())
        return next((locator for locator in locators if locator._can_be_written()), None)

    def _can_be_written(self) -> bool:
        try:
            self.ensure_cache_path()
        except OSError:
            return False
        return os.access(self._folder, os.W_OK)

    def ensure_cache_path(self) -> None:
        """Make the folder."""
        self._folder.mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        """The folder."""
        return str(self._folder)

    def get_source_stamp(self) -> str:
        """The same for all that is in the folder."""
        return self._folder.name

    def get_disambiguator(self) -> str:
        """What tells functions of one name apart."""
        return str(self._line)


def _parents() -> list[Path]:
    """NUMBA_CACHE_DIR where that is set; this user's caches, if there is a home; beside the source."""
    given = [numba.config.CACHE_DIR] if numba.config.CACHE_DIR else []
    parents = [Path(path) for path in (*given, AppDirs("scratchnet", appauthor=False).user_cache_dir)]
    return [*(path for path in parents if path.is_absolute()), Path(__file__).parent / "__pycache__"]


@cache
def _digest(file: Path) -> str:
    digest = hashlib.sha256(f"{numba.__version__} {VECTOR_BYTES}".encode())
    for path in (*sorted(Path(__file__).parent.glob("*.py")), file):
        digest.update(path.read_bytes())
    for module in ("activations", "losses"):  # constants of theirs are compiled in
        digest.update((Path(__file__).parents[1] / f"{module}.py").read_bytes())
    return digest.hexdigest()[:16]
