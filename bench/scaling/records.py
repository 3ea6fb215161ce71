"""What was measured, as append-only JSON lines: the run, best rates, points, memory-mapped trainings, accuracies."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, TypeAdapter

from bench.backends.floors import RateProduct
from bench.core.models import Positive, Proportion
from bench.records.log import LogRecord, records_of
from bench.records.run import Status

Whole = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(max_length=400)]
AxisName = Literal["width", "depth", "batch", "examples", "threads", "dtype"]


class ScalingRunRecord(LogRecord):
    """The first line: what was asked for, where it runs."""

    ABOUT = ("kind",)
    kind: Literal["scaling"] = "scaling"
    schema_version: Literal[1] = 1
    quick: bool
    parts: tuple[Name, ...] = Field(description="axes, memmap, accuracy")
    backends: tuple[Name, ...]
    cores: Whole
    started: str = Field(description="UTC, ISO 8601")
    environment: dict[str, Any]


class RateRecord(LogRecord):
    """What the faster of BLAS and the engine's own product does at best; once an axis and session: it may repeat."""

    kind: Literal["rate"] = "rate"
    threads: Whole
    dtype: Literal["float32", "float64"]
    operations_per_second: Positive
    product: RateProduct = "blas"


class PointRecord(LogRecord):
    """One backend at one point. Seconds are those of whole epochs over `examples`."""

    ABOUT = ("axis", "value", "backend")
    kind: Literal["point"] = "point"
    axis: AxisName
    value: Whole
    backend: Name
    work: Name = Field(description="what is measured, whatever the axis")
    threads: Whole
    dtype: Literal["float32", "float64"]
    examples: Whole
    operations: Whole = Field(description="floating-point operations of the matrix products of an epoch")
    number_bytes: Whole = Field(description="examples, targets and parameters")
    status: Status
    reason: str = ""
    together: bool = Field(default=True, description="took turns with the others; else all its epochs in a row")
    warm_up_seconds: Positive | None = None
    epoch_seconds: tuple[Positive, ...] = ()
    peak_memory_bytes: Whole | None = None


class MemmapRecord(LogRecord):
    """scratchnet trained from a file, read into memory or mapped."""

    ABOUT = ("way",)
    kind: Literal["memmap"] = "memmap"
    way: Literal["in memory", "memory-mapped"]
    examples: Whole
    file_bytes: Whole
    status: Status = "ok"
    reason: str = ""
    ready_seconds: Positive | None = Field(default=None, description="until the first epoch begins")
    first_epoch_seconds: Positive | None = Field(default=None, description="the file is in no cache then, if mapped")
    epoch_seconds: tuple[Positive, ...] = ()
    own_memory_bytes: Whole | None = Field(default=None, description="that no file stands behind, after an epoch")
    peak_memory_bytes: Whole | None = Field(default=None, description="with the pages of the mapped file")


class AccuracyRecord(LogRecord):
    """One backend trained on one network from one seed, epoch by epoch."""

    ABOUT = ("network", "seed", "backend")
    kind: Literal["accuracy"] = "accuracy"
    network: Name
    seed: Annotated[int, Field(ge=0)]
    backend: Name
    status: Status
    reason: str = ""
    startup_seconds: Positive | None = None
    epoch_seconds: tuple[Positive, ...] = ()
    test_accuracies: tuple[Proportion, ...] = ()


Record = Annotated[
    ScalingRunRecord | RateRecord | PointRecord | MemmapRecord | AccuracyRecord, Field(discriminator="kind")
]
Kind = TypeVar("Kind", RateRecord, PointRecord, MemmapRecord, AccuracyRecord)
_ADAPTER: TypeAdapter[Record] = TypeAdapter(Record)


class ScalingRecords:
    """The records of one run, in the order in which they were written."""

    def __init__(self, records: Iterable[Record]) -> None:
        every = list(records)
        self.run = next(record for record in every if isinstance(record, ScalingRunRecord))
        self.rates = _of_kind(every, RateRecord)
        self.points = _of_kind(every, PointRecord)
        self.memmaps = _of_kind(every, MemmapRecord)
        self.accuracies = _of_kind(every, AccuracyRecord)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The records of a folder. A last line cut short by a kill is left out.

        Raises UnusableError: with file and line, where a record cannot be read.
        """
        return cls(records_of(folder, _ADAPTER, ScalingRunRecord))


def _of_kind(records: Iterable[Record], kind: type[Kind]) -> list[Kind]:
    return [record for record in records if isinstance(record, kind)]
