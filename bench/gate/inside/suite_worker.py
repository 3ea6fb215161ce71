"""Times the benchmarks of a suite in a side's Python when the gate says so.

An adapter (`pytest_worker.py`, `asv_worker.py`) finds the benchmarks and hands each to `Worker.benchmark`. Both sides
are alive at once and take turns, benchmark by benchmark. This file imports the standard library only and runs in the
user's Python, which may be older than ours.
"""

import os
import runpy
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

Clock: Any = runpy.run_path(str(Path(__file__).with_name("clock.py")))["Clock"]
TURN_SECONDS = 0.02
"""A turn repeats fast code so often that the clock and its overhead do not matter."""
MOST_CALLS = 10_000_000
BOTH_SIDES = "; both revisions must hold the benchmarks, or name a copy of them outside of the repository"


class Stopwatch:
    """Adds up what passes within its blocks: seconds by the gate's clock, wall time, processor time."""

    def __init__(self) -> None:
        self.seconds = self.wall = self.cpu = 0.0

    def __enter__(self) -> None:
        self._clock = Clock(1)

    def __exit__(self, *_: object) -> None:
        seconds, wall, cpu = self._clock.read()
        self.seconds += seconds
        self.wall += wall
        self.cpu += cpu


Run = Callable[[int, Stopwatch], Any]
"""Calls the benchmarked code so many times under the stopwatch; what its last call returned."""


class Worker:
    """One side's talk with the gate. `wanted` are the names to time, in order; None while the gate looks for them."""

    def __init__(self, number: str) -> None:
        self._connection = Connection(int(number))
        job = self._connection.recv()
        self.wanted: Any = job["cases"]
        self.installed: bool = job["installed"]
        _leave_own_folder_out(self.installed)

    def benchmark(self, name: str, run: Run, fixed: bool = False) -> Any:
        """Time it as the gate asks, or find out how long a call takes; what the last call returned.

        fixed : the user says how many calls there are, so each process makes them once.
        """
        return self._measured(name, run) if self.wanted is not None else self._tried(name, run, fixed)

    def refuse(self, why: object) -> None:
        """Tell the gate that this side is broken."""
        self._connection.send({"error": " ".join(str(why).split())[:500]})

    def end(self) -> None:
        """Tell the gate that there is no further benchmark."""
        self._connection.send({"end": True})

    def _tried(self, name: str, run: Run, fixed: bool) -> Any:
        calls, result, watch, elapsed = 1, None, Stopwatch(), 0.0
        while True:
            watch, start = Stopwatch(), time.perf_counter()
            result = run(calls, watch)
            elapsed = time.perf_counter() - start
            if fixed or elapsed >= TURN_SECONDS or calls >= MOST_CALLS:
                break
            calls *= 10 if elapsed < TURN_SECONDS / 10 else 2
        call = {"seconds": watch.wall / calls, "cpu": watch.cpu / calls, "elapsed": elapsed / calls}
        self._connection.send({"case": name, "fixed": fixed, **call})
        return result

    def _measured(self, name: str, run: Run) -> Any:
        self._connection.send({"case": name})
        result = None
        while True:
            request, *arguments = self._connection.recv() or ("next",)
            if request == "next":
                return result
            watch = Stopwatch()
            if request == "memory":
                _forget_peak_memory()
            result = run(arguments[0], watch)
            amount = {"amount": _peak_memory()} if request == "memory" else {}
            self._connection.send({"seconds": watch.seconds, "wall": watch.wall, "cpu": watch.cpu, **amount})


def _forget_peak_memory() -> None:
    """The peak begins anew at what is resident now (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak_memory() -> int:
    """Bytes, since it was forgotten."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _leave_own_folder_out(installed: bool) -> None:
    """Have the current folder on the path in its place, as `python -m` does, unless the project is installed."""
    here = os.path.dirname(os.path.abspath(__file__))
    kept = [entry for entry in sys.path if os.path.abspath(entry) != here]
    sys.path[:] = kept if installed else [os.getcwd(), *kept]
