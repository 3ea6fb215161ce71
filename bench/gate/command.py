"""`scratchbench gate`: two trees, pairs until the verdict, the report, the exit code."""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench.core import environment
from bench.core.errors import EXIT_INTERRUPTED
from bench.core.files import temporary_folder
from bench.gate import report
from bench.gate.baseline_command import BaselineGate
from bench.gate.command_notes import notes_of
from bench.gate.command_pairs import CommandPairs
from bench.gate.decision import Rule
from bench.gate.loop import measure
from bench.gate.outcome import CellResult, Outcome, result_of
from bench.gate.own_code import OtherCodeError
from bench.gate.pair import Pair
from bench.gate.places import Place
from bench.gate.plan_files import PlanFiles
from bench.gate.prepare import prepare
from bench.gate.progress import GateProgress
from bench.gate.records import Clock, GateRecord, PairRecord, imports_of, pairs_of
from bench.gate.shell_command import Command
from bench.gate.tree_pairs import EPOCHS, SIDES, Source, TrainingPairs, TreePairs
from bench.gate.tree_process import TreeLostError
from bench.gate.trees import Repository, Tree
from bench.gate.warm_up import NotFixedWorkError, WarmUp
from bench.gate.work import WorkChangedError
from bench.records.log import RecordLog
from bench.run.runner import new_folder
from bench.spec import TrainingSpec


@dataclass(frozen=True)
class GateOptions:
    """What the command line asks for. `commands` in place of `cells`: any project's own."""

    against: str
    cells: Sequence[TrainingSpec]
    commands: Sequence[Command]
    prepare: str
    tolerance: float
    alpha: float
    seconds: float
    threads: int

    @property
    def names(self) -> list[str]:
        """Of the cells."""
        return [one.name for one in self.commands] or [spec.name for spec in self.cells]

    @property
    def rule(self) -> Rule:
        """For so many cells."""
        return Rule(self.tolerance, self.alpha, len(self.names))


def gate(asked: GateOptions, as_json: bool, out: Path | None) -> int:
    """Measure, write, print; the exit code.

    Raises
    ------
    UnusableError
        Where repository, revision or folder cannot be used.
    """
    repository = Repository(Path.cwd())
    repository.revision(asked.against)
    for note in repository.notes(Path.cwd()):
        click.echo(f"note: {note}", err=True)
    with temporary_folder("gate") as temporary:
        trees = {"old": repository.copy_revision(asked.against, temporary / "old")}
        trees["new"] = repository.copy_work_tree(temporary / "new")
        folder = new_folder(out, "gate")
        record = _record(asked, trees)
        with (
            RecordLog(folder) as log,
            GateProgress(f"{record.new} against {record.old}", asked.rule, asked.seconds) as watch,
        ):
            log.write(record)
            measured = _Measurement(asked, trees, temporary.resolve(), repository.root.resolve(), folder, log)
            broken, interrupted = measured(_keeper(log, watch.pair))
    outcome = _outcome(asked, trees, folder, broken)
    facts = {
        "started": record.started,
        "old": _side(trees["old"]),
        "new": _side(trees["new"]),
        "threads": record.threads,
        "prepare": asked.prepare,
        "clock": record.clock,
        "imports": imports_of(folder),
        "environment": record.environment,
    }
    _tell(outcome, facts, folder, as_json)
    return EXIT_INTERRUPTED if interrupted else outcome.exit_code


def gate_by_baseline(asked: BaselineGate, as_json: bool, out: Path | None) -> int:
    """The same against a baseline file; the exit code."""
    folder = new_folder(out, "gate")
    started = datetime.now(UTC).isoformat(timespec="seconds")
    outcome = asked.outcome()
    new = {"revision": asked.facts["git_revision"], "dirty": asked.facts["git_dirty"]}
    facts = {"started": started, "new": new, "threads": asked.threads, "environment": asked.facts}
    _tell(outcome, facts, folder, as_json)
    return EXIT_INTERRUPTED if asked.interrupted else outcome.exit_code


def _side(tree: Tree) -> dict[str, Any]:
    return {"name": tree.name, "revision": tree.revision, "dirty": tree.changed}


NO_VERDICT: dict[type[Exception], str] = {
    TreeLostError: "broken, not slower",
    WorkChangedError: "the work changed, so seconds say nothing",
    OtherCodeError: "not each side's own code",
    NotFixedWorkError: "the work is not fixed, so seconds say nothing",
}


