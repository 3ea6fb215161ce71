"""What happened, as append-only JSON lines: a record, once written, is never changed; all else is derived.

Fed by the runner; feeds tables, plots and report. Schema history: 1, first version; 2, a fingerprint for each
description of data, where 1 kept one for each source, that of the last spec with this source.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, get_args

from filelock import FileLock, Timeout
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from bench.epochs import EpochColumns, has_repetition, of_attempts
from bench.errors import UnusableError
from bench.frozen import LONGEST_VALUE, FiniteRecord, NotNegative, Positive, first_problem
from bench.spec import DataSpec, Suite, TrainingSpec
from bench.text import one_line

SCHEMA_VERSION: Literal[2] = 2
RECORDS_NAME = "records.jsonl"

Status = Literal["ok", "not_comparable", "diverged", "failed", "killed", "timeout", "skipped"]
Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""What a column of a table can hold."""

Figure = Annotated[float, Field(allow_inf_nan=True)]
"""Of what was learned: where it is no number, the tables have it as missing, and `compare` says so."""


class LogRecord(FiniteRecord):
    """One line of a file of records.

    ABOUT names the fields that say what a line is about. A second line about the same would count twice, so it is
    refused. Lines of a kind without such fields may repeat.
    """

    ABOUT: ClassVar[tuple[str, ...]] = ()
    kind: str


class RunRecord(LogRecord):
    """The first line: what was asked for, where it runs. Written again by each resume."""

    kind: Literal["run"] = "run"
    schema_version: Literal[1, 2] = SCHEMA_VERSION
    suite_name: str
    suite: Suite
    threads: int
    reference: str = "keras-fit"
    started: str = Field(description="UTC, ISO 8601")
    resumed: bool = False
    data_fingerprints: dict[str, str] = Field(description="`DataSpec.key` → SHA-256 of all its examples")
    environment: dict[str, Any]

    def fingerprint_of(self, data: DataSpec) -> str | None:
        """SHA-256 of the examples that `data` describes; None where nothing was recorded about them."""
        if self.schema_version > 1:
            return self.data_fingerprints.get(data.key)
        last = [spec.data for spec in self.suite.specs if spec.data.source == data.source][-1:]
        return self.data_fingerprints.get(data.source) if last == [data] else None


class CellRecord(LogRecord):
    """Start of one attempt at one (spec, seed): what every backend must start from."""

    ABOUT = ("spec", "seed", "attempt")
    kind: Literal["cell"] = "cell"
    spec: str
    seed: Whole
    attempt: Whole
    parameters_fingerprint: str


class WorkerRecord(LogRecord):
    """One worker process, ready to train."""

    ABOUT = ("spec", "seed", "attempt", "backend")
    kind: Literal["worker"] = "worker"
    spec: str
    seed: Whole
    attempt: Whole
    backend: str
    parameters_fingerprint: str = Field(description="SHA-256 of what was read back out of the model")
    startup_seconds: NotNegative
    libraries: list[dict[str, Any]] = Field(description="thread pools and BLAS kernels that it really uses")
    versions: dict[str, str]
    notes: dict[str, Any] = Field(default_factory=dict, description="what the backend chose, e.g. steps_per_execution")


class EpochRecord(LogRecord):
    """One epoch of one worker. Seconds are those of `train_epoch` alone."""

    ABOUT = ("spec", "seed", "attempt", "backend", "epoch")
    kind: Literal["epoch"] = "epoch"
    spec: str
    seed: Whole
    attempt: Whole
    backend: str
    epoch: int = Field(ge=1, lt=2**63)
    warm_up: bool
    turn: Whole = Field(description="place in the round's random order, from 0")
    epoch_seconds: Positive
    cpu_seconds: NotNegative
    samples_per_second: Positive
    train_cost: Figure | None = Field(
        description="mean over the epoch, each step before its update; null if not finite"
    )
    train_accuracy: Figure | None
    validation_accuracy: Figure | None
    test_accuracy: Figure | None
    test_binary_accuracy: Figure | None = Field(description="each of the n_L outputs counted alone, at threshold 0.5")
    stopped: bool = Field(default=False, description="early stopping ended the training after this epoch")
    batches_fingerprint: str = Field(description="SHA-256 of the batches that the backend consumed")
    expected_batches_fingerprint: str


