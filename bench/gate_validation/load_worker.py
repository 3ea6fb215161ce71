"""A process that computes half of the time, until whoever started it is gone: run as a script, with a core and a seed.

Its standard input is a pipe that nobody writes to; it ends when the other end is closed, however that came about.
"""

import os
import random
import select
import sys
import time
from collections.abc import Callable

SHORTEST, LONGEST = 0.02, 0.1
"""Seconds of a period, half of which is spent computing."""


def burn(seconds: float) -> None:
    """Compute for so many seconds."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def periods(seed: int, compute: Callable[[float], None], idle: Callable[[float], bool]) -> None:
    """Periods of random length from a random phase, for as long as `idle` says; half of each is computed."""
    rng = random.Random(seed)
    going_on = idle(rng.uniform(0, LONGEST))
    while going_on:
        half = rng.uniform(SHORTEST, LONGEST) / 2
        compute(half)
        going_on = idle(half)


def _is_wanted(seconds: float) -> bool:
    """Wait so long; whether the pipe is still open then."""
    return not select.select([sys.stdin], [], [], seconds)[0]


if __name__ == "__main__":
    core, seed = map(int, sys.argv[1:])
    if core >= 0:
        os.sched_setaffinity(0, {core})
    print("ready", flush=True)
    periods(seed, burn, _is_wanted)
