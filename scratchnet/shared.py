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
        self.flags: NDArray[np.int64] = shared_zeros((processes, CACHE_LINE), np.int64)  # type: ignore[assignment]
        """How often each process has come: at the start of its row."""
        self._arrived = memoryview(self.flags)  # type: ignore[arg-type]
        self.stand_at(0, lambda: None)

    def stand_at(self, index: int, check: Callable[[], None]) -> None:
        """Say which of the processes this one is; `check` is called now and then, and ends the wait by raising."""
        self.mine, self._check = index, check
        self._others = [other for other in range(len(self.flags)) if other != index]

    def wait(self) -> None:
        """Return when all processes have called this as often."""
        self._arrived[self.mine, 0] += 1
        self.await_others()

    def await_others(self) -> None:
        """Return when all other processes have come as often as this one."""
        count = self._arrived[self.mine, 0]
        for other in self._others:
            looks = 0
            while self._arrived[other, 0] < count:
                looks += 1
                if looks % PATIENCE == 0:
                    os.sched_yield()
                    self._check()
