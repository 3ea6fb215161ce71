"""The cores of a pair. Both sides run on the same cores, one core per thread; each pair gets new random ones.

The sides take turns, so neither side lacks a core. The reason: a core of a rented machine can be slower than the next
one by a third, for as long as a pair lasts. Linux only; elsewhere no process is bound to a core.
"""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.core.environment import bindable_cores


def draw(threads: int, order: random.Random) -> list[int]:
    """So many of the usable cores, or all if there are fewer; none if no process can be bound."""
    usable = bindable_cores()
    return order.sample(usable, min(threads, len(usable)))


def bind(process: int, cores: list[int]) -> None:
    """Let all threads of the process, and those that they start later, run on these cores only."""
    with suppress(OSError):  # the process has ended: whoever asks it something learns how
        for thread in Path(f"/proc/{process}/task").iterdir() if cores else ():
            os.sched_setaffinity(int(thread.name), cores)


@contextmanager
def children_on(cores: list[int]) -> Iterator[None]:
    """Processes that this thread starts within run on those cores; anywhere if there are none or they are refused."""
    if not cores:
        yield
        return
    usable = os.sched_getaffinity(0)
    try:
        with suppress(OSError):
            os.sched_setaffinity(0, cores)
        yield
    finally:
        with suppress(OSError):
            os.sched_setaffinity(0, usable)