class ResultRecord(LogRecord):
    """How one worker ended."""

    ABOUT = ("spec", "seed", "attempt", "backend")
    kind: Literal["result"] = "result"
    spec: str
    seed: Whole
    attempt: Whole
    backend: str
    status: Status
    reason: str = ""
    final_epoch: Whole | None = Field(
        default=None, description="whose parameters these figures are of: the last, or early stopping's best"
    )
    peak_memory_bytes: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    test_precision: Figure | None = Field(default=None, description="macro average")
    test_recall: Figure | None = Field(default=None, description="macro average")
    test_predictions: str | None = Field(default=None, description="predicted classes, bytes, zlib, base64")


class CellEndRecord(LogRecord):
    """End of an attempt: every backend has a result. Without it, the attempt was cut short and does not count."""

    ABOUT = ("spec", "seed")
    kind: Literal["cell_end"] = "cell_end"
    spec: str
    seed: Whole
    attempt: Whole


Record = Annotated[
    RunRecord | CellRecord | WorkerRecord | EpochRecord | ResultRecord | CellEndRecord, Field(discriminator="kind")
]
OtherRecord = RunRecord | CellRecord | WorkerRecord | ResultRecord | CellEndRecord
Kind = TypeVar("Kind", bound=LogRecord)
_ADAPTER: TypeAdapter[Record] = TypeAdapter(Record)


class Records:
    """The records of one run: those of finished attempts, in the order they were written.

    `epochs` is a table, not a list of objects: its columns are `bench.epochs.KEPT`, its rows follow the suite's order
    of specs and backends, then seed, attempt and epoch. `repeated` says whether an epoch stands in the run twice.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        others: list[OtherRecord] = []
        epochs = EpochColumns()
        for record in records:
            if isinstance(record, EpochRecord):
                epochs.add(vars(record))
            else:
                others.append(record)
        finished = {(r.spec, r.seed, r.attempt) for r in others if isinstance(r, CellEndRecord)}
        self.runs = [r for r in others if isinstance(r, RunRecord)]
        self.attempts = [r for r in others if isinstance(r, CellRecord)]
        whole = [r for r in others if not isinstance(r, RunRecord) and (r.spec, r.seed, r.attempt) in finished]
        self.workers = [r for r in whole if isinstance(r, WorkerRecord)]
        self.results = [r for r in whole if isinstance(r, ResultRecord)]
        self.finished_cells = {(spec, seed) for spec, seed, _ in finished}
        every = epochs.table([spec.name for spec in self.run.suite.specs], self.run.suite.backends)
        self.epochs = of_attempts(every, finished)
        self.repeated = has_repetition(every)

    @property
    def run(self) -> RunRecord:
        """The first run record: the suite as it was asked for."""
        return self.runs[0]

    def spec(self, name: str) -> TrainingSpec:
        """The spec of that name."""
        return next(spec for spec in self.run.suite.specs if spec.name == name)

    @property
    def complete(self) -> bool:
        """Whether every (spec, seed) of the suite has a finished attempt."""
        return {(spec.name, seed) for spec in self.run.suite.specs for seed in spec.seeds} <= self.finished_cells

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The records of a run folder. A last line cut short by a kill is left out.

        Raises
        ------
        UnusableError
            With file and line, where a record cannot be read.
        """
        found = cls(each_record_of(folder, _ADAPTER, RunRecord, unchecked=EpochRecord))
        if found.repeated:  # remembering the line of each epoch would double the memory
            list(each_record_of(folder, _ADAPTER, RunRecord))
        return found


def records_of(folder: Path, adapter: TypeAdapter[Kind], first: type[LogRecord]) -> list[Kind]:
    """The records of a folder, of which the first must be of that kind. A last line cut short by a kill is left out.

    Raises
    ------
    UnusableError
        With file and line, where a record cannot be read or repeats another.
    """
    return list(each_record_of(folder, adapter, first))


def each_record_of(
    folder: Path, adapter: TypeAdapter[Kind], first: type[LogRecord], unchecked: type | tuple[()] = ()
) -> Iterator[Kind]:
    """As `records_of`, one after another, so that the file is never in memory as a whole.

    unchecked : the kind of record whose lines may repeat, for whoever looks at these himself.
    """
    path = folder / RECORDS_NAME
    versions = get_args(first.model_fields["schema_version"].annotation)
    distinct, number = DistinctLines(path), 0
    for number, line in enumerate(_whole_lines(path), 1):
        try:
            record = adapter.validate_json(line)
        except ValidationError as error:
            raise _unreadable(line, error, f"{path}:{number}", versions) from None
        if number == 1:
            _check_first(record, path, first)
        if not isinstance(record, unchecked):
            distinct.check(number, record.kind, {name: _value(record, name) for name in record.ABOUT})
        yield record
    if number == 0:
        _check_first(None, path, first)


