"""`scratchbench gate`: two trees, pairs until the verdict, the report, the exit code."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from bench.core import environment
from bench.core.errors import EXIT_INTERRUPTED
from bench.core.files import temporary_folder
from bench.gate import report
from bench.gate.budget import Budget
from bench.gate.command_notes import notes_of
from bench.gate.commands import Command, Place, prepare
from bench.gate.decision import Rule, measure
from bench.gate.environments import differing_versions, install
from bench.gate.gauges import Quantity
from bench.gate.no_verdict import CaseMissingError, NoVerdictError
from bench.gate.outcome import CellResult, Outcome, result_of
from bench.gate.pair import SIDES, Pair
from bench.gate.progress import GateProgress
from bench.gate.records import Clock, GateRecord, ImportsRecord, PairRecord, imports_of, pairs_of
from bench.gate.sources import THREADS, Found, Workplace, ready
from bench.gate.suites import Suite
from bench.gate.tolerances import Tolerances
from bench.gate.trees import Repository, Tree
from bench.gate.warm_up import WarmUp
from bench.records.folder import new_folder
from bench.records.log import RecordLog

if TYPE_CHECKING:
    from bench.spec import TrainingSpec


@dataclass(frozen=True)
class GateOptions:
    """What the command line asks for.

    jobs : commands and suites of any project, or networks of this one.
    revision : the new side; if empty it is the work tree.
    only : the only case to measure; if empty all of them.
    """

    against: str
    jobs: "Sequence[Command | Suite | TrainingSpec]"
    install: str
    prepare: str
    tolerances: Tolerances
    alpha: float
    seconds: float
    threads: int | None
    revision: str = ""
    only: str = ""

    @property
    def commands(self) -> dict[str, Command]:
        """Name → command."""
        return {job.name: job for job in self.jobs if isinstance(job, Command)}

    @property
    def suites(self) -> list[Suite]:
        """Those of other projects."""
        return [job for job in self.jobs if isinstance(job, Suite)]

    @property
    def quantity(self) -> Quantity:
        """What is compared: of all jobs the same."""
        return next((job.quantity for job in self.jobs if isinstance(job, Command | Suite)), "seconds")

    @property
    def limit(self) -> float:
        """Timeout of `--install` and `--prepare`, in seconds."""
        return max((job.limit for job in self.jobs if isinstance(job, Command | Suite)), default=self.seconds)


def gate(options: GateOptions, as_json: bool, out: Path | None, comments: bool = False) -> int:
    """Measure, write, print, and comment on the pull request if asked to; the exit code.

    Raises UnusableError: if repository, revision or folder cannot be used.
    """
    repository = repository_of(options)
    done = compare(options, repository, new_folder(out, "gate", resumes=False))
    report.write(done.outcome, done.facts, done.folder)
    report.tell_ci(done.outcome)
    if comments:
        _comment(done.outcome)
    if as_json:
        print(json.dumps(done.outcome.as_json(done.facts), indent=1))
    else:
        report.show(done.outcome, done.folder)
    return EXIT_INTERRUPTED if done.interrupted else done.outcome.exit_code


def _comment(outcome: Outcome) -> None:
    """The verdict stands, whatever becomes of the comment."""
    from bench.gate.comment import CommentError, comment

    try:
        comment(report.markdown(outcome))
    except CommentError as error:
        click.echo(f"note: --comment: {error}", err=True)


def repository_of(options: GateOptions) -> Repository:
    """That of the current folder; notes on it are said.

    Raises UnusableError: if it or a revision cannot be used.
    """
    repository = Repository(Path.cwd())
    for name in filter(None, (options.against, options.revision)):
        repository.revision(name)
    for note in repository.notes(Path.cwd()):
        click.echo(f"note: {note}", err=True)
    return repository


class Comparison(NamedTuple):
    """What came of a gate, what gate.json says of it, its folder, whether it was interrupted."""

    outcome: Outcome
    facts: Mapping[str, Any]
    folder: Path
    interrupted: bool


def compare(options: GateOptions, repository: Repository, folder: Path) -> Comparison:
    """Measure both sides; the folder gets every record.

    Raises UnusableError: if a side cannot be checked out, or options fit none of the cases.
    """
    with temporary_folder("gate") as temporary:
        # Named as the user's folder: programs see the name, such as `pytest -k` and packages at the root.
        folders = {side: temporary / side / repository.root.name for side in SIDES}
        trees = {"old": repository.copy_revision(options.against, folders["old"])}
        trees["new"] = (
            repository.copy_revision(options.revision, folders["new"])
            if options.revision
            else repository.copy_work_tree(folders["new"])
        )
        title = f"{trees['new']} against {trees['old']}"
        with RecordLog(folder) as log, GateProgress(title, options.seconds) as progress:
            run = _Run(options, trees, temporary.resolve(), repository.root.resolve(), folder, log, progress)
            ended = run.measure()
    cells = tuple(_result(name, pairs, options, ended.rules[name]) for name, pairs in pairs_of(folder).items())
    common = Rule(options.tolerances.common, options.alpha, len(cells))
    names = str(trees["old"]), str(trees["new"])
    outcome = Outcome(*names, common, cells, ended.broken, ended.notes, options.quantity)
    facts = _facts(ended.record, trees, folder) if ended.record else {}
    return Comparison(outcome, facts, folder, ended.interrupted)


@dataclass
class _Ended:
    """How a gate ended: the rule of each case, why there is no verdict of speed, or nothing."""

    rules: dict[str, Rule]
    record: GateRecord | None = None
    notes: tuple[str, ...] = ()
    broken: str = ""
    interrupted: bool = False


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
    imports: list[ImportsRecord] = field(default_factory=list)

    def measure(self) -> _Ended:
        """Prepare both sides, find the cases, measure them."""
        ended = _Ended({})
        try:
            self._measure(ended)
        except NoVerdictError as error:
            ended.broken = f"{error.kind}: {error}"
        except KeyboardInterrupt:
            ended.interrupted = True
            ended.notes = ("interrupted: this is what the pairs so far say", *ended.notes)
        if not ended.rules:
            names = [job.name for job in self.options.jobs]
            ended.rules = {name: Rule(self.options.tolerances.common, self.options.alpha, len(names)) for name in names}
            self._begin(ended)
        return ended

    def _measure(self, ended: _Ended) -> None:
        options = self.options
        folders = {side: tree.folder.resolve() for side, tree in self.trees.items()}
        places = {side: Place(side, folder, self.temporary / f"env-{side}") for side, folder in folders.items()}
        places = install(options.install, places, self.trees, options.limit, self.folder)
        prepare(options.prepare, places.values(), options.limit, self.folder)
        start = time.perf_counter()
        warm_up = WarmUp(places, self.checkout, self.temporary / "warm-up", self.imports.append)
        found: list[Found] = ready(options.jobs, Workplace(places, warm_up, self.temporary, options.threads))
        ended.notes = (*warm_up.notes, *(note for one in found for note in one.notes), *differing_versions(places))
        rules = options.tolerances.rules([name for one in found for name in one.source.cases], options.alpha)
        ended.rules = _of_case(options.only, rules)
        found = [one.of_case(options.only) for one in found if options.only in ("", *one.source.cases)]
        self._begin(ended)
        left = options.seconds - (time.perf_counter() - start)
        budget = Budget(left, ended.rules, self.progress.say)
        try:
            measure([one.source for one in found], ended.rules, budget.may_begin, lambda pair: self._keep(pair, budget))
        finally:
            ended.notes += (*budget.notes(),)

    def _begin(self, ended: _Ended) -> None:
        """The first records: what is measured, and what the warm-up saw."""
        ended.record = _record(self.options, self.trees, list(ended.rules))
        self.log.write(ended.record)
        for record in self.imports:
            self.log.write(record)
        self.progress.begin(ended.rules)

    def _keep(self, pair: Pair, budget: Budget) -> None:
        budget.take(pair)
        self.log.write(PairRecord(pair=pair))
        self.progress.pair(pair)


def _of_case(name: str, rules: dict[str, Rule]) -> dict[str, Rule]:
    """The rule of that case alone, which need not share its error; all rules if no name is given."""
    if not name:
        return rules
    if name not in rules:
        raise CaseMissingError(f"{name} is not on both sides")
    return {name: replace(rules[name], cells=1)}


def _record(options: GateOptions, trees: Mapping[str, Tree], cases: Sequence[str]) -> GateRecord:
    commands, suites = options.commands.values(), options.suites
    clocks: list[Clock] = ["own" if one.own_clock else one.clock for one in commands]
    clocks.extend(suite.clock for suite in suites)
    return GateRecord(
        started=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        old=str(trees["old"]),
        new=str(trees["new"]),
        old_revision=trees["old"].revision,
        new_revision=trees["new"].revision,
        tolerance=options.tolerances.common,
        tolerances=dict(options.tolerances.named),
        alpha=options.alpha,
        seconds=options.seconds,
        cells=tuple(cases),
        commands={one.name: one.text for one in commands},
        suites=tuple(suite.name for suite in suites),
        install=options.install,
        prepare=options.prepare,
        quantity=options.quantity,
        clock=clocks[0] if clocks else None,
        threads=options.threads if commands or suites else options.threads or THREADS,
        environment=environment.describe([environment.OF_SCRATCHNET] if commands or suites else []),
    )


def _facts(record: GateRecord, trees: Mapping[str, Tree], folder: Path) -> dict[str, Any]:
    """What gate.json says of the run."""
    sides = {
        side: {"name": tree.name, "revision": tree.revision, "dirty": tree.changed} for side, tree in trees.items()
    }
    told = record.model_dump(
        include={"started", "suites", "threads", "install", "prepare", "quantity", "clock", "environment"}
    )
    return {**sides, **told, "imports": imports_of(folder)}


def _result(name: str, pairs: Sequence[Pair], options: GateOptions, rule: Rule) -> CellResult:
    command = options.commands.get(name)
    if command is None:
        return result_of(name, pairs, rule)
    return result_of(name, pairs, rule, command.text, notes_of(command, pairs))
