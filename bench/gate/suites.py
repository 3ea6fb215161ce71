"""A suite of benchmarks of any project, such as pytest-benchmark's: each of its benchmarks is a case.

A pair is two fresh processes that run all benchmarks that are still undecided. Both are alive at once and take turns,
benchmark by benchmark, so what disturbs the machine disturbs both sides alike.
"""

import os
import random
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bench.core.child_process import ConnectedProcess
from bench.core.errors import UnusableError
from bench.gate import shell
from bench.gate.command_notes import ONE_THREAD
from bench.gate.commands import Clock, Place
from bench.gate.cores import children_on, draw
from bench.gate.gauges import Quantity
from bench.gate.no_verdict import TreeLostError
from bench.gate.pair import SIDES, Pair
from bench.gate.side_process import SideProcess
from bench.gate.turns import EITHER_FIRST, drawn, shuffled, take_turns

Kind = Literal["pytest", "asv"]
INSIDE = Path(__file__).with_name("inside")
WORKERS: dict[Kind, Path] = {"pytest": INSIDE / "pytest_worker.py", "asv": INSIDE / "asv_worker.py"}
NONE: dict[Kind, str] = {
    "pytest": "each of its benchmarks was skipped",
    "asv": "it has no benchmark that is timed: a function or method named time_… that fits the patterns",
}
TURN_SECONDS = 0.02
"""A turn repeats fast code for about so long: more would say little, since luck belongs to the process."""
SLOW_SECONDS, VERY_SLOW_SECONDS = 0.1, 0.5
"""Of a call: from here on a pair has one block, or one turn of each side."""
REST_SECONDS = 0.001
"""Before each turn."""
FORGETS_PEAK = Path("/proc/self/clear_refs")
LONG_SECONDS = 0.001


class Benchmark(NamedTuple):
    """What the warm-up found: calls a turn, orders that a pair draws from, whether an untimed turn comes first."""

    calls: int
    orders: tuple[str, str]
    blocks: int
    warms_up: bool


@dataclass(frozen=True)
class Suite:
    """Arguments of pytest, or the folder of asv's benchmarks; `limit` is the timeout of a turn, in seconds."""

    kind: Kind
    text: str
    limit: float
    clock: Clock = "wall"
    threads: int | None = None
    quantity: Quantity = "seconds"

    def __post_init__(self) -> None:
        try:
            shlex.split(self.text)
        except ValueError as error:
            raise UnusableError(f"--{self.kind} {self.text!r}: {error}; quote it as for a shell") from None
        if self.quantity == "instructions":
            raise UnusableError("--count instructions needs --command; write the benchmark as a command")
        if self.quantity == "peak-memory" and not FORGETS_PEAK.exists():
            raise UnusableError("--measure peak-memory of a suite needs Linux's /proc/self/clear_refs; use --command")

    @property
    def name(self) -> str:
        """Until its benchmarks are known."""
        return f"{self.kind} {self.text}".rstrip()

    def command(self, place: Place) -> str:
        """The worker, by the Python of the side's environment or else the first one on PATH."""
        return f"exec {shlex.quote(place.python)} {shlex.quote(str(WORKERS[self.kind]))} {shell.CONNECTION} {self.text}"


