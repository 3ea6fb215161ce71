"""Every run below a folder: what the index says of it, its ratios, and its page. One run at a time is in memory."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from pydantic import ConfigDict, Field

from bench.core.errors import refused
from bench.core.files import atomic_path, write_atomically
from bench.core.models import FrozenRecord
from bench.core.text import one_line
from bench.history.points import SHORT, Point, in_utc, machine_of
from bench.history.runs import points_of, points_on
from bench.history.sources import run_files
from bench.records.log import RECORDS_NAME, value_in
from bench.records.machines import Machine
from bench.records.run import WELL, Records, RunRecord
from bench.report.page import PAGE_NAME, page
from bench.report.tables import Tables
from bench.report.write import FACTS_NAME, run_facts

RUNS = "runs"


class AggregateRow(FrozenRecord):
    """What is needed of a row of the aggregate."""

    model_config = ConfigDict(extra="ignore")
    spec: str
    backend: str
    status: str
    time_ratio: float | None
    time_ratio_low: float | None
    time_ratio_high: float | None


class RunFacts(FrozenRecord):
    """What is needed of a run.json."""

    model_config = ConfigDict(extra="ignore")
    verdict: str
    complete: bool
    machines: tuple[str, ...]
    aggregate: tuple[AggregateRow, ...]
    runs: tuple[RunRecord, ...] = Field(min_length=1)


@dataclass(frozen=True)
class SiteRun:
    """A run as the index shows it; `address` leads from the index to its page."""

    address: str
    path: str
    title: str
    started: str
    verdict: str
    state: str
    specs: tuple[str, ...]
    backends: tuple[str, ...]
    machine: str
    revision: str
    points: tuple[Point, ...]

    @property
    def ratios(self) -> list[float]:
        """scratchnet's time ratio to the reference, one a spec, in rising order."""
        return sorted(point.value for point in self.points)

    @property
    def words(self) -> str:
        """What a search finds it by."""
        parts = (self.path, self.title, self.started, self.verdict, self.machine, self.revision)
        machines = dict.fromkeys(one_line(point.key.machine, 160) for point in self.points)
        return " ".join([*parts, *self.specs, *self.backends, *machines]).lower()


def run_folders(folder: Path) -> Iterator[Path]:
    """The folders of `scratchbench run` below that one, in the order of their names."""
    for path in run_files(folder):
        if path.name == RECORDS_NAME and _is_run(path):
            yield path.parent


def _is_run(path: Path) -> bool:
    """Other commands write records of other kinds. A file that cannot be read counts: whoever reads it says why."""
    try:
        with path.open("rb") as file:
            return value_in(file.readline(), "kind") in ("run", None)
    except OSError:
        return True


def add_run(folder: Path, root: Path, out: Path) -> SiteRun:
    """Read a run, and put its page into the site: the one that it has, or a new one where its records are newer.

    Raises UnusableError: where the records cannot be read or the page cannot be written.
    """
    path = (Path(root.resolve().name) if folder == root else folder.relative_to(root)).as_posix()
    target = out / RUNS / path / PAGE_NAME
    with refused(target.parent, "made"):
        target.parent.mkdir(parents=True, exist_ok=True)
    facts = _kept(folder)
    if facts is None:
        tables = Tables(Records.read(folder))
        write_atomically(target, page(tables, folder))
        return _site_run(RunFacts.model_validate(run_facts(tables)), path, points_of(tables.records, tables.summary))
    with atomic_path(target) as temporary:
        shutil.copyfile(folder / PAGE_NAME, temporary)
    return _site_run(facts, path, _points(facts))


def _points(facts: RunFacts) -> Iterator[Point]:
    """The ratios of a run on one kind of machine: its aggregate has them."""
    run = facts.runs[0]
    return points_on(machine_of(run.environment, run.threads), run, [row.model_dump() for row in facts.aggregate])


def _kept(folder: Path) -> RunFacts | None:
    """What a report wrote of the run: nothing where a file is missing, of an older version, or older than the records.

    Reading the records instead takes far longer. A run on other machines than the first has a ratio for each kind of
    machine: it is read.
    """
    with suppress(OSError, ValueError):
        written = (folder / RECORDS_NAME).stat().st_mtime
        if all((folder / name).stat().st_mtime >= written for name in (PAGE_NAME, FACTS_NAME)):
            facts = RunFacts.model_validate_json((folder / FACTS_NAME).read_bytes())
            return facts if _is_where_it_began(facts) else None
    return None


def _is_where_it_began(facts: RunFacts) -> bool:
    """Whether every cell ran on a machine like that of the first record."""
    run = facts.runs[0]
    hardware = Machine("", run.threads, run.environment).hardware
    return all(title.endswith(hardware) for title in facts.machines)


def _site_run(facts: RunFacts, path: str, points: Iterable[Point]) -> SiteRun:
    run, environment = facts.runs[0], facts.runs[0].environment
    address = f"{RUNS}/{quote(path)}/{PAGE_NAME}"
    revision = environment.get("git_revision")
    return SiteRun(
        address=address,
        path=one_line(path, 200),
        title=one_line(run.suite.title or run.suite_name, 120),
        started=f"{in_utc(datetime.fromisoformat(run.started)):%Y-%m-%d %H:%M}",
        verdict=one_line(facts.verdict, 600),
        state=_state(facts),
        specs=tuple(one_line(spec.name, 80) for spec in run.suite.specs),
        backends=tuple(one_line(name, 60) for name in run.suite.backends),
        machine=_machine(facts),
        revision=one_line(revision)[:SHORT] + "+" * bool(environment.get("git_dirty")) if revision else "not known",
        points=tuple(replace(point, source=address) for point in points),
    )


def _machine(facts: RunFacts) -> str:
    run = facts.runs[0]
    if len(facts.machines) > 1:
        return f"{len(facts.machines)} machines"
    return one_line(machine_of(run.environment, run.threads) if _is_where_it_began(facts) else facts.machines[0], 160)


def _state(facts: RunFacts) -> str:
    statuses = {status for row in facts.aggregate for status in row.status.split(", ")}
    if not statuses <= set(WELL):
        return "lost"
    return "ok" if facts.complete else "incomplete"
