"""Other quantities than seconds: peak memory and instructions. A program that starts the command measures them."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from bench.core.errors import UnusableError

Quantity = Literal["seconds", "peak-memory", "instructions"]
PERF_EVENT = "instructions:u"
"""Of the user's own code: what the kernel does for it depends on the machine's other work."""
TRY_SECONDS = 10


class Gauge(NamedTuple):
    """How a quantity is measured and told.

    starts : the program, and its arguments before the command, of the file into which it writes.
    read : the amount, of what that file then holds.
    why_not : the reason why it cannot be measured here, or nothing.
    """

    starts: Callable[[str], list[str]]
    read: Callable[[str], float]
    why_not: Callable[[], str]


def gauge(quantity: Quantity) -> Gauge:
    """That of a quantity.

    Raises UnusableError: if this machine cannot measure it.
    """
    found = GAUGES[quantity]
    if reason := found.why_not():
        raise UnusableError(f"{quantity}: cannot be measured here: {reason}")
    return found


def _peak_memory(file: str) -> list[str]:
    return [sys.executable, "-I", "-S", str(Path(__file__).with_name("inside") / "peak_memory.py"), file]


def _perf(file: str) -> list[str]:
    return ["perf", "stat", "--field-separator", ",", "--event", PERF_EVENT, "--output", file, "--"]


def _counted(text: str) -> float:
    """The first field of perf's line on the event: a number, or in words why there is none."""
    line = next((line for line in text.splitlines() if PERF_EVENT.partition(":")[0] in line), "")
    count = line.partition(",")[0]
    return float(count) if count.isdigit() else 0.0


def _no_perf() -> str:
    if shutil.which("perf") is None:
        return "perf is not on PATH; install it (Debian: linux-perf), or compare --clock cpu"
    command = [*_perf("/dev/stderr"), "true"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TRY_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"perf gave no answer within {TRY_SECONDS} s"
    if done.returncode == 0 and _counted(done.stderr):
        return ""
    told = [line for line in done.stderr.splitlines() if not line.startswith("#")]
    said = " ".join(" ".join(told).split())[:200]
    remedy = "virtual machines often have no counters, and kernel.perf_event_paranoid above 2 forbids them"
    return f"perf counts no {PERF_EVENT} ({said}); {remedy}; compare --clock cpu"


def _no_wait4() -> str:
    return "" if platform.system() in ("Linux", "Darwin") else "this system does not tell it"


GAUGES: dict[Quantity, Gauge] = {
    "peak-memory": Gauge(_peak_memory, float, _no_wait4),
    "instructions": Gauge(_perf, _counted, _no_perf),
}
