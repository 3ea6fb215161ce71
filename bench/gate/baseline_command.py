"""`scratchbench baseline save` and `scratchbench gate --baseline`: the same rounds, once to keep and once to compare.

Fed by the command line.
"""

import hashlib
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import click

from bench.core import environment
from bench.core.errors import EXIT_INTERRUPTED, EXIT_OK, UnusableError
from bench.core.files import temporary_folder
from bench.gate.baseline import (
    SMALLEST,
    Baseline,
    CellBaseline,
    by_yardstick,
    decide,
    effect_of,
    machine_facts,
    other_machine,
    yardsticks_apart,
)
from bench.gate.decision import Effect, Rule, Verdict
from bench.gate.outcome import CellResult, Outcome
from bench.gate.plan_files import PlanFiles
from bench.gate.rounds import EPOCHS, Round, Rounds, yardsticks
from bench.gate.tree_process import TreeLostError
from bench.gate.work import expected_batches
from bench.spec import TrainingSpec

Specs = Sequence[TrainingSpec]


def save(path: Path, cells: Specs, rounds: int, threads: int) -> int:
    """Measure so many rounds of each cell and write the baseline; the exit code.

    Raises
    ------
    UnusableError
        Where the file cannot be written or a process is lost.
    """
    facts, names = environment.describe(), yardsticks()
    with temporary_folder("baseline") as folder:
        try:
            kept = tuple(_kept(spec, folder, rounds, names, threads) for spec in cells)
        except TreeLostError as error:
            raise UnusableError(f"no baseline: {error}") from None
        except KeyboardInterrupt:
            click.echo("interrupted: no baseline was written", err=True)
            return EXIT_INTERRUPTED
    now = datetime.now(UTC).isoformat(timespec="seconds")
    baseline = Baseline(
        saved=now, revision=facts["git_revision"], threads=threads, machine=machine_facts(facts), cells=kept
    )
    baseline.save(path)
    print(f"baseline of {len(kept)} cells over {rounds} rounds, beside {' and '.join(names)}: {path}")
    return EXIT_OK


def _kept(spec: TrainingSpec, folder: Path, rounds: int, names: Sequence[str], threads: int) -> CellBaseline:
    plan, source = _source(spec, folder, names, threads)
    seen = []
    for number in range(1, rounds + 1):
        seen.append(source())
        _say(f"{spec.name}, round {number} of {rounds}: {_told(seen[-1])}")
    return CellBaseline(cell=spec.name, plan_fingerprint=fingerprint(plan), log_ratios=by_yardstick(seen))


class BaselineGate:
    """The gate against a baseline file, cell by cell; `interrupted` says that Ctrl-C ended it.

    Raises
    ------
    UnusableError
        Where the baseline is of another cell, another plan or another number of threads.
    """

    def __init__(self, path: Path, cells: Specs, rule: Rule, seconds: float, threads: int) -> None:
        self._baseline, self._place, self._rule = Baseline.read(path), str(path), rule
        self._cells, self._seconds, self.threads = cells, seconds / len(cells), threads
        self.interrupted = False
        self.facts = environment.describe()
        kept = self._baseline
        if kept.threads != threads:
            raise UnusableError(f"{path}: was saved with {kept.threads} threads; gate with --threads {kept.threads}")
        self._kept = {spec.name: self._kept_cell(spec.name) for spec in cells}

    def outcome(self) -> Outcome:
        """Measure rounds of each cell until the verdict or the end of the budget."""
        self._results: list[CellResult] = []
        broken = other_machine(self._baseline.machine, machine_facts(self.facts))
        broken = f"the machine is too different to be compared: {broken}" if broken else self._measured()
        not_measured = self._cells[len(self._results) :]
        missing = [CellResult(spec.name, "undecided", None, (), 0.0) for spec in not_measured]
        new = f"this tree ({(self.facts['git_revision'] or 'no revision')[:10]})"
        return Outcome(self._place, new, self._rule, (*self._results, *missing), broken)

    def _measured(self) -> str:
        try:
            with temporary_folder("gate") as folder:
                self._gate_all(folder)
        except (TreeLostError, _ApartError) as error:
            return str(error)
        return ""

    def _gate_all(self, folder: Path) -> None:
        for spec in self._cells:
            if not self.interrupted:
                self._gate(spec, folder)

    def _gate(self, spec: TrainingSpec, folder: Path) -> None:
        kept = self._kept[spec.name]
        names = [name for name in yardsticks() if name in kept.log_ratios]
        plan, source = _source(spec, folder, names, self.threads)
        if fingerprint(plan) != kept.plan_fingerprint:
            what = "another plan (data, order or initial weights)"
            raise UnusableError(f"{self._place}: {spec.name} was trained from {what}; save a new baseline")
        started = time.perf_counter()
        seen = self._rounds(spec.name, kept, source)
        new = by_yardstick(seen)
        if len(seen) >= SMALLEST and (reason := yardsticks_apart(kept.log_ratios, new)):
            raise _ApartError(reason)
        if seen:
            verdict, effects = self._state(kept, new)
            shown = _SHOWN[verdict](effects, key=lambda name: effects[name].ratio)
            logarithms = tuple(value - median(kept.log_ratios[shown]) for value in new[shown])
            seconds = time.perf_counter() - started
            name = f"{spec.name} by {shown}"
            self._results.append(CellResult(name, verdict, effects[shown], logarithms, seconds))

    def _rounds(self, name: str, kept: CellBaseline, source: Rounds) -> list[Round]:
        """Until the verdict, the end of the budget, or Ctrl-C."""
        seen, end = list[Round](), time.perf_counter() + self._seconds
        verdict: Verdict = "undecided"
        try:
            while verdict == "undecided" and time.perf_counter() < end:
                seen.append(source())
                verdict, _ = self._state(kept, by_yardstick(seen))
                _say(f"{name}, round {len(seen)}: {_told(seen[-1])}; {verdict}")
        except KeyboardInterrupt:
            self.interrupted = True
        return seen

    def _state(self, kept: CellBaseline, new: Mapping[str, Sequence[float]]) -> tuple[Verdict, dict[str, Effect]]:
        effects = {name: effect_of(kept.log_ratios[name], values, self._rule) for name, values in new.items()}
        return decide(list(effects.values()), self._rule), effects

    def _kept_cell(self, name: str) -> CellBaseline:
        cells = {cell.cell: cell for cell in self._baseline.cells}
        if name not in cells:
            raise UnusableError(f"{self._place}: has no cell {name!r}; allowed: {', '.join(cells)}")
        return cells[name]


class _ApartError(Exception):
    """The yardsticks say that the machines cannot be compared."""


# What is shown of several yardsticks: the one that says least against the verdict's opposite.
_SHOWN: dict[Verdict, Callable[..., str]] = {"fail": min, "pass": max, "undecided": max}


def fingerprint(plan: PlanFiles) -> str:
    """SHA-256 of initial parameters and the first epoch's batches."""
    digest = hashlib.sha256(plan.start.tobytes())
    digest.update(expected_batches(plan, 1).encode())
    return digest.hexdigest()


def _source(spec: TrainingSpec, folder: Path, names: Sequence[str], threads: int) -> tuple[PlanFiles, Rounds]:
    plan = PlanFiles(spec, EPOCHS, folder / f"plan {spec.name}")
    return plan, Rounds(plan, tuple(names), threads, folder, random.Random())


def _told(seen: Round) -> str:
    return ", ".join(f"{math.exp(value):.3f} times the {name}" for name, value in seen.items())


def _say(line: str) -> None:
    click.echo(line, err=True)
