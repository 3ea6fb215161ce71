"""What a node does, in a task of its dask worker: it describes itself, and it runs whole cells.

The node writes into its worker's scratch folder only. Everything that the head keeps goes back in the answer.
"""

import os
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel

from bench.cluster.machine_lock import only_here
from bench.cluster.nanny import forget_nannys_variables
from bench.cluster.versions import software
from bench.core import environment, system
from bench.core.errors import UnusableError
from bench.core.progress import Progress
from bench.data import Dataset, load_dataset
from bench.inputs.splits import Inputs
from bench.records.machines import Machine
from bench.records.run import Place, ResultRecord
from bench.run.cell import Cell, Session
from bench.spec import DataSpec, Suite, TrainingSpec

TOPIC = "scratchbench"
LONGEST_LOG = 65_536
"""Bytes of the end of a log that are sent."""
WATCH_SECONDS = 1.0
_DECODING = threading.Lock()


@dataclass(frozen=True)
class NodeFacts:
    """What a node says of itself: workers with the same `machine` share one."""

    host: str
    machine: str
    software: dict[str, str]


@dataclass(frozen=True)
class CellJob:
    """One attempt. `folder` is the head's, as messages name it; `alone`: its times count."""

    number: str
    suite: Suite
    spec: TrainingSpec
    seed: int
    attempt: int
    fingerprint: str
    folder: str
    alone: bool


@dataclass(frozen=True)
class CellReport:
    """A whole attempt: where it ran, its records, the ends of the logs that a run would have kept, notes."""

    machine: Machine
    records: tuple[BaseModel, ...]
    logs: dict[str, bytes]
    notes: tuple[str, ...]


class NeedsData:
    """The answer of a node that cannot read the data by their source, or reads others there."""


class UnwantedError(Exception):
    """The head does not wait for this attempt any more."""


@dataclass
class _Kept:
    """The records of an attempt, as a run's log would have them."""

    folder: Path
    shown: str
    records: list[BaseModel] = field(default_factory=list)

    def write(self, *records: BaseModel) -> None:
        self.records += [self._of_head(record) for record in records]

    def _of_head(self, record: BaseModel) -> BaseModel:
        """A reason may name a log, which the head will have."""
        if not isinstance(record, ResultRecord):
            return record
        return record.model_copy(update={"reason": record.reason.replace(str(self.folder), self.shown)})


class _Told(Progress):
    """Each step is told to the head, which learns from it that the node is well; notes are kept."""

    def __init__(self, worker: Any, number: str) -> None:
        self._worker, self._number = worker, number
        self.notes, self.unwanted = list[str](), False

    def step(self, text: str) -> None:
        if self.unwanted:
            raise UnwantedError
        self._worker.log_event(TOPIC, {"number": self._number, "step": text})

    def stage(self, text: str) -> None:
        self.step(text)

    def done(self, count: int = 1) -> None:
        pass

    def note(self, line: str) -> None:
        self.notes.append(line)


def look(packages: tuple[str, ...]) -> NodeFacts:
    """The node, before it gets a cell."""
    forget_nannys_variables()
    boot = system.text(system.PROC / "sys/kernel/random/boot_id")
    return NodeFacts(platform.node(), boot or platform.node(), software(packages))


def run_cell(job: CellJob, sent: Dataset | None = None) -> CellReport | NeedsData:
    """Run one attempt on this node; `sent` are the data, where the node asked for them.

    Raises UnwantedError: where the head gave it up meanwhile.
    """
    from distributed import get_worker

    worker: Any = get_worker()
    forget_nannys_variables()
    told = _Told(worker, job.number)
    told.step("data")
    data = _data_folder(Path(worker.local_directory), job, sent)
    if data is None:
        return NeedsData()
    with only_here(job.alone, told), TemporaryDirectory(dir=worker.local_directory) as folder:
        return _run(job, worker, told, data, Path(folder))


def _run(job: CellJob, worker: Any, told: _Told, data: Path, folder: Path) -> CellReport:
    load = os.getloadavg()
    machine = _machine(job)
    kept = _Kept(folder, job.folder)
    suite = job.suite if job.alone else job.suite.model_copy(update={"rest_seconds": 0.0})
    place = Place(machine=machine.digest, alone=job.alone, load_average=tuple(round(one, 2) for one in load))
    session = Session(suite, machine.threads, folder, kept, told, place)
    inputs = Inputs(Dataset.open(data), job.spec)
    with Cell(session, job.spec, job.seed, job.attempt, inputs, data) as cell, _watched(worker, cell, told):
        cell.run()
    logs = {path.name: _end_of(path) for path in sorted(folder.glob("*.log"))}
    return CellReport(machine, tuple(kept.records), logs, tuple(told.notes))


def _machine(job: CellJob) -> Machine:
    """A cell that does not run alone gets one thread a backend, unless the suite says how many."""
    threads = job.suite.threads or (environment.usable_cores() if job.alone else 1)
    facts = environment.describe(unchecked=[environment.check_load])
    return Machine(platform.node(), threads, {**facts, "warnings": [*facts["warnings"], *_profiler(job)]})


def _profiler(job: CellJob) -> Iterator[str]:
    import dask

    if job.alone and dask.config.get("distributed.worker.profile.enabled", True):
        variable = "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False"
        yield f"{platform.node()}: dask's profiler takes time from what is measured; start the node with {variable}"


def _data_folder(scratch: Path, job: CellJob, sent: Dataset | None) -> Path | None:
    """Where the decoded data are: kept from an earlier cell, as sent, or read by their source; None: send them."""
    folder = scratch / "data" / job.fingerprint
    with _DECODING:
        if folder.exists():
            return folder
        dataset = sent or _by_source(job.spec.data)
        if dataset is None or dataset.fingerprint != job.fingerprint:
            if sent is not None:
                raise RuntimeError(
                    f"data {job.spec.data.key}: arrived with another fingerprint than they were sent with"
                )
            return None
        with TemporaryDirectory(dir=scratch) as temporary:
            dataset.save(Path(temporary))
            folder.parent.mkdir(exist_ok=True)
            os.rename(temporary, folder)
    return folder


def _by_source(data: DataSpec) -> Dataset | None:
    try:
        return load_dataset(data)
    except UnusableError:
        return None


@contextmanager
def _watched(worker: Any, cell: Cell, told: _Told) -> Iterator[None]:
    """Within, every backend is killed as soon as the head, its scheduler or this worker gives the attempt up."""
    key, over = worker.get_current_task(), threading.Event()

    def watch() -> None:
        while not over.wait(WATCH_SECONDS):
            if not _is_wanted(worker, key):
                told.unwanted = True
                cell.kill()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _is_wanted(worker: Any, key: Any) -> bool:
    task = worker.state.tasks.get(key)
    return task is not None and task.state == "executing" and worker.status.name in ("running", "paused")


def _end_of(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LONGEST_LOG))
        return file.read()
