"""The records of a run, one model for each kind of line, and all of them read together.

Schema history: 1, first version; 2, a fingerprint for each description of data, where 1 kept one for each source,
that of the last spec with this source; 3, R² and errors of a regression, F1 and ROC AUC; precision and recall of two
classes are those of the second class, where 1 and 2 kept the macro average; on which machine of a cluster a cell ran,
and attempts that were lost.
"""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, TypeAdapter

from bench.core.models import FiniteRecord, NotNegative, Positive
from bench.records.epochs import KEPT, Attempt, EpochColumns, has_repetition, of_attempts
from bench.records.log import LogRecord, Whole, each_record_of
from bench.records.machines import Machine
from bench.records.scores import Kinds
from bench.spec import DataSpec, Suite, TrainingSpec

SCHEMA_VERSION: Literal[3] = 3

Status = Literal["ok", "not_comparable", "diverged", "failed", "killed", "timeout", "skipped"]
WELL: tuple[Status, ...] = ("ok", "skipped")
"""What does not make a run fail."""

Figure = Annotated[float, Field(allow_inf_nan=True)]
"""Of what was learned: where it is no number, the tables have it as missing, and `compare` says so."""


class RunRecord(LogRecord):
    """The first line: what was asked for, where it runs. Written again by each resume."""

    kind: Literal["run"] = "run"
    schema_version: Literal[1, 2, 3] = SCHEMA_VERSION
    suite_name: str
    suite: Suite
    threads: int
    reference: str = "keras-fit"
    started: str = Field(description="UTC, ISO 8601")
    resumed: bool = False
    data_fingerprints: dict[str, str] = Field(description="`DataSpec.key` → SHA-256 of all its examples")
    environment: dict[str, Any]

    def has(self, spec: str) -> bool:
        """Whether the suite has a spec of that name."""
        return any(each.name == spec for each in self.suite.specs)

    def spec(self, name: str) -> TrainingSpec:
        """The spec of that name."""
        return next(spec for spec in self.suite.specs if spec.name == name)

    def fingerprint_of(self, data: DataSpec) -> str | None:
        """SHA-256 of the examples that `data` describes; None where nothing was recorded about them."""
        if self.schema_version > 1:
            return self.data_fingerprints.get(data.key)
        last = [spec.data for spec in self.suite.specs if spec.data.source == data.source][-1:]
        return self.data_fingerprints.get(data.source) if last == [data] else None


class _OfAttempt(LogRecord):
    ABOUT: ClassVar[tuple[str, ...]] = ("spec", "seed", "attempt")
    spec: str
    seed: Whole
    attempt: Whole


class _OfBackend(_OfAttempt):
    ABOUT: ClassVar[tuple[str, ...]] = ("spec", "seed", "attempt", "backend")
    backend: str


class MachineRecord(LogRecord):
    """A machine of a cluster, for all cells that ran there; it may be written again."""

    kind: Literal["machine"] = "machine"
    digest: str = Field(description="`Machine.digest`, by which cells name it")
    host: str
    threads: Whole
    environment: dict[str, Any]

    @property
    def machine(self) -> Machine:
        """The same without what makes it a record."""
        return Machine(self.host, self.threads, self.environment)


class Place(FiniteRecord):
    """Where a cell ran."""

    machine: str = Field(description="digest of its record")
    alone: bool = Field(default=True, description="no other cell ran beside it; otherwise its times do not count")
    load_average: tuple[float, ...] = Field(default=(), description="of the machine, before the cell began")


class CellRecord(_OfAttempt):
    """Start of one attempt at one (spec, seed): what every backend must start from."""

    kind: Literal["cell"] = "cell"
    parameters_fingerprint: str
    place: Place | None = Field(default=None, description="null where it ran on the machine of the run record before")


class LostRecord(_OfAttempt):
    """An attempt that ended with its node: nothing of it counts."""

    kind: Literal["lost"] = "lost"
    host: str
    reason: str


