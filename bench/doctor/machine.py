"""Facts for all checks: the machine at rest, an epoch with nothing forced, and a load on all cores.

Tests replace these facts with their own.
"""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass

import psutil

from bench.core import system
from bench.core.environment import usable_cores
from bench.core.text import one_line
from bench.doctor import measure
from bench.doctor.measure import Epochs, Load

REST_SECONDS = 0.7
READ_ERRORS = (OSError, ValueError, psutil.Error)
"""What reading the system may raise; the check then cannot tell."""

# Not `guest`, which the kernel counts within `user`.
_BUSY, _IDLE = ("user", "nice", "system", "irq", "softirq"), ("idle", "iowait", "steal")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Rest:
    """While this program slept: cores that others kept busy, and the busiest program with its share of a core."""

    busy_cores: float
    program: str
    program_cores: float


@dataclass(frozen=True)
class Counters:
    """Counters of lost time: totals since the start, or their growth during the load.

    stolen, total : seconds of all cores; throttled, periods : of the CPU group; swapped_in : pages.
    """

    stolen: float
    total: float
    throttled: int
    periods: int
    swapped_in: int

    def __sub__(self, earlier: "Counters") -> "Counters":
        """Their growth."""
        return Counters(*(now - before for now, before in zip(astuple(self), astuple(earlier), strict=True)))


@dataclass(frozen=True)
class Machine:
    """Facts that were measured once for all checks.

    rest : None where the system does not say who uses its cores; grown : what the counters gained during the load.
    """

    variables: Mapping[str, str]
    cores: int
    plain: Epochs
    rest: Rest | None
    load: Load
    grown: Counters


def look(say: Say) -> Machine:
    """Measure what every check needs.

    Raises MeasurementError: where not even an unforced process can train.
    """
    cores = usable_cores()
    say("the machine at rest")
    rest = at_rest(REST_SECONDS)
    plain = measure.plain_environment(cores)
    say("an epoch with nothing forced")
    epochs = measure.epochs(plain)
    say("a load of all cores")
    before = counters()
    load = measure.load(plain)
    return Machine(dict(os.environ), cores, epochs, rest, load, counters() - before)


def at_rest(seconds: float) -> Rest | None:
    """Sleep for so many seconds and see who keeps the cores busy; None if the system does not say."""
    try:
        # The list of programs is read outside the interval: on a machine with many, reading it is work.
        programs, start, busy = _programs(), time.perf_counter(), _busy_seconds()
        time.sleep(seconds)
        busy, elapsed = _busy_seconds() - busy, time.perf_counter() - start
        gained = {name: (after - programs.get(name, after)) / elapsed for name, after in _programs().items()}
    except READ_ERRORS:
        return None
    (_, program), cores = max(gained.items(), key=lambda item: item[1], default=((0, ""), 0.0))
    return Rest(max(0.0, busy / elapsed), program, cores)


def counters() -> Counters:
    """The counters as they stand."""
    throttled, periods = system.throttling()
    stolen = total = 0.0
    with suppress(*READ_ERRORS):
        stolen, total = _seconds("steal"), _seconds(*_BUSY, *_IDLE)
    return Counters(stolen, total, throttled, periods, system.swapped_in())


def _busy_seconds() -> float:
    return _seconds(*_BUSY)


def _seconds(*names: str) -> float:
    """Seconds so far that all cores spent so; no system has every name."""
    times = psutil.cpu_times()
    return float(sum(getattr(times, name, 0.0) for name in names))


def _programs() -> dict[tuple[int, str], float]:
    """CPU seconds of each other process that is readable and still alive."""
    found = {}
    for process in psutil.process_iter(["name"]):
        with suppress(psutil.Error, OSError):
            times = process.cpu_times()
            found[process.pid, one_line(process.info["name"] or "?", 30)] = times.user + times.system
    return found
