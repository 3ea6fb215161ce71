"""Ratios from other files: those of `scratchbench speed` and of the gate, and medians of pytest-benchmark."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bench.core.errors import UnusableError, refused
from bench.core.git import git
from bench.core.models import Positive, first_problem
from bench.history.points import UNRECORDED, Key, Point, finite, in_utc, machine_of

End = Annotated[float | None, AfterValidator(finite)]
Moment = Annotated[datetime, AfterValidator(in_utc)]
Model = TypeVar("Model")

FOLDER_TIME = re.compile(r"-(\d{8}-\d{6})$")
"""How `bench` names a folder that nobody named."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _SpeedCell(_Part):
    architecture: str
    batch_size: int
    activation: str | None = None
    fastest_peer: str | None
    time_ratio: Positive | None
    time_ratio_low: End = None
    time_ratio_high: End = None
    product_floor_ratio: Positive | None = None

    @property
    def name(self) -> str:
        """The cell, with the activation of hidden layers where it is not ReLU."""
        activation = f" {self.activation}" if self.activation else ""
        return f"{self.architecture}{activation} M={self.batch_size}"


class _Observed(_Part):
    started: Moment | None = None
    optimizer: str
    dtype: str
    threads: int
    environment: dict[str, Any]


class _Revision(_Part):
    revision: str | None = None
    dirty: bool = False


class _GateCell(_Part):
    cell: str
    ratio: Positive
    low: End = None
    high: End = None


class _Gate(_Part):
    schema_version: Literal[1]
    kind: Literal["gate"]
    started: Moment
    new: _Revision
    cells: tuple[_GateCell, ...]
    environment: dict[str, Any] = Field(default_factory=dict)
    threads: int | None = None


class _Commit(_Part):
    id: str | None = None
    dirty: bool = False


class _Stats(_Part):
    median: Positive


class _Benchmark(_Part):
    fullname: str
    stats: _Stats


class _Benchmarks(_Part):
    datetime: Moment
    machine_info: dict[str, Any]
    commit_info: _Commit
    benchmarks: tuple[_Benchmark, ...]


_SPEED: TypeAdapter[tuple[_SpeedCell, ...]] = TypeAdapter(tuple[_SpeedCell, ...])
_OBSERVED, _GATE, _BENCHMARKS = TypeAdapter(_Observed), TypeAdapter(_Gate), TypeAdapter(_Benchmarks)


def read_speed(path: Path) -> list[Point]:
    """Two points a cell of `scratchbench speed`: over the fastest peer, with its interval, and over the product floor.

    Raises UnusableError: names file and place. Where `observations.json` does not say when the run began, the folder's
    name does, or the date of the commit that was measured.
    """
    cells, beside = _parsed(path, _SPEED), path.with_name("observations.json")
    observed = _parsed(beside, _OBSERVED)
    started = observed.started or _of_folder(path) or _of_commit(path, observed.environment.get("git_revision"))
    return [point for cell in cells for point in _speed_points(cell, observed, started)]


def _speed_points(cell: _SpeedCell, observed: _Observed, started: datetime) -> Iterator[Point]:
    where, name = observed.environment, f"{cell.name} {observed.optimizer} {observed.dtype}"
    point = partial(Point, started=started, revision=where.get("git_revision"), dirty=bool(where.get("git_dirty")))
    machine, low, high = machine_of(where, observed.threads), cell.time_ratio_low, cell.time_ratio_high
    if cell.time_ratio is not None:
        key = Key("fastest_peer", "scratchnet / fastest peer", name, "", machine)
        yield point(key, value=cell.time_ratio, low=low, high=high, beside=cell.fastest_peer or "")
    if cell.product_floor_ratio is not None:
        yield point(
            Key("product_floor", "scratchnet / its products", name, "", machine), value=cell.product_floor_ratio
        )


def _of_folder(path: Path) -> datetime | None:
    found = FOLDER_TIME.search(path.parent.name)
    return in_utc(datetime.strptime(found[1], "%Y%m%d-%H%M%S").astimezone()) if found else None


def _of_commit(path: Path, revision: object) -> datetime:
    """When the revision was made that was measured: at the earliest then."""
    try:
        made = git("show", "-s", "--format=%cI", "--end-of-options", f"{revision}^{{commit}}").decode().strip()
    except UnusableError:
        raise UnusableError(
            f"{path}: nothing says when it began; allowed: `started` in observations.json, a folder named "
            "NAME-YYYYMMDD-HHMMSS, or a git revision in observations.json that git knows here"
        ) from None
    return in_utc(datetime.fromisoformat(made))


def read_gate(path: Path) -> list[Point]:
    """One point a cell that the gate decided about: the new revision over the one it was held against.

    Raises UnusableError: names file and place.
    """
    gate = _parsed(path, _GATE)
    machine = machine_of(gate.environment, gate.threads) if gate.environment else f"machine {UNRECORDED}"
    return [
        Point(
            key=Key("gate", "new / old revision", cell.cell, "", machine),
            started=gate.started,
            revision=gate.new.revision,
            dirty=gate.new.dirty,
            value=cell.ratio,
            low=cell.low,
            high=cell.high,
        )
        for cell in gate.cells
    ]


def read_benchmarks(path: Path) -> list[Point]:
    """One point a benchmark of pytest-benchmark: its median, s. Nothing of a JSON file of another kind.

    Raises UnusableError: names file and place.
    """
    found = _json(path)
    if not isinstance(found, dict) or not {"benchmarks", "machine_info"} <= found.keys():
        return []
    run = _checked(path, lambda: _BENCHMARKS.validate_python(found))
    machine, commit = _benchmark_machine(run.machine_info), run.commit_info
    revision = commit.id if commit.id not in ("unversioned", "unknown") else None
    return [
        Point(
            key=Key("benchmark", "median / first median", one.fullname, "", machine),
            started=run.datetime,
            revision=revision,
            dirty=commit.dirty,
            value=one.stats.median,
        )
        for one in run.benchmarks
    ]


def _benchmark_machine(info: Mapping[str, Any]) -> str:
    """What tells machines apart, and a digest of all the rest but a clock's momentary rate: seconds bear no less."""
    cpu = info["cpu"] if isinstance(info.get("cpu"), dict) else {}
    steady = {**info, "cpu": {name: value for name, value in cpu.items() if not name.startswith("hz")}}
    digest = hashlib.sha256(json.dumps(steady, sort_keys=True).encode()).hexdigest()[:8]
    shown = (info.get("node"), info.get("python_implementation"), info.get("python_version"))
    facts = ", ".join(str(fact) for fact in shown if fact)
    return f"{cpu.get('brand_raw') or UNRECORDED}, {cpu.get('count') or '?'} cores, {facts} ({digest})"


def _parsed(path: Path, adapter: "TypeAdapter[Model]") -> Model:
    found = _json(path)
    return _checked(path, lambda: adapter.validate_python(found))


def _json(path: Path) -> Any:
    try:
        with refused(path, "read"):
            return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UnusableError(f"{path}: no JSON, cut short perhaps ({error})") from None


def _checked(path: Path, check: Callable[[], Model]) -> Model:
    try:
        return check()
    except ValidationError as error:
        raise UnusableError(f"{path}: {first_problem(error)}") from None
