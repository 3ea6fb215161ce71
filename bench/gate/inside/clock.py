"""The clock of a process that is measured. It runs in that process, whose Python may be older than ours."""

import time
from pathlib import Path


class Clock:
    """Elapsed time attributable to the measured code.

    With one thread, the time is subtracted in which this thread was ready and the kernel ran another program on its
    core; but never below the processor time of the whole process, so that threads of its own that get in its way count.
    Waiting for anything else counts too. With more threads all of the wall time counts.
    """

    def __init__(self, threads: int) -> None:
        self._alone = threads == 1
        self._start = self._now()

    def read(self) -> "tuple[float, float, float]":
        """Since it was made: those seconds, wall time, and processor time of the whole process."""
        now = self._now()
        wall, processor, displaced = (now[at] - self._start[at] for at in range(3))
        return (max(wall - displaced, min(processor, wall)) if self._alone else wall), wall, processor

    def _now(self) -> "tuple[float, float, float]":
        return time.perf_counter(), time.process_time(), _displaced()


def _displaced() -> float:
    """Seconds that this thread was ready and did not run, so far; 0 if the kernel does not say (Linux does)."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
