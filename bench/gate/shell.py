"""A shell command, run until it exits itself: what may go on in its background afterwards is ended and not timed."""

import os
import shutil
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import BinaryIO

from bench.core.errors import UnusableError


@dataclass(frozen=True)
class Ended:
    """How a command ended. `cpu` is its user and system time and that of the children that it waited for."""

    code: int
    wall: float
    cpu: float
    timed_out: bool


def bash() -> str:
    """The path of bash.

    Raises
    ------
    UnusableError
        Where there is none.
    """
    if found := shutil.which("bash"):
        return found
    raise UnusableError(
        "bash: not found on PATH; --command and --prepare need its option pipefail to see a failure within a pipeline: "
        "install bash"
    )


def run(text: str, folder: Path, limit: float, output: BinaryIO, errors: BinaryIO, **variables: str) -> Ended:
    """Run it by bash with pipefail in `folder`, for `limit` seconds at most, with more environment `variables`.

    Its output goes into files: with a pipe, a background process that holds it open would be waited for.
    """
    start = time.perf_counter()
    with subprocess.Popen(
        [bash(), "-o", "pipefail", "-c", text],
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        start_new_session=True,
    ) as process:
        clock = _TimeLimit(process.pid, limit)
        try:
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            clock.stop()
    return Ended(process.returncode, wall, usage.ru_utime + usage.ru_stime, clock.over)


class _TimeLimit:
    """Kills a process group after so many seconds, or when it is stopped."""

    def __init__(self, group: int, limit: float) -> None:
        self._group, self.over = group, False
        self._timer = threading.Timer(limit, self._end)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        self._timer.cancel()
        _kill(self._group)

    def _end(self) -> None:
        self.over = True
        _kill(self._group)


def _kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # gone, or gone but for a zombie (macOS)
        os.killpg(group, SIGKILL)
