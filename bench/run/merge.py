"""`scratchbench merge`: the finished cells of several runs in one run folder, each cell once.

Runs fit if they train the same way: equal specs except for the seeds, the same data, backends and software. If
something differs, all differences are named and nothing is written.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.core.errors import UnusableError, refused
from bench.core.text import one_line
from bench.records.folder import new_folder
from bench.records.log import RecordLog
from bench.records.machines import Machine
from bench.records.run import (
    CellRecord,
    Place,
    Record,
    Records,
    RunRecord,
    each_record,
    log_name,
    machine_record,
)
from bench.spec import Suite, TrainingSpec

CellKey = tuple[str, int]
MOST_NAMED = 5
SOFTWARE = ("git_revision", "python_version", "packages")
"""Of an environment: what makes two runs of one suite the same work."""


@dataclass
class FinishedCell:
    """The records of the finished attempt at one (spec, seed), where it ran, and backend → log of what was lost."""

    machine: Machine
    logs: Mapping[str, Path]
    records: list[Any] = field(default_factory=list)

    @property
    def content(self) -> list[str]:
        """What makes two cells equal: everything but the number of the attempt and where it is said to have run."""
        return [record.model_dump_json(exclude={"attempt", "place"}) for record in self.records]


@dataclass(frozen=True)
class MergedRun:
    """One of the runs that are merged."""

    folder: Path
    run: RunRecord
    environments: list[Mapping[str, Any]]
    cells: dict[CellKey, FinishedCell]

    @classmethod
    def read(cls, folder: Path) -> "MergedRun":
        """The finished cells of a run folder.

        Raises UnusableError: where it holds no readable run.
        """
        whole = Records.read(folder)
        attempts = {(each.spec, each.seed): each.attempt for each in whole.results}
        cells = {key: FinishedCell(whole.machines[key], _logs(folder, whole.run, *key)) for key in attempts}
        for record in each_record(folder):
            key = (getattr(record, "spec", ""), getattr(record, "seed", -1))
            if key in cells and getattr(record, "attempt", None) == attempts[key]:
                cells[key].records.append(record)
        return cls(folder, whole.run, [run.environment for run in whole.runs], cells)


def merge(folders: Sequence[Path], out: Path | None) -> tuple[Path, int]:
    """Write the runs of these folders as one; its folder, and how many cells were in several of them.

    Raises UnusableError: names what does not fit.
    """
    if len(folders) < 2:
        raise UnusableError(f"merge: {len(folders)} run; allowed: two run folders or more")
    runs = [MergedRun.read(folder) for folder in folders]
    conflicts = list(_conflicts(runs))
    cells = _joined(runs, conflicts)
    if conflicts:
        more = f"; and {len(conflicts) - MOST_NAMED} more" if len(conflicts) > MOST_NAMED else ""
        raise UnusableError(f"these runs do not fit: {'; '.join(conflicts[:MOST_NAMED])}{more}; nothing was written")
    folder = new_folder(out, f"{runs[0].run.suite_name}-merged")
    run = _run_record(runs)
    with RecordLog(folder) as log:
        log.write(run, *_records(cells))
    _copy_logs(cells, run, folder)
    return folder, sum(len(run.cells) for run in runs) - len(cells)


def _logs(folder: Path, run: RunRecord, spec: str, seed: int) -> dict[str, Path]:
    if not run.has(spec):
        return {}
    named = {backend: folder / log_name(run.suite, spec, seed, backend) for backend in run.suite.backends}
    return {backend: path for backend, path in named.items() if path.is_file() and not path.is_symlink()}


def _copy_logs(cells: Mapping[CellKey, FinishedCell], run: RunRecord, folder: Path) -> None:
    for (spec, seed), cell in cells.items():
        for backend, path in cell.logs.items():
            with refused(path, "copied"):
                shutil.copyfile(path, folder / log_name(run.suite, spec, seed, backend))


def _conflicts(runs: Sequence[MergedRun]) -> Iterator[str]:
    """Why the cells of these runs are not cells of one run: each beside the first that has such a spec or data."""
    specs: dict[str, tuple[MergedRun, TrainingSpec]] = {}
    data: dict[str, MergedRun] = {}
    for run in runs:
        yield from _run_conflicts(runs[0], run)
        for spec in run.run.suite.specs:
            first, one = specs.setdefault(spec.name, (run, spec))
            yield from _spec_conflicts(first, run, one, spec)
        for key, fingerprint in run.run.data_fingerprints.items():
            first = data.setdefault(key, run)
            yield from _different(f"data {key}", first, run, first.run.data_fingerprints[key], fingerprint)


def _run_conflicts(a: MergedRun, b: MergedRun) -> Iterator[str]:
    yield from _different("reference", a, b, a.run.reference, b.run.reference)
    yield from _different("backends", a, b, a.run.suite.backends, b.run.suite.backends)
    for name in SOFTWARE:
        one, other = (sorted({str(each.get(name)) for each in run.environments}) for run in (a, b))
        yield from _different(name, a, b, one, other)


def _spec_conflicts(a: MergedRun, b: MergedRun, one: TrainingSpec, other: TrainingSpec) -> Iterator[str]:
    first, second = (spec.model_dump(mode="json", exclude={"seeds"}) for spec in (one, other))
    for name in first:
        yield from _different(f"spec {one.name!r}, {name}", a, b, first[name], second[name])


def _different(what: str, a: MergedRun, b: MergedRun, one: Any, other: Any) -> Iterator[str]:
    if one != other:
        yield one_line(f"{what}: {one_line(one, 80)} in {a.folder}, {one_line(other, 80)} in {b.folder}")


def _joined(runs: Sequence[MergedRun], conflicts: list[str]) -> dict[CellKey, FinishedCell]:
    """Each cell once; one that differs between two runs is a conflict."""
    cells: dict[CellKey, FinishedCell] = {}
    origins: dict[CellKey, Path] = {}
    for run in runs:
        for key, cell in run.cells.items():
            known = cells.setdefault(key, cell)
            origin = origins.setdefault(key, run.folder)
            if known is not cell and known.content != cell.content:
                conflicts.append(f"spec {key[0]!r} seed {key[1]}: trained in {origin} and again in {run.folder}")
    return cells


def _run_record(runs: Sequence[MergedRun]) -> RunRecord:
    """The first run's, with all specs, all seeds and all data."""
    first = runs[0].run
    specs: dict[str, TrainingSpec] = {}
    for spec in (spec for run in runs for spec in run.run.suite.specs):
        seeds = (*specs[spec.name].seeds, *spec.seeds) if spec.name in specs else spec.seeds
        specs[spec.name] = spec.model_copy(update={"seeds": tuple(dict.fromkeys(seeds))})
    suite = Suite.model_validate(first.suite.model_dump() | {"specs": [spec.model_dump() for spec in specs.values()]})
    data = {key: value for run in reversed(runs) for key, value in run.run.data_fingerprints.items()}
    started = min(run.run.started for run in runs)
    return first.model_copy(update={"suite": suite, "data_fingerprints": data, "started": started, "resumed": False})


def _records(cells: Mapping[CellKey, FinishedCell]) -> Iterator[Record]:
    """Every cell names its machine, for the run record before it may be that of another run."""
    yield from {cell.machine.digest: machine_record(cell.machine) for cell in cells.values()}.values()
    for cell in cells.values():
        yield from (_placed(record, cell.machine) for record in cell.records)


def _placed(record: Any, machine: Machine) -> Any:
    if not isinstance(record, CellRecord):
        return record
    place = record.place or Place(machine=machine.digest)
    return record.model_copy(update={"place": place})
