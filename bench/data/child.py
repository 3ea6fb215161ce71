"""Runs work that imports TensorFlow in a child process, so that this process stays light and quiet.

The child's side is `report_failure`.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

from bench.core.child_process import run_python
from bench.core.environment import WORKER_VARIABLES, importable
from bench.core.errors import EXIT_OK, EXIT_UNUSABLE, UnusableError
from bench.data.checks import printable


def run_child(what: str, module: str, *arguments: str, seconds: float) -> None:
    """Run `python -m module arguments`; whatever it prints is kept from the terminal.

    Raises UnusableError: `what`, then the last line the child wrote to stderr, or that it was stopped after so many
    `seconds`.
    """
    try:
        # TensorFlow is silent and kept off the GPU.
        variables = importable({**os.environ, **WORKER_VARIABLES})
        finished = run_python(module, *arguments, environment=variables, seconds=seconds)
    except subprocess.TimeoutExpired:
        raise UnusableError(f"{what}: not done after {seconds:g} s, stopped") from None
    if finished.returncode != EXIT_OK:
        raise UnusableError(f"{what}: {_reason(finished)}")


def _reason(finished: "subprocess.CompletedProcess[str]") -> str:
    if finished.returncode < 0:
        return f"stopped by {signal.Signals(-finished.returncode).name}; is there enough memory?"
    lines = finished.stderr.strip().splitlines()
    return printable(lines[-1]) if lines else f"failed with exit code {finished.returncode}"


def report_failure(work: Callable[[], None]) -> int:
    """Exit code of `work` in a child: any error becomes the one last line on stderr that `run_child` reads."""
    try:
        work()
    except UnusableError as error:
        print(printable(error), file=sys.stderr)
    except Exception as error:  # TensorFlow and TFDS raise of every kind, over many lines
        print(printable(f"{type(error).__name__}: {error}"), file=sys.stderr)
    else:
        return EXIT_OK
    return EXIT_UNUSABLE
