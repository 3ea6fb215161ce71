"""Runs a suite in a folder: decodes the data once, then trains cell by cell, every record on disk as it happens."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
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


def turns(suite: Suite, earlier: Records | None = None) -> int:
    """Number of epochs that all backends are still to train, over all specs and seeds."""
    present = sum(registry.missing(name) is None for name in suite.backends)
    done = earlier.finished_cells if earlier else set()
    epochs = sum(spec.epochs for spec in suite.specs for seed in spec.seeds if (spec.name, seed) not in done)
    return epochs * present


def execute(suite_name: str, suite: Suite, folder: Path, progress: Progress, earlier: Records | None = None) -> None:
    """Train whatever has no finished attempt yet; `earlier` is what the folder holds where a run is resumed.

    Raises UnusableError: where data or folder cannot be used; whatever was finished is kept.
    """
    threads = suite.threads or environment.usable_cores()
    with RecordLog(folder) as log, _decoded_data(suite, folder) as data:
        log.write(_run_record(suite_name, suite, threads, data, earlier))
        session = Session(suite, threads, folder, log, progress)
        for spec in suite.specs:
            _train_spec(session, spec, data[spec.data], earlier)


def _train_spec(session: Session, spec: TrainingSpec, data: Path, earlier: Records | None) -> None:
    attempts = [(cell.spec, cell.seed) for cell in earlier.attempts] if earlier else []
    done = earlier.finished_cells if earlier else set()
    left = [seed for seed in spec.seeds if (spec.name, seed) not in done]
    if not left:
        return
    inputs = Inputs(Dataset.open(data), spec)
    for seed in left:
        attempt = attempts.count((spec.name, seed)) + 1
        with Cell(session, spec, seed, attempt, inputs, data) as cell:
            cell.run()


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
