"""`scratchbench gate`: two trees, pairs until the verdict, the report, the exit code."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bench.core import environment
from bench.core.errors import EXIT_INTERRUPTED
from bench.core.files import temporary_folder
from bench.gate import report
from bench.gate.command_notes import notes_of
from bench.gate.command_pairs import CommandPairs
from bench.gate.commands import Command, Place, prepare
from bench.gate.decision import Rule, measure
from bench.gate.no_verdict import NoVerdictError
from bench.gate.outcome import CellResult, Outcome, result_of
from bench.gate.pair import Pair, Source
from bench.gate.plan_files import PlanFiles
from bench.gate.progress import GateProgress
from bench.gate.records import Clock, GateRecord, PairRecord, imports_of, pairs_of
from bench.gate.tree_pairs import EPOCHS, TrainingPairs
from bench.gate.trees import Repository, Tree
from bench.gate.warm_up import WarmUp
from bench.records.log import RecordLog
from bench.run.runner import new_folder
from bench.spec import TrainingSpec

THREADS = 1
"""Of each side unless `--threads` says more: a second one doubles what a neighbour on the machine can disturb."""


@dataclass(frozen=True)
class GateOptions:
    """What the command line asks for. `commands`, of any project, replace `cells`."""

    against: str
    cells: Sequence[TrainingSpec]
    commands: Sequence[Command]
    prepare: str
    tolerance: float
    alpha: float
    seconds: float
    threads: int | None

    @property
    def names(self) -> list[str]:
        """Of the cells."""
        return [one.name for one in self.commands] or [spec.name for spec in self.cells]

    @property
    def rule(self) -> Rule:
        """For so many cells."""
        return Rule(self.tolerance, self.alpha, len(self.names))


def gate(options: GateOptions, as_json: bool, out: Path | None) -> int:
    """Measure, write, print; the exit code.

    Raises UnusableError: if repository, revision or folder cannot be used.
    """
    repository = Repository(Path.cwd())
    repository.revision(options.against)
    for note in repository.notes(Path.cwd()):
        click.echo(f"note: {note}", err=True)
    with temporary_folder("gate") as temporary:
        trees = {"old": repository.copy_revision(options.against, temporary / "old")}
        trees["new"] = repository.copy_work_tree(temporary / "new")
        folder, record = new_folder(out, "gate"), _record(options, trees)
        title = f"{record.new} against {record.old}"
        with RecordLog(folder) as log, GateProgress(title, options.rule, options.seconds) as progress:
            log.write(record)
            run = _Run(options, trees, temporary.resolve(), repository.root.resolve(), folder, log, progress)
            broken, interrupted = run.measure()
    cells = tuple(_result(name, pairs, options) for name, pairs in pairs_of(folder).items())
    outcome = Outcome(record.old, record.new, options.rule, cells, broken)
    facts = _facts(record, trees, folder)
    report.write(outcome, facts, folder)
    report.tell_ci(outcome)
    if as_json:
        print(json.dumps(outcome.as_json(facts), indent=1))
    else:
        report.show(outcome, folder)
    return EXIT_INTERRUPTED if interrupted else outcome.exit_code


@dataclass(frozen=True)
class _Run:
    """Where a gate is measured: the sides' trees in a temporary folder, the user's checkout, the folder of the run."""

    options: GateOptions
    trees: Mapping[str, Tree]
    temporary: Path
    checkout: Path
    folder: Path
    log: RecordLog
    progress: GateProgress

    def measure(self) -> tuple[str, bool]:
        """Why there is no verdict of speed, or nothing; and whether it was interrupted."""
        options = self.options
        folders = {side: tree.folder.resolve() for side, tree in self.trees.items()}
        places = {side: Place(side, folder, self.temporary / f"env-{side}") for side, folder in folders.items()}
        try:
            limit = max((one.limit for one in options.commands), default=options.seconds)
            prepare(options.prepare, places.values(), limit, self.folder)
            sources = self._commands(places) if options.commands else self._trainings()
            end = time.perf_counter() + options.seconds
            measure(sources, options.rule, lambda: time.perf_counter() < end, self._keep)
        except NoVerdictError as error:
            return f"{error.kind}: {error}", False
        except KeyboardInterrupt:
            return "", True
        return "", False

    def _keep(self, pair: Pair) -> None:
        self.log.write(PairRecord(pair=pair))
        self.progress.pair(pair)

    def _commands(self, places: Mapping[str, Place]) -> dict[str, Source]:
        warm_up = WarmUp(places, self.checkout, self.temporary / "warm-up", self.log.write)
        return {one.name: CommandPairs(one, places, warm_up) for one in self.options.commands}

    def _trainings(self) -> dict[str, Source]:
        folders, threads = {side: tree.folder for side, tree in self.trees.items()}, self.options.threads or THREADS
        cells = enumerate(self.options.cells)
        plans = {spec.name: PlanFiles(spec, EPOCHS, self.temporary / f"plan{at}") for at, spec in cells}
        return {name: TrainingPairs(folders, plan, threads, self.temporary) for name, plan in plans.items()}


def _record(options: GateOptions, trees: Mapping[str, Tree]) -> GateRecord:
    clocks: list[Clock] = ["own" if one.own_clock else one.clock for one in options.commands]
    return GateRecord(
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        old=str(trees["old"]),
        new=str(trees["new"]),
        old_revision=trees["old"].revision,
        new_revision=trees["new"].revision,
        tolerance=options.tolerance,
        alpha=options.alpha,
        seconds=options.seconds,
        cells=tuple(options.names),
        commands={one.name: one.text for one in options.commands},
        prepare=options.prepare,
        clock=clocks[0] if clocks else None,
        threads=options.threads if options.commands else options.threads or THREADS,
        environment=environment.describe(),
    )


def _facts(record: GateRecord, trees: Mapping[str, Tree], folder: Path) -> dict[str, Any]:
    """What gate.json says of the run."""
    sides = {
        side: {"name": tree.name, "revision": tree.revision, "dirty": tree.changed} for side, tree in trees.items()
    }
    told = record.model_dump(include={"started", "threads", "prepare", "clock", "environment"})
    return {**sides, **told, "imports": imports_of(folder)}


def _result(name: str, pairs: Sequence[Pair], options: GateOptions) -> CellResult:
    command = {one.name: one for one in options.commands}.get(name)
    if command is None:
        return result_of(name, pairs, options.rule)
    return result_of(name, pairs, options.rule, command.text, notes_of(command, pairs))
