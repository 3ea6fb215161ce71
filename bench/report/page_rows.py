"""The rows of a run's page: one per (spec, backend), compared with the run's reference, and its processes by seed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.core.statistics import Interval
from bench.page.filters import Mark
from bench.report.scores import Score
from bench.report.tables import Tables, plain_rows

Values = Mapping[str, Any]
FIGURES = ("train_cost", "epoch_seconds", "peak_memory_bytes")

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
    value: float | None
    difference: float | None
    epoch_seconds: float | None
    time_ratio: float | None


@dataclass(frozen=True)
class RunRow:
    """One (spec, backend), with the values of what it is judged by. Intervals are dictionaries, as templates read them;
    None where there are none."""

    spec: str
    backend: str
    is_reference: bool
    status: str
    seeds_ok: int
    seeds: int
    train_cost: float | None
    epoch_seconds: float | None
    peak_memory_bytes: int | None
    score: Score
    value: Values | None
    reference_value: Values | None
    difference: float | None
    ratio: Values | None
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
    processes: dict[tuple[str, str], dict[int, Values]] = {}
    for row in plain_rows(tables.summary):
        processes.setdefault((row["spec"], row["backend"]), {})[row["seed"]] = row
    rows = plain_rows(tables.aggregate)
    of_reference = {row["spec"]: row for row in rows if row["backend"] == tables.reference}
    return [_row(row, of_reference.get(row["spec"]), processes, tables.score_of(row["spec"])) for row in rows]


def _row(
    row: Values, reference: Values | None, processes: Mapping[tuple[str, str], Mapping[int, Values]], score: Score
) -> RunRow:
    is_reference = row is reference
    beside = None if is_reference else reference
    others = {} if beside is None else processes[beside["spec"], beside["backend"]]
    seeds = list(_seeds(processes[row["spec"], row["backend"]], others, score.column))
    differences = [each.difference for each in seeds if each.difference is not None]
    return RunRow(
        **{name: row[name] for name in ("spec", "backend", "status", "seeds_ok", "seeds", *FIGURES)},
        is_reference=is_reference,
        score=score,
        value=_interval(row, score.column),
        reference_value=beside and _interval(beside, score.column),
        difference=sum(differences) / len(differences) if differences else None,
        ratio=None if is_reference else _ratio(row),
        processes=seeds,
    )


def _seeds(own: Mapping[int, Values], others: Mapping[int, Values], score: str) -> Iterator[SeedRow]:
    for seed, row in own.items():
        value, beside = (each[score] if each.get("status") == "ok" else None for each in (row, others.get(seed, {})))
        yield SeedRow(
            seed=seed,
            status=row["status"],
            value=row[score],
            difference=None if value is None or beside is None else value - beside,
            epoch_seconds=row["epoch_seconds"],
            time_ratio=row["time_ratio"],
        )


def _interval(row: Values, score: str) -> Values | None:
    centre, half = row[score], row[f"{score}_half_width"]
    if centre is None:
        return None
    low, high = (None, None) if half is None else (centre - half, centre + half)
    return asdict(Interval(centre, low, high, row["seeds_ok"]))


def _ratio(row: Values) -> Values | None:
    if row["time_ratio"] is None:
        return None
    return asdict(Interval(*(row[f"time_ratio{end}"] for end in ("", "_low", "_high", "_seeds"))))