class WorkerRecord(_OfBackend):
    """One worker process, ready to train."""

    kind: Literal["worker"] = "worker"
    parameters_fingerprint: str = Field(description="SHA-256 of what was read back out of the model")
    startup_seconds: NotNegative
    libraries: list[dict[str, Any]] = Field(description="thread pools and BLAS kernels that it really uses")
    versions: dict[str, str]
    notes: dict[str, Any] = Field(default_factory=dict, description="what the backend chose, e.g. steps_per_execution")


class EpochRecord(_OfBackend):
    """One epoch of one worker. Seconds are those of `train_epoch` alone."""

    ABOUT = ("spec", "seed", "attempt", "backend", "epoch")
    kind: Literal["epoch"] = "epoch"
    epoch: int = Field(ge=1, lt=2**63)
    warm_up: bool
    turn: Whole = Field(description="place in the round's random order, from 0")
    epoch_seconds: Positive
    cpu_seconds: NotNegative
    samples_per_second: Positive
    train_cost: Figure | None = Field(
        description="mean over the epoch, each step before its update; null if not finite"
    )
    train_accuracy: Figure | None = Field(default=None, description="null in a regression, as the next three")
    validation_accuracy: Figure | None = None
    test_accuracy: Figure | None = Field(
        default=None, description="share of right examples; with several labels, all of them must be right"
    )
    test_binary_accuracy: Figure | None = Field(
        default=None, description="each of the n_L outputs counted alone, at threshold 0.5"
    )
    train_r2_score: Figure | None = Field(default=None, description="of a regression, as the next four")
    validation_r2_score: Figure | None = None
    test_r2_score: Figure | None = Field(default=None, description="mean over the targets; 1 is perfect")
    test_mean_absolute_error: Figure | None = Field(default=None, description="in the units of the targets")
    test_root_mean_squared_error: Figure | None = Field(default=None, description="in the units of the targets")
    stopped: bool = Field(default=False, description="early stopping ended the training after this epoch")
    batches_fingerprint: str = Field(description="SHA-256 of the batches that the backend consumed")
    expected_batches_fingerprint: str


class ResultRecord(_OfBackend):
    """How one worker ended."""

    kind: Literal["result"] = "result"
    status: Status
    reason: str = ""
    final_epoch: Whole | None = Field(
        default=None, description="whose parameters these figures are of: the last, or early stopping's best"
    )
    peak_memory_bytes: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    test_precision: Figure | None = Field(
        default=None, description="of the second of two classes; macro average of more classes or of several labels"
    )
    test_recall: Figure | None = Field(default=None, description="as test_precision")
    test_f1_score: Figure | None = Field(
        default=None, description="of the second of two classes; macro average of several labels"
    )
    test_roc_auc: Figure | None = Field(
        default=None, description="as test_f1_score; null where a class or a label is missing in the test examples"
    )
    test_predictions: str | None = Field(default=None, description="predicted classes or labels, bytes, zlib, base64")


def log_name(suite: Suite, spec: str, seed: int, backend: str) -> str:
    """Name of the file, in the run folder, that a worker's output goes to; it stays where the worker is lost."""
    place = [each.name for each in suite.specs].index(spec)
    return f"{place}-seed{seed}-{backend}.log"


class CellEndRecord(_OfAttempt):
    """End of an attempt: every backend has a result. Without it, the attempt was cut short and does not count."""

    ABOUT = ("spec", "seed")
    kind: Literal["cell_end"] = "cell_end"


Record = Annotated[
    RunRecord | MachineRecord | CellRecord | LostRecord | WorkerRecord | EpochRecord | ResultRecord | CellEndRecord,
    Field(discriminator="kind"),
]
OtherRecord = RunRecord | MachineRecord | CellRecord | LostRecord | WorkerRecord | ResultRecord | CellEndRecord
_ADAPTER: TypeAdapter[Record] = TypeAdapter(Record)


def each_record(folder: Path) -> Iterator[Record]:
    """The records of a run folder as they were written, half attempts too; epochs are not checked for repetition.

    Raises UnusableError: with file and line, where a record cannot be read.
    """
    return each_record_of(folder, _ADAPTER, RunRecord, unchecked=EpochRecord)


