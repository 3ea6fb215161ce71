"""All comparisons, the scenarios in turns; each is on disk before the next begins.

Fed by the first record and by what an interrupted run has left; feeds the records.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from bench.gate.tree_pairs import Source
from bench.gate_validation.comparison import compare
from bench.gate_validation.progress import ValidationProgress
from bench.gate_validation.records import ComparisonRecord, RecordedPair, Records
from bench.gate_validation.scenarios import Scenario, Turn, in_turns, load_from, seed_of

Clock = Callable[[], float]


class Machine(Protocol):
    """Where pairs come from."""

    def pairs(self, scenario: Scenario, load_from: int | None, seed: int) -> AbstractContextManager[Source]:
        """The pairs of one comparison."""


@dataclass(frozen=True)
class Limit:
    """When to begin no further comparison: after so many seconds, by that clock."""

    seconds: float | None = None
    clock: Clock = time.monotonic

    def reached(self) -> Callable[[], bool]:
        """Starts the clock; whether the time is up, when asked."""
        seconds, start = self.seconds, self.clock()
        return lambda: seconds is not None and self.clock() - start >= seconds


class Measurement:
    """One run: what is left of it, compared one after another."""

    def __init__(
        self, records: Records, machine: Machine, setup_seconds: float | None, watch: ValidationProgress
    ) -> None:
        """`setup_seconds`: those of a recording; None where the machine's own are measured."""
        done = {one.turn for one in records.comparisons}
        self._run, self._machine, self._setup, self._watch = records.run, machine, setup_seconds, watch
        self._left = [turn for turn in in_turns(self._run.counts, self._run.seed) if turn not in done]

    def go_on(self, write: Callable[[ComparisonRecord], None], limit: Limit) -> None:
        """Compare until all is done or the time is up.

        Raises
        ------
        UnusableError
            Where a pair cannot be had or the record cannot be written; whatever was finished is kept.
        """
        self._watch.expect(len(self._left))
        time_is_up = limit.reached()
        for turn in self._left:
            if time_is_up():
                self._watch.note("the time is up: what is missing can be compared with --resume")
                return
            self._watch.start(f"{turn.scenario} number {turn.number}")
            record = self._compare(turn)
            write(record)
            self._watch.done(f"{record.verdict} after {len(record.pairs)} pairs, {record.seconds:.0f} s")

    def _compare(self, turn: Turn) -> ComparisonRecord:
        seed, run = seed_of(self._run.seed, turn), self._run
        starts = load_from(turn.scenario.load, seed)
        begun = time.perf_counter()
        with self._machine.pairs(turn.scenario, starts, seed) as source:
            setup = time.perf_counter() - begun if self._setup is None else self._setup
            compared = compare(source, run.rule, run.budget_seconds - setup)
        return ComparisonRecord(
            scenario=turn.scenario,
            number=turn.number,
            seed=seed,
            verdict=compared.verdict,
            budget_seconds=run.budget_seconds,
            setup_seconds=setup,
            load_from=starts,
            pairs=tuple(map(RecordedPair.of, compared.pairs)),
        )