@dataclass(frozen=True)
class SuitePairs:
    """Processes of a suite, each with a log in the folder `logs`."""

    suite: Suite
    places: Mapping[str, Place]
    logs: Path
    found: Mapping[str, Benchmark] = field(default_factory=dict)
    order: random.Random = field(default_factory=random.Random)

    def tried(self, place: Place, variables: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """Run each benchmark of a side until it is known how long a call takes.

        Raises TreeLostError: if one fails.
        """
        told = {}
        with self._start(place, None, variables) as process:
            while "case" in (answer := process.answer("in the warm-up")):
                told[answer.pop("case")] = answer
        return told

    def knowing(self, tried: Mapping[str, Mapping[str, Any]]) -> "SuitePairs":
        """With the benchmarks that both sides have; `tried` is what each side told.

        Raises UnusableError: if there is none.
        """
        old, new = (tried[side] for side in SIDES)
        find = _benchmark if self.suite.quantity == "seconds" else _once
        found = {name: find(old[name], new[name]) for name in old if name in new}
        if not found:
            why = "no benchmark is on both sides" if old or new else NONE[self.suite.kind]
            raise UnusableError(f"--{self.suite.kind} {self.suite.text!r}: {why}; name others")
        tried_long = [of[name] for of in (old, new) for name in found if not of[name]["fixed"] or _is_long(of[name])]
        busy = max((told["cpu"] / told["seconds"] for told in tried_long), default=1.0)
        threads = self.suite.threads or (1 if busy <= ONE_THREAD else None)
        return replace(self, found=found, suite=replace(self.suite, threads=threads))

    def __call__(self, number: int, names: Sequence[str]) -> Iterator[Pair]:
        """Start both sides and let them take turns at each of these benchmarks.

        Raises TreeLostError: if a side crashed, hung, failed or left one out.
        """
        started = time.perf_counter()
        with ExitStack() as stack:
            with children_on(draw(self.suite.threads or 0, self.order)):
                processes = {
                    side: stack.enter_context(self._start(self.places[side], names)) for side in shuffled(self.order)
                }
            for name in names:
                pair = self._take_turns(number, name, processes)
                ended = time.perf_counter()
                yield pair.model_copy(update={"wall_seconds": ended - started})
                started = ended

    def _start(self, place: Place, cases: Sequence[str] | None, more: Mapping[str, str] | None = None) -> SideProcess:
        log, variables = self.logs / f"{self.suite.kind}-{place.side}.log", {**place.variables, **(more or {})}
        text, environment = place.fill(self.suite.command(place)), {**os.environ, **variables}
        process = ConnectedProcess(text, environment, log, place.tree, shell.command)
        side = SideProcess(place.side, process, log, self.suite.limit)
        installed = (place.env / "bin").is_dir()
        side.send({"cases": None if cases is None else list(cases), "installed": installed})
        return side

    def _take_turns(self, number: int, name: str, processes: Mapping[str, SideProcess]) -> Pair:
        for process in processes.values():
            if process.answer(f"before {name} in pair {number}").get("case") != name:
                raise TreeLostError(process.side, f"left out {name} in pair {number}")
        benchmark, request = self.found[name], "turn" if self.suite.quantity == "seconds" else "memory"

        def turn(side: str, _: int) -> dict[str, Any]:
            processes[side].send((request, benchmark.calls))
            return processes[side].answer(f"in {name} of pair {number}")

        blocks = drawn(self.order, benchmark.orders, benchmark.blocks)
        answers = take_turns(shuffled(self.order) if benchmark.warms_up else (), blocks, REST_SECONDS, turn)
        for process in processes.values():
            process.send(("next",))
        told = {key: value for side in SIDES for key, value in self._told(side, answers[side], benchmark).items()}
        return Pair(number=number, cell=name, order=" ".join(blocks), wall_seconds=0, **told)

    def _told(self, side: str, answers: list[dict[str, float]], benchmark: Benchmark) -> dict[str, Any]:
        """A side's part of a pair, in seconds a call."""
        turns = answers[1:] if benchmark.warms_up else answers
        clocks = {"seconds": "cpu" if self.suite.clock == "cpu" else "seconds", "elapsed": "wall", "cpu": "cpu"}
        told = {
            f"{side}_{name}": tuple(turn[clock] / benchmark.calls for turn in turns) for name, clock in clocks.items()
        }
        return {**told, f"{side}_amounts": tuple(turn["amount"] for turn in turns if "amount" in turn)}


def _is_long(told: Mapping[str, Any]) -> bool:
    """Whether the clocks, which are not read at once, agree on a single call."""
    return bool(told["seconds"] >= LONG_SECONDS)


def _once(old: Mapping[str, Any], new: Mapping[str, Any]) -> Benchmark:
    """For memory, which further calls do not change."""
    return Benchmark(1, ("AB", "BA"), 1, warms_up=not (old["fixed"] or new["fixed"]))


def _benchmark(old: Mapping[str, Any], new: Mapping[str, Any]) -> Benchmark:
    """How to time it, by what a call took on the slower side, with what is done for it outside of the clock."""
    seconds = max(old["elapsed"], new["elapsed"])
    if old["fixed"] or new["fixed"]:
        return Benchmark(1, ("AB", "BA"), 1, warms_up=False)
    calls = max(1, round(TURN_SECONDS / seconds))
    if seconds >= VERY_SLOW_SECONDS:
        return Benchmark(calls, ("AB", "BA"), 1, warms_up=True)
    return Benchmark(calls, EITHER_FIRST, 1 if seconds >= SLOW_SECONDS else 2, warms_up=True)