@dataclass(frozen=True)
class _Measurement:
    """Where a gate is measured: the sides' trees in a temporary folder, the user's checkout, the folder of the run."""

    asked: GateOptions
    trees: Mapping[str, Tree]
    temporary: Path
    checkout: Path
    folder: Path
    log: RecordLog

    def __call__(self, keep: Callable[[Pair], None]) -> tuple[str, bool]:
        """Why there is no verdict of speed, or nothing; and whether it was interrupted."""
        asked, places = self.asked, self._places()
        try:
            limit = max((one.limit for one in asked.commands), default=asked.seconds)
            prepare(asked.prepare, places.values(), limit, self.folder)
            sources = self._commands(places) if asked.commands else self._trainings()
            end = time.perf_counter() + asked.seconds
            measure(sources, asked.rule, lambda: time.perf_counter() < end, keep)
        except tuple(NO_VERDICT) as error:
            return f"{NO_VERDICT[type(error)]}: {error}", False
        except KeyboardInterrupt:
            return "", True
        return "", False

    def _places(self) -> dict[str, Place]:
        folders = {side: self.trees[side].folder.resolve() for side in SIDES}
        return {side: Place(side, folder, self.temporary / f"env-{side}") for side, folder in folders.items()}

    def _commands(self, places: Mapping[str, Place]) -> dict[str, Source]:
        warm_up = WarmUp(places, self.checkout, self.temporary / "warm-up", self.log.write)
        return {one.name: CommandPairs(one, places, random.Random(), warm_up) for one in self.asked.commands}

    def _trainings(self) -> dict[str, Source]:
        sides = TreePairs({side: self.trees[side].folder for side in SIDES}, self.asked.threads, self.temporary)
        cells = enumerate(self.asked.cells)
        plans = {spec.name: PlanFiles(spec, EPOCHS, self.temporary / f"plan{at}") for at, spec in cells}
        return {name: TrainingPairs(sides, plan, random.Random()) for name, plan in plans.items()}


def _record(asked: GateOptions, trees: Mapping[str, Tree]) -> GateRecord:
    return GateRecord(
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        old=str(trees["old"]),
        new=str(trees["new"]),
        old_revision=trees["old"].revision,
        new_revision=trees["new"].revision,
        tolerance=asked.tolerance,
        alpha=asked.alpha,
        seconds=asked.seconds,
        cells=tuple(asked.names),
        commands={one.name: one.text for one in asked.commands},
        prepare=asked.prepare,
        clock=_clock(asked),
        threads=asked.commands[0].threads if asked.commands else asked.threads,
        environment=environment.describe(),
    )


def _clock(asked: GateOptions) -> Clock | None:
    """The commands' common one."""
    if not asked.commands:
        return None
    return "own" if asked.commands[0].own_clock else asked.commands[0].clock


def _keeper(log: RecordLog, show: Callable[[Pair], None]) -> Callable[[Pair], None]:
    def keep(pair: Pair) -> None:
        log.write(PairRecord(pair=pair))
        show(pair)

    return keep


def _outcome(asked: GateOptions, trees: Mapping[str, Tree], folder: Path, broken: str) -> Outcome:
    """From the records, which are all that counts."""
    cells = tuple(_result(name, pairs, asked) for name, pairs in pairs_of(folder).items())
    return Outcome(str(trees["old"]), str(trees["new"]), asked.rule, cells, broken)


def _result(name: str, pairs: Sequence[Pair], asked: GateOptions) -> CellResult:
    result = result_of(name, pairs, asked.rule)
    for command in asked.commands:
        if command.name == name:
            return replace(result, command=command.text, notes=notes_of(command, pairs))
    return result


def _tell(outcome: Outcome, facts: Mapping[str, Any], folder: Path, as_json: bool) -> None:
    """To the folder, to the CI server, to the person."""
    report.write(outcome, facts, folder)
    report.tell_ci(outcome)
    if as_json:
        print(json.dumps(outcome.as_json(facts), indent=1))
        return
    console = Console()
    console.print(outcome.sentence, markup=False, highlight=False, soft_wrap=True)
    if not outcome.broken:
        console.print()
        console.print(report.terminal(outcome))
    for line in report.lines_of(outcome):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(f"\nreport, plot and pairs: {folder}", markup=False, highlight=False, soft_wrap=True)