class DistinctLines:
    """The lines of a file so far, by what they are about: a second line about the same is refused."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[tuple[Any, ...], dict[Any, int]] = {}

    def check(self, number: int, kind: str, about: Mapping[str, Any]) -> None:
        """Line `number` is of that kind and about that, name → value; about nothing, it may repeat.

        Raises
        ------
        UnusableError
            Names both lines.
        """
        if not about:
            return
        *group, last = about.values()  # few groups hold many lines: a million epochs need no tuple each
        first = self._lines.setdefault((kind, *group), {}).setdefault(last, number)
        if first != number:
            told = ", ".join(f"{name} {_told(value)}" for name, value in about.items())
            place = f"{self._path}:{number}: repeats the {kind} record of line {first}"
            raise UnusableError(f"{place} ({one_line(told, LONGEST_VALUE)}); remove one of the two lines")


def _value(record: LogRecord, name: str) -> Any:
    """Of a field, or of a field's field: `pair.number`."""
    return attrgetter(name)(record)


def _told(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)


def _whole_lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from (line[:-1] for line in file if line.endswith(b"\n"))
    except OSError as error:
        raise UnusableError(f"{path}: no records of a run ({error.strerror or error})") from None


def _check_first(record: object, path: Path, first: type[BaseModel]) -> None:
    if not isinstance(record, first):
        kind = first.model_fields["kind"].default
        raise UnusableError(f"{path}:1: does not start with the record of a {kind}")


def _unreadable(line: bytes, error: ValidationError, place: str, versions: tuple[int, ...]) -> UnusableError:
    version = _schema_version(line)
    if version not in (None, *versions):
        return UnusableError(f"{place}: schema version {version}; this version reads {', '.join(map(str, versions))}")
    return UnusableError(f"{place}: {first_problem(error, 'record', skip=1)}")


def _schema_version(line: bytes) -> Any:
    try:
        return json.loads(line).get("schema_version")
    except (ValueError, AttributeError, RecursionError):
        return None


class RecordLog:
    """The one writer of a run folder's records; each record is on disk before the next thing happens."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / RECORDS_NAME
        self._lock = FileLock(folder / ".lock", timeout=0)

    def __enter__(self) -> Self:
        try:
            self._lock.acquire()
            self._file = self.path.open("ab", buffering=0)
            self._file.truncate(self.path.read_bytes().rfind(b"\n") + 1)  # a line cut short by a kill is no record
        except Timeout:
            folder = self.path.parent
            raise UnusableError(f"{folder}: another run is writing here; wait for it or choose --out") from None
        except OSError as error:
            self._lock.release()
            raise UnusableError(f"{self.path}: cannot be written ({error.strerror or error})") from None
        return self

    def __exit__(self, *_: object) -> None:
        nothing_happened = os.fstat(self._file.fileno()).st_size == 0 and self._in_place()
        self._file.close()
        self._lock.release()
        if nothing_happened:  # the data could not be used, say: then there is no run, and no folder of one
            with suppress(OSError):
                self.path.unlink()
                Path(self._lock.lock_file).unlink(missing_ok=True)
                self.path.parent.rmdir()

    def write(self, record: BaseModel) -> None:
        """Append one record.

        Raises
        ------
        UnusableError
            When the disk is full or the folder is gone; what was written before stays whole.
        """
        if not self._in_place():
            lost = "was removed or replaced during the run; its records are lost"
            raise UnusableError(f"{self.path}: {lost}; start again, and leave the folder alone until the run ends")
        rest = memoryview(record.model_dump_json().encode() + b"\n")
        end = os.fstat(self._file.fileno()).st_size
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(end)
            reason = error.strerror or error
            raise UnusableError(f"{self.path}: cannot be written ({reason}); what was finished is kept") from None

    def _in_place(self) -> bool:
        """Whether the path still leads to the file that is written."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self._file.fileno()))
        except OSError:
            return False
