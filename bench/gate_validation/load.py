"""Another program on the machine: a process a core that computes half of the time, in periods of its own.

Fed by the scenario; the processes end with the block, and with this process however it ends.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.core.environment import bindable_cores
from bench.core.errors import UnusableError

SCRIPT = Path(__file__).with_name("load_worker.py")


@contextmanager
def half_loaded_cores(seed: int) -> Iterator[tuple[int, ...]]:
    """Load every core that this process may use; the ids of the processes that do it, all of them at work.

    Raises
    ------
    UnusableError
        Where one cannot be started.
    """
    with ExitStack() as stack:
        processes = [stack.enter_context(_burning(core, seed + place)) for place, core in enumerate(_cores())]
        for process in processes:
            _expect_ready(process)
        yield tuple(process.pid for process in processes)


def _cores() -> list[int]:
    """The cores; where a process cannot be bound to one, -1 for each."""
    return bindable_cores() or [-1] * (os.cpu_count() or 1)


@contextmanager
def _burning(core: int, seed: int) -> Iterator["subprocess.Popen[str]"]:
    """A session of its own: Ctrl-C is for this process, which then closes the pipe."""
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(core), str(seed)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _expect_ready(process: "subprocess.Popen[str]") -> None:
    if process.stdout is None or process.stdout.readline() != "ready\n":
        raise UnusableError(f"{SCRIPT}: the process that loads a core did not start")
