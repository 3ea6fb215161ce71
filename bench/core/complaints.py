"""Turns the error that ended a command into one line on stderr and an exit code.

It imports no other package, so that it can also say which package is not installed.
"""

import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from bench.core.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_UNDECIDED, EXIT_UNUSABLE, EXIT_WORSE, UnusableError

TRACEBACK_VARIABLE = "SCRATCHBENCH_TRACEBACK"

EXTRAS: dict[str, tuple[str, ...]] = {
    "": ("numpy", "scipy"),
    "bench": (
        *("click", "filelock", "jinja2", "junitparser", "matplotlib", "pandas", "psutil", "pydantic", "rich"),
        *("statsmodels", "tabulate", "threadpoolctl"),
    ),
    "tensorflow": ("tensorflow", "keras"),
    "tfds": ("tensorflow_datasets", "importlib_resources"),
    "images": ("PIL",),
    "numba": ("numba",),
    "jax": ("jax",),
    "torch": ("torch",),
    "sklearn": ("sklearn",),
    "cluster": ("distributed", "dask", "dask_jobqueue", "asyncssh", "cryptography"),
}
"""Extra of this project → the modules that its packages bring; of "" what the project always needs."""

Verdict = tuple[str, int]
"""The line (none where it is empty) and the exit code."""


def complain(error: BaseException, unexpected: int = EXIT_UNUSABLE) -> int:
    """Say in one line on stderr what ended the command; its exit code, `unexpected` for an error nobody foresaw."""
    if os.environ.get(TRACEBACK_VARIABLE):
        traceback.print_exception(error)
    if isinstance(error, OSError):
        _leave_stdout()
    line, code = _line_and_code(error, unexpected)
    if line:
        print(f"error: {' '.join(line.split())}", file=sys.stderr)
    return code


@contextmanager
def thread_errors(codes: list[int]) -> Iterator[None]:
    """Within, an error that ends a thread is one line too, and its exit code is added to `codes`."""
    before = threading.excepthook

    def hook(ended: threading.ExceptHookArgs) -> None:
        if ended.exc_value is not None:
            codes.append(complain(ended.exc_value))

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


def without_verdict(code: int, unexpected: int) -> int:
    """The exit code of a command if one of its threads failed: neither "well" nor "worse" may be claimed."""
    return unexpected if code in (EXIT_OK, EXIT_WORSE, EXIT_UNDECIDED) else code


def _leave_stdout() -> None:
    """If stdout cannot be written, Python would complain when it ends and change the exit code."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _line_and_code(error: BaseException, unexpected: int) -> Verdict:
    if isinstance(error, KeyboardInterrupt):
        return "", EXIT_INTERRUPTED
    if isinstance(error, BrokenPipeError):  # `| head`: nobody reads on
        return "", EXIT_UNUSABLE
    if isinstance(error, UnusableError):
        return str(error), EXIT_UNUSABLE
    if isinstance(error, ImportError):
        return _not_imported(error), EXIT_UNUSABLE
    if isinstance(error, MemoryError):
        return f"the memory is not enough ({error}); remedy: free some, or ask for less at once", EXIT_UNUSABLE
    if isinstance(error, OSError):  # a full disk, a folder that went away
        return f"{error.filename or 'input or output'}: {error.strerror or error}", EXIT_UNUSABLE
    return _unexpected(error), unexpected


def _not_imported(error: ImportError) -> str:
    module = (error.name or "").partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or module in ("", "bench", "scratchnet", "reference_tf"):
        return _unexpected(error)
    return f"the package {module} is not installed; remedy: pip install {_installs(module)}"


def _installs(module: str) -> str:
    extra = next((extra for extra, modules in EXTRAS.items() if module in modules), None)
    if extra is None:
        return module
    return f"'scratchnet[{extra}]'" if extra else "scratchnet"


def _unexpected(error: BaseException) -> str:
    said = f"{type(error).__name__}: {error}".removesuffix(": ")
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" ({place[0].filename}:{place[0].lineno})" if place else ""
    return f"unexpected {said}{where}; {TRACEBACK_VARIABLE}=1 in the environment shows the traceback"
