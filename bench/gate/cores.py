"""The cores of a pair: both sides run on the same, as many as each has threads, drawn anew for each pair.

They take turns, so neither misses one. A core of a rented machine can be slower than the next one for as long as a pair
lasts, by a third even; with a core for each side that was the spread of the pairs. Linux only: elsewhere nothing is
bound to a core.
"""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.core.environment import bindable_cores


def draw(threads: int, order: random.Random) -> list[int]:
    """So many of the cores that this process may use, or all where it has fewer; none where nothing can be bound."""
    usable = bindable_cores()
    return order.sample(usable, min(threads, len(usable)))


def bind(process: int, cores: list[int]) -> None:
    """Let every thread that the process has now, and those that these start, run on no other core."""
    with suppress(OSError):  # one that has ended: whoever asks it something is told how
        for thread in Path(f"/proc/{process}/task").iterdir() if cores else ():
            os.sched_setaffinity(int(thread.name), cores)


@contextmanager
def children_on(cores: list[int]) -> Iterator[None]:
    """What this thread starts within runs on those cores; anywhere where there are none or they are refused."""
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
