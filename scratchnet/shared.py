"""Memory that forked processes share, and the barrier at which they wait for each other.

Fed by sizes; feeds `scratchnet.team`.
"""

import mmap
import os
from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[np.floating[Any]]

PATIENCE = 20_000
"""Looks at a flag before the others are given a chance to run, and a look at whether they still do."""
CACHE_LINE = 8
"""64-bit numbers of a cache line: flags of two processes must not share one."""
_STARTS = cycle(range(0, mmap.PAGESIZE, 256))
"""Where in its page each array starts, in bytes."""


def shared_zeros(shape: int | tuple[int, ...], dtype: DTypeLike) -> Array:
    """Zeros in memory that processes forked later share with this one.

    Each array starts elsewhere in its page: a processor takes a read for one of what was just written where the last
    twelve bits of both addresses agree, and an update goes through four arrays side by side.
    """
    size, start = int(np.prod(shape)), next(_STARTS)
    memory = mmap.mmap(-1, start + max(size * np.dtype(dtype).itemsize, 1))
    array: Array = np.frombuffer(memory, dtype, size, start).reshape(shape)
    return array


class Barrier:
    """Where each process waits until all have come. It spins: a step has a microsecond for this, not a system call."""

    def __init__(self, processes: int) -> None:
        self._arrived = memoryview(shared_zeros(processes * CACHE_LINE, np.int64))  # type: ignore[arg-type]
        self._flags = [index * CACHE_LINE for index in range(processes)]
        self.stand_at(0, lambda: None)
        self._count = 0

    def stand_at(self, index: int, check: Callable[[], None]) -> None:
        """Say which of the processes this one is; `check` is called now and then, and ends the wait by raising."""
        self._mine, self._check = self._flags[index], check
        self._others = [flag for flag in self._flags if flag != self._mine]

    def wait(self) -> None:
        """Return when all processes have called this as often."""
        self._count += 1
        self._arrived[self._mine] = self._count
        for flag in self._others:
            looks = 0
            while self._arrived[flag] < self._count:
                looks += 1
                if looks % PATIENCE == 0:
                    os.sched_yield()
                    self._check()