def machine_record(machine: Machine) -> MachineRecord:
    """What is written of a machine."""
    environment = dict(machine.environment)
    return MachineRecord(digest=machine.digest, host=machine.host, threads=machine.threads, environment=environment)


class Records:
    """The records of one run: those of finished attempts, in the order they were written.

    `epochs` is a table, not a list of objects: its columns are those of `bench.records.epochs.KEPT` that such a run
    has, its rows follow the suite's order of specs and backends, then seed, attempt and epoch. `repeated` says whether
    an epoch stands twice. `machines` maps each finished (spec, seed) to where it ran; `crowded` are those whose times
    do not count.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        records = iter(records)
        run = next(record for record in records if isinstance(record, RunRecord))
        others: list[OtherRecord] = [run]
        epochs = EpochColumns(_kinds(run).columns(KEPT))
        for record in records:
            if isinstance(record, EpochRecord):
                epochs.add(vars(record))
            else:
                others.append(record)
        finished = {(r.spec, r.seed, r.attempt) for r in others if isinstance(r, CellEndRecord)}
        self.runs = [r for r in others if isinstance(r, RunRecord)]
        self.attempts = [r for r in others if isinstance(r, CellRecord | LostRecord)]
        self.lost = [r for r in others if isinstance(r, LostRecord)]
        whole = [r for r in others if isinstance(r, _OfAttempt) and (r.spec, r.seed, r.attempt) in finished]
        self.workers = [r for r in whole if isinstance(r, WorkerRecord)]
        self.results = [r for r in whole if isinstance(r, ResultRecord)]
        self.finished_cells = {(spec, seed) for spec, seed, _ in finished}
        self.machines = _machines(others, finished)
        places = {(r.spec, r.seed): r.place for r in whole if isinstance(r, CellRecord)}
        self.crowded = {cell for cell, place in places.items() if place is not None and not place.alone}
        every = epochs.table([spec.name for spec in self.run.suite.specs], self.run.suite.backends)
        self.epochs = of_attempts(every, finished)
        self.repeated = has_repetition(every)

    @property
    def kinds(self) -> Kinds:
        """What is recorded of how well the networks predict."""
        return _kinds(self.run, self.results)

    @property
    def run(self) -> RunRecord:
        """The first run record: the suite as it was asked for."""
        return self.runs[0]

    def spec(self, name: str) -> TrainingSpec:
        """The spec of that name."""
        return self.run.spec(name)

    @property
    def complete(self) -> bool:
        """Whether every (spec, seed) of the suite has a finished attempt."""
        return {(spec.name, seed) for spec in self.run.suite.specs for seed in spec.seeds} <= self.finished_cells

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The records of a run folder. A last line cut short by a kill is left out.

        Raises UnusableError: with file and line, where a record cannot be read.
        """
        found = cls(each_record(folder))
        if found.repeated:  # remembering the line of each epoch would double the memory
            list(each_record_of(folder, _ADAPTER, RunRecord))
        return found


def _kinds(run: RunRecord, results: Iterable[ResultRecord] = ()) -> Kinds:
    tasks = {spec.data.task for spec in run.suite.specs}
    return Kinds(
        accuracies=tasks != {"regression"},
        errors="regression" in tasks,
        positives=any(result.test_f1_score is not None for result in results),
    )


def _machines(records: Iterable[OtherRecord], finished: Collection[Attempt]) -> dict[tuple[str, int], Machine]:
    """(spec, seed) → where its finished attempt ran: as its cell says, else as the run record before it."""
    here, known = Machine("", 0, {}), dict[str, Machine]()
    found = {}
    for record in records:
        if isinstance(record, RunRecord):
            here = Machine("", record.threads, record.environment)
        elif isinstance(record, MachineRecord):
            known[record.digest] = record.machine
        elif isinstance(record, CellRecord) and (record.spec, record.seed, record.attempt) in finished:
            found[record.spec, record.seed] = here if record.place is None else known.get(record.place.machine, here)
    return found
