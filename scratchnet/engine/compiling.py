"""Compiled functions, kept on disk from process to process."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
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
    """The function, compiled when it is first called with arguments of a type; read from disk where it was before.

    Numba looks at the file of the function alone to see whether what it kept is old. So the folder is named after
    all that goes into it.
    """
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(_folder())
    try:
        return numba.njit(function, cache=True, **OPTIONS)  # type: ignore[no-any-return]
    except RuntimeError:  # the folder cannot be written
        return numba.njit(function, **OPTIONS)  # type: ignore[no-any-return]
    finally:
        numba.config.CACHE_DIR = before


@cache
def _folder() -> Path:
    """Beside the source, as Python keeps its own; else where this user's caches are."""
    here, digest = Path(__file__).parent, hashlib.sha256(f"{numba.__version__} {VECTOR_BYTES}".encode())
    for path in sorted(here.glob("*.py")):
        digest.update(path.read_bytes())
    name = f"numba-{digest.hexdigest()[:16]}"
    for folder in (here / "__pycache__", Path(AppDirs("scratchnet", appauthor=False).user_cache_dir)):
        with suppress(OSError):
            (folder / name).mkdir(parents=True, exist_ok=True)
            if os.access(folder / name, os.W_OK):
                return folder / name
    return folder / name
