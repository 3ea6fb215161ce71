"""Runs a suite in a folder: decodes the data once, then trains cell by cell, every record on disk as it happens."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from bench.backends import registry
from bench.core import environment
from bench.core.errors import UnusableError, refused
from bench.core.progress import Progress
from bench.data import Dataset, load_dataset
from bench.inputs.splits import Inputs, check_fit
from bench.records.log import RecordLog
from bench.records.run import Records, RunRecord
from bench.run.cell import Cell, Session
from bench.spec import DataSpec, Suite, TrainingSpec

DataFolders = Mapping[DataSpec, Path]


@dataclass(frozen=True)
class Task:
    """One attempt at one (spec, seed) that is to be made."""

    spec: TrainingSpec
    seed: int
    attempt: int

    @property
    def title(self) -> str:
        """Its spec and seed, for a person."""
        return f"{self.spec.name} seed {self.seed}"


Trainer = Callable[[Session, Sequence[Task], DataFolders], None]
"""Makes the attempts and writes their records."""


def tasks(suite: Suite, earlier: Records | None = None) -> list[Task]:
    """Every (spec, seed) without a finished attempt, with the number of its next one."""
    made = [(each.spec, each.seed, each.attempt) for each in earlier.attempts] if earlier else []
    last: dict[tuple[str, int], int] = {}
    for spec_name, seed, attempt in made:
        last[spec_name, seed] = max(attempt, last.get((spec_name, seed), 0))
    done = earlier.finished_cells if earlier else set()
    every = ((spec, seed) for spec in suite.specs for seed in spec.seeds)
    left = ((spec, seed) for spec, seed in every if (spec.name, seed) not in done)
    return [Task(spec, seed, last.get((spec.name, seed), 0) + 1) for spec, seed in left]


def turns(suite: Suite, earlier: Records | None = None) -> int:
    """Number of epochs that all backends are still to train, over all specs and seeds."""
    present = sum(registry.missing(name) is None for name in suite.backends)
    return present * sum(task.spec.epochs for task in tasks(suite, earlier))


def train_here(session: Session, todo: Sequence[Task], data: DataFolders) -> None:
    """One attempt after another, on this machine."""
    for spec, of_spec in groupby(todo, lambda task: task.spec):
        inputs = Inputs(Dataset.open(data[spec.data]), spec)
        for task in of_spec:
            with Cell(session, spec, task.seed, task.attempt, inputs, data[spec.data]) as cell:
                cell.run()


def execute(
    suite_name: str,
    suite: Suite,
    folder: Path,
    progress: Progress,
    earlier: Records | None = None,
    trainer: AbstractContextManager[Trainer] | None = None,
) -> None:
    """Train whatever has no finished attempt yet; `earlier` is what the folder holds where a run is resumed.

    trainer : who makes the attempts; left out, this machine.
    Raises UnusableError: where data, folder or trainer cannot be used; whatever was finished is kept.
    """
    threads = suite.threads or environment.usable_cores()
    here: AbstractContextManager[Trainer] = nullcontext(train_here)
    with RecordLog(folder) as log, _decoded_data(suite, folder) as data, trainer or here as train:
        log.write(_run_record(suite_name, suite, threads, data, earlier))
        train(Session(suite, threads, folder, log, progress), tasks(suite, earlier), data)


@contextmanager
def _decoded_data(suite: Suite, folder: Path) -> Iterator[DataFolders]:
    """Each data source decoded once into files that all workers map; gone when the run ends."""
    root = folder / ".data"
    shutil.rmtree(root, ignore_errors=True)  # left by a run that was killed
    try:
        yield {data: _decode(data, suite, root / str(number)) for number, data in enumerate(_data_specs(suite))}
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _data_specs(suite: Suite) -> list[DataSpec]:
    return list(dict.fromkeys(spec.data for spec in suite.specs))


def _decode(data: DataSpec, suite: Suite, folder: Path) -> Path:
    dataset = load_dataset(data)
    for spec in suite.specs:
        if spec.data == data:
            check_fit(dataset, spec)
    with refused(folder, "written"):
        folder.mkdir(parents=True)
        dataset.save(folder)
    return folder.absolute()


def _run_record(suite_name: str, suite: Suite, threads: int, data: DataFolders, earlier: Records | None) -> RunRecord:
    fingerprints = {spec: Dataset.open(folder).fingerprint for spec, folder in data.items()}
    if earlier:
        _check_unchanged(earlier.run, fingerprints)
    return RunRecord(
        suite_name=suite_name,
        suite=suite,
        threads=threads,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        resumed=earlier is not None,
        data_fingerprints={spec.key: fingerprint for spec, fingerprint in fingerprints.items()},
        environment=environment.describe(),
    )


def _check_unchanged(run: RunRecord, fingerprints: Mapping[DataSpec, str]) -> None:
    for data, fingerprint in fingerprints.items():
        recorded = run.fingerprint_of(data)
        if recorded is None:
            raise UnusableError(f"data {data.key}: this run recorded no fingerprint of them; start a new run")
        if recorded != fingerprint:
            raise UnusableError(f"data {data.key}: not those that this run began with; start a new run")
