"""How a Python process is started and ended.

The process does not import from the current folder and does not work in it. It ends with its parent. It is asked to
end, so that its libraries can clean up; if it does not, it is killed with all its children.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

from bench.core.files import process_is_alive
from bench.core.text import one_line

LAUNCHER = Path(__file__).with_name("child_launcher.py")
ENDING_SECONDS = 5.0
"""How long a process may take to end after it was asked to."""
SHARED_MEMORY = Path("/dev/shm")
OPENMP_PREFIX = "__KMP_REGISTERED_LIB_"
"""Intel's OpenMP makes a file PREFIX + pid + _ + uid, and removes it when its process ends by itself."""


def python_command(name: str, *arguments: str) -> list[str]:
    """The command of a Python process that runs this module or script; its environment is `environment.importable`."""
    return [sys.executable, "-P", str(LAUNCHER), str(os.getpid()), name, *arguments]


def run_python(
    name: str, *arguments: str, environment: Mapping[str, str], seconds: float
) -> "subprocess.CompletedProcess[str]":
    """Run a module or script to its end and keep what it prints; `subprocess.TimeoutExpired` after so many seconds."""
    return subprocess.run(
        python_command(name, *arguments),
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )


def how_it_ended(code: int) -> str:
    """An exit code of `subprocess`, in words."""
    names = {-one: one.name for one in signal.Signals}
    return f"was killed by {names[code]}" if code in names else f"ended with exit code {code}"


def last_words(finished: "subprocess.CompletedProcess[str]") -> str:
    """Why a process failed: the last line that it wrote to stderr, or how it ended."""
    lines = finished.stderr.strip().splitlines()
    if finished.returncode < 0 or not lines:
        memory = "; is there enough memory?" if finished.returncode == -signal.SIGKILL else ""
        return f"the process {how_it_ended(finished.returncode)}{memory}"
    return one_line(lines[-1], 1000)


class NoAnswerError(Exception):
    """A process gave no answer. `code` is its exit code, or None if it still runs."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class ConnectedProcess:
    """A Python process in a session of its own, so that Ctrl-C reaches this one alone, and a connection to it.

    It runs `name` with the number of a connection's file as its argument, ends when None is sent to it, and writes
    whatever it prints to `log`. `command` makes another command of that number, `folder` is where it starts.
    """

    def __init__(
        self,
        name: str,
        environment: Mapping[str, str],
        log: Path,
        folder: Path | None = None,
        command: Callable[[str, str], list[str]] = python_command,
    ) -> None:
        remove_openmp_files()
        self._connection, theirs = Pipe()
        with log.open("wb") as output, theirs:
            self._process = subprocess.Popen(
                command(name, str(theirs.fileno())),
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its number, which is also that of its session and group."""
        return self._process.pid

    def send(self, message: Any) -> None:
        """Send a message. If the process is gone, waiting for its answer says how it ended."""
        with suppress(OSError):
            self._connection.send(message)

    def answer(self, limit: float | None) -> Any:
        """The next message from the process; `limit` is in seconds.

        Raises NoAnswerError: the process ended, or sent nothing within the limit.
        """
        try:
            if self._connection.poll(limit):
                return self._connection.recv()
        except (EOFError, OSError):
            raise NoAnswerError(self._process.wait()) from None
        raise NoAnswerError(None)

    def end(self) -> None:
        """Ask it to end; kill it and all that it started where that takes too long."""
        self.send(None)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDING_SECONDS)
        self.kill()
        self._process.wait()
        self._connection.close()
        remove_openmp_files()

    def kill(self) -> None:
        """Kill it and all that it started, unasked: it may be in a loop that hears nothing."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


def remove_openmp_files() -> None:
    """Remove the files in shared memory that processes of this user left when they were killed.

    Each is small, but when the memory is full, training dies.
    """
    for path in SHARED_MEMORY.glob(f"{OPENMP_PREFIX}*_{os.getuid()}"):
        pid = path.name.removeprefix(OPENMP_PREFIX).partition("_")[0]
        with suppress(OSError):
            if pid.isdecimal() and path.stat().st_uid == os.getuid() and not process_is_alive(int(pid)):
                path.unlink()
