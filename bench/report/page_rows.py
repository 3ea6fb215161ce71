"""The rows of a run's page: one a (spec, backend), beside the run's reference, and its processes by seed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.core.statistics import Interval, mean_interval
from bench.core.text import is_missing
from bench.page.filters import Mark
from bench.page.measures import ACCURACY
from bench.report.tables import Tables

Values = Mapping[str, Any]

STATUS_MARKS = {"ok": Mark("same", "✓", "ok"), "skipped": Mark("none", "", "skipped")}
SPEED_MARKS = {
    "faster": Mark("better", "▲", "faster"),
    "slower": Mark("worse", "▼", "slower"),
    "undecided": Mark("undecided", "?", "undecided"),
    "reference": Mark("none", "", "reference"),
    "": Mark("none", "", ""),
}


@dataclass(frozen=True)
class SeedRow:
    """One process: its figures, beside those of the reference with the same seed; None where there are none."""

    seed: int
    status: str
    accuracy: float | None
    difference: float | None
    cost: float | None
    epoch_seconds: float | None
    time_ratio: float | None


@dataclass(frozen=True)
class RunRow:
    """One (spec, backend). Intervals are dictionaries, as templates read them; None where there are none."""

    spec: str
    backend: str
    is_reference: bool
    status: str
    seeds_ok: int
    seeds: int
    accuracy: Values | None
    reference_accuracy: Values | None
    difference: float | None
    ratio: Values | None
    figures: Values
    processes: Sequence[SeedRow] = field(repr=False)

    @property
    def status_mark(self) -> Mark:
        """How its status looks; anything but ok and skipped is a loss."""
        return STATUS_MARKS.get(self.status) or Mark("worse", "✗", self.status.replace("_", " "))

    @property
    def state(self) -> str:
        """What the page's filter finds it by."""
        return "ok" if self.status == "ok" else "lost"

    @property
    def speed(self) -> str:
        """Whether it is shown to train faster or slower than the reference: its 95 % interval excludes 1."""
        if self.is_reference:
            return "reference"
        if self.ratio is None:
            return ""
        low, high = self.ratio["low"], self.ratio["high"]
        if low is None or low <= 1 <= high:
            return "undecided"
        return "faster" if high < 1 else "slower"

    @property
    def speed_mark(self) -> Mark:
        """How `speed` looks."""
        return SPEED_MARKS[self.speed]


def run_rows(tables: Tables) -> list[RunRow]:
    """A row for every row of the aggregate, in its order."""
    seeds: dict[tuple[str, str], dict[int, Values]] = {}
    for row in tables.summary.to_dict("records"):
        seeds.setdefault((row["spec"], row["backend"]), {})[int(row["seed"])] = {str(k): v for k, v in row.items()}
    return [
        _row({str(name): value for name, value in row.items()}, seeds, tables.reference)
        for row in tables.aggregate.to_dict("records")
    ]


def _row(row: Values, seeds: Mapping[tuple[str, str], Mapping[int, Values]], reference: str) -> RunRow:
    own, others = seeds[row["spec"], row["backend"]], seeds.get((row["spec"], reference), {})
    is_reference = row["backend"] == reference
    processes = list(_processes(own, {} if is_reference else others))
    return RunRow(
        spec=row["spec"],
        backend=row["backend"],
        is_reference=is_reference,
        status=row["status"],
        seeds_ok=row["seeds_ok"],
        seeds=row["seeds"],
        accuracy=_mean(own),
        reference_accuracy=None if is_reference else _mean(others),
        difference=_mean_of([p.difference for p in processes]),
        ratio=None if is_reference else _ratio(row),
        figures={name: _number(row[name]) for name in FIGURES},
        processes=processes,
    )


FIGURES = ("train_cost", "epoch_seconds", "samples_per_second", "peak_memory_bytes", "test_binary_accuracy")


def _processes(own: Mapping[int, Values], others: Mapping[int, Values]) -> Iterator[SeedRow]:
    for seed, row in own.items():
        accuracy, beside = _accuracy(row), _accuracy(others.get(seed, {}))
        yield SeedRow(
            seed=seed,
            status=row["status"],
            accuracy=_number(row[ACCURACY]),
            difference=None if accuracy is None or beside is None else accuracy - beside,
            cost=_number(row["train_cost"]),
            epoch_seconds=_number(row["epoch_seconds"]),
            time_ratio=_number(row["time_ratio"]),
        )


def _accuracy(row: Values) -> float | None:
    """Of a process that ended well."""
    return _number(row[ACCURACY]) if row.get("status") == "ok" else None


def _mean(rows: Mapping[int, Values]) -> Values | None:
    known = [value for row in rows.values() if (value := _accuracy(row)) is not None]
    interval = mean_interval(known)
    return None if interval is None else asdict(interval)


def _mean_of(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _ratio(row: Values) -> Values | None:
    if is_missing(row["time_ratio"]):
        return None
    low, high = (_number(row[name]) for name in ("time_ratio_low", "time_ratio_high"))
    return asdict(Interval(row["time_ratio"], low, high, row["time_ratio_seeds"]))


def _number(value: Any) -> float | None:
    return None if is_missing(value) else float(value)
