"""Runs a shell command until it exits. What it leaves in the background is then ended, and is not timed."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import BinaryIO

from bench.core.errors import UnusableError

CONNECTION = "{connection}"


@dataclass(frozen=True)
class Ended:
    """How a command ended. `cpu` is user and system time of it and of the children that it waited for."""

    code: int
    wall: float
    cpu: float
    timed_out: bool


def bash() -> str:
    """The path of bash.

    Raises UnusableError: if there is none.
    """
    if found := shutil.which("bash"):
        return found
    why = "--command and --prepare need its option pipefail to see a failure within a pipeline"
    raise UnusableError(f"bash: not found on PATH; {why}: install bash")


def command(text: str, connection: str = "") -> list[str]:
    """What runs it: bash with pipefail; `{connection}` in it stands for the number of a connection's file."""
    return [bash(), "-o", "pipefail", "-c", text.replace(CONNECTION, connection)]


def run(
    text: str,
    folder: Path,
    limit: float,
    output: BinaryIO,
    errors: BinaryIO,
    starts: Sequence[str] = (),
    **variables: str,
) -> Ended:
    """Run it by bash with pipefail in `folder`, for `limit` seconds at most, with more environment `variables`.

    starts : a program, with its arguments, that starts bash.

    Its output goes to files: a pipe would make it wait for a background process that holds it open.
    """
    start = time.perf_counter()
    with subprocess.Popen(
        [*starts, *command(text)],
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        start_new_session=True,
    ) as process:
        over = threading.Event()

        def end() -> None:
            over.set()
            _kill(process.pid)

        timer = threading.Timer(limit, end)
        timer.daemon = True
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            timer.cancel()
            _kill(process.pid)
    return Ended(process.returncode, wall, usage.ru_utime + usage.ru_stime, over.is_set())


def _kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # gone, or gone but for a zombie (macOS)
        os.killpg(group, SIGKILL)
