"""One ratio of one run, and the lines that the ratios of many runs make: same quantity, same work, same machine."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

UNRECORDED = "not recorded"
SHORT = 7
"""Digits of a revision that are shown."""


@dataclass(frozen=True, order=True)
class Key:
    """What points must share to be joined by a line.

    metric : a name in `bench.history.sources.METRICS`; quantity : what is divided by what; cell : the network and how
    it is trained; work : what tells apart two kinds of work of the same name, or nothing; machine : where it ran.
    """

    metric: str
    quantity: str
    cell: str
    work: str
    machine: str


@dataclass(frozen=True)
class Point:
    """One ratio with the ends of its 95 % interval, None where one process gave it; no unit.

    A benchmark's value is its median in s; its line shows it relative to the first one.
    started : UTC; beside : the peer, where the quantity does not name one; source : the file it was read from.
    """

    key: Key
    started: datetime
    revision: str | None
    dirty: bool
    value: float
    low: float | None = None
    high: float | None = None
    beside: str = ""
    source: str = field(default="", compare=False)

    @property
    def label(self) -> str:
        """The revision, short, with `+` where files had been changed."""
        if self.revision is None:
            return "no revision"
        return self.revision[:SHORT] + ("+" if self.dirty else "")

    @property
    def when(self) -> str:
        """Day and minute, UTC."""
        return f"{self.started:%Y-%m-%d %H:%M}"


@dataclass(frozen=True)
class Line:
    """The points of one key in the order of their time; `unit` is what each value is divided by."""

    key: Key
    points: tuple[Point, ...]
    unit: float = 1.0

    @property
    def name(self) -> str:
        """Cell and quantity."""
        return f"{self.key.cell}, {self.key.quantity}"

    @property
    def ratios(self) -> list[float]:
        """One a point, no unit."""
        return [point.value / self.unit for point in self.points]

    def interval(self, point: Point) -> tuple[float | None, float | None]:
        """The ends of a point's interval, as its ratio is shown."""
        return self._ratio(point.low), self._ratio(point.high)

    def _ratio(self, end: float | None) -> float | None:
        return None if end is None else end / self.unit


def lines_of(points: Iterable[Point], relative: Sequence[str] = ()) -> list[Line]:
    """One line a key, in the order of the keys. A run that is found twice counts once.

    relative : the metrics whose lines are shown relative to their first point.
    """
    groups: dict[Key, list[Point]] = {}
    for point in dict.fromkeys(points):
        groups.setdefault(point.key, []).append(point)
    return [_line(key, groups[key], key.metric in relative) for key in sorted(groups)]


def _line(key: Key, points: list[Point], relative: bool) -> Line:
    ordered = sorted(points, key=lambda point: (point.started, point.source))
    return Line(key, tuple(ordered), ordered[0].value if relative else 1.0)


def machine_of(environment: Mapping[str, Any], threads: object = None) -> str:
    """Processor, cores and threads of an environment record, in one line, and the BLAS that older ones name."""
    cores = environment.get("usable_cores") or environment.get("logical_cores") or "?"
    blas = f"BLAS {environment['blas']}, " if environment.get("blas") else ""
    return (
        f"{environment.get('cpu_model') or f'processor {UNRECORDED}'}, {cores} cores, "
        f"{blas}{threads or '?'} thread{'' if threads == 1 else 's'}"
    )


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC; one without a zone is taken for UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def finite(value: float | None) -> float | None:
    """The end of an interval where it bounds anything: positive and finite."""
    return value if value is not None and math.isfinite(value) and value > 0 else None
