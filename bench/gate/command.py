"""`scratchbench gate`: two trees, pairs until the verdict, the report, the exit code.

Fed by the command line.
"""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench import environment
from bench.errors import EXIT_INTERRUPTED
from bench.files import temporary_folder
from bench.gate import report
from bench.gate.baseline_command import BaselineGate
from bench.gate.command_pairs import Command, CommandPairs
from bench.gate.decision import Rule
from bench.gate.loop import measure
from bench.gate.outcome import Outcome, result_of
from bench.gate.pair import Pair
from bench.gate.plan_files import PlanFiles
from bench.gate.prepare import prepare
from bench.gate.records import GateRecord, PairRecord, pairs_of
from bench.gate.side_process import SideLostError
from bench.gate.sides import EPOCHS, SIDES, Sides, Source, TrainingPairs
from bench.gate.trees import Repository, Tree
from bench.gate.watch import Watch
from bench.gate.work import WorkChangedError
from bench.records import RecordLog
from bench.runner import new_folder
from bench.spec import TrainingSpec


@dataclass(frozen=True)
class Asked:
    """What the command line asks for. `command` in place of `cells`: any project's own command."""

    against: str
    cells: Sequence[TrainingSpec]
    command: Command | None
    prepare: str
    tolerance: float
    alpha: float
    seconds: float
    threads: int

    @property
    def names(self) -> list[str]:
        """Of the cells."""
        return ["command"] if self.command else [spec.name for spec in self.cells]

    @property
    def rule(self) -> Rule:
        """For so many cells."""
        return Rule(self.tolerance, self.alpha, len(self.names))


def gate(asked: Asked, as_json: bool, out: Path | None) -> int:
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
        with RecordLog(folder) as log, Watch(f"{record.new} against {record.old}", asked.rule, asked.seconds) as watch:
            log.write(record)
            broken, interrupted = _measured(asked, trees, temporary, folder, _keeper(log, watch.pair))
    outcome = _outcome(asked, trees, folder, broken)
    facts = {
        "started": record.started,
        "old": _side(trees["old"]),
        "new": _side(trees["new"]),
        "threads": record.threads,
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


def _measured(
    asked: Asked, trees: Mapping[str, Tree], temporary: Path, folder: Path, keep: Callable[[Pair], None]
) -> tuple[str, bool]:
    """Why there is no verdict of speed, or nothing; and whether it was interrupted."""
    try:
        prepare(asked.prepare, trees, asked.command.limit if asked.command else asked.seconds, folder)
        sources = _sources(asked, trees, temporary)
        end = time.perf_counter() + asked.seconds
        measure(sources, asked.rule, lambda: time.perf_counter() < end, keep)
    except (SideLostError, WorkChangedError) as error:
        return _with_place(error), False
    except KeyboardInterrupt:
        return "", True
    return "", False


def _with_place(error: SideLostError | WorkChangedError) -> str:
    kind = "broken, not slower" if isinstance(error, SideLostError) else "the work changed, so seconds say nothing"
    return f"{kind}: {error}"


def _sources(asked: Asked, trees: Mapping[str, Tree], temporary: Path) -> dict[str, Source]:
    folders = {side: trees[side].folder for side in SIDES}
    if asked.command:
        return {"command": CommandPairs(asked.command, folders, random.Random())}
    sides = Sides(folders, asked.threads, temporary)
    plans = {spec.name: PlanFiles(spec, EPOCHS, temporary / f"plan{at}") for at, spec in enumerate(asked.cells)}
    return {name: TrainingPairs(sides, plan, random.Random()) for name, plan in plans.items()}


def _record(asked: Asked, trees: Mapping[str, Tree]) -> GateRecord:
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
        threads=asked.command.threads if asked.command else asked.threads,
        environment=environment.describe(),
    )


def _keeper(log: RecordLog, show: Callable[[Pair], None]) -> Callable[[Pair], None]:
    def keep(pair: Pair) -> None:
        log.write(PairRecord(pair=pair))
        show(pair)

    return keep


def _outcome(asked: Asked, trees: Mapping[str, Tree], folder: Path, broken: str) -> Outcome:
    """From the records, which are all that counts."""
    cells = tuple(result_of(name, pairs, asked.rule) for name, pairs in pairs_of(folder).items())
    return Outcome(str(trees["old"]), str(trees["new"]), asked.rule, cells, broken)


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
        for line in report.steps_of(outcome):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(f"\nreport, plot and pairs: {folder}", markup=False, highlight=False, soft_wrap=True)
