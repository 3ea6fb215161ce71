"""Data for the scripts of a page, as JSON: curves with their style, confusion matrices, examples with their pictures.

If a run has very many epochs, only a selection of them is drawn, so that a phone can open the page.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.page.measures import MEASURES

DIGITS = 6
MOST_NUMBERS = 400_000
"""Of all curves of a page: 3 MB."""

Curve = Sequence[float | None]
Series = Mapping[str, Sequence[Curve]]
"""Measure → the curve of each seed, value by epoch from the first on; None where it is not finite."""


@dataclass(frozen=True)
class Look:
    """How a series is drawn: its name, the CSS variable of its colour, width and dashes in pixels."""

    name: str
    color: str
    width: float
    dash: tuple[float, ...] = ()


A = Look("A", "--a", 4)
B = Look("B", "--b", 2, (8, 5))  # thinner and dashed, and drawn last: where the two coincide, both are seen


@dataclass(frozen=True)
class Line:
    """A series of a chart, its curves by seed, and whether each seed is drawn beside the mean."""

    look: Look
    series: Series
    seeds: bool = True


class Drawing:
    """Collects what a page draws. A series or picture that several rows show is held once."""

    def __init__(self, series: Iterable[Series]) -> None:
        """`series`: all that will be drawn, to know how many values there are."""
        self._step = max(1, math.ceil(sum(sum(_lengths(each)) for each in series) / MOST_NUMBERS))
        self._series: dict[tuple[int, int], int] = {}
        self._held: list[dict[str, list[list[float | None]]]] = []
        self._kept: list[Series] = []
        self._pictures: dict[str, int] = {}
        self.rows: list[dict[str, Any]] = []

    def chart(self, lines: Sequence[Line], **more: Any) -> dict[str, Any]:
        """Lines over each other; `more` may hold `parts_at` (an epoch), `unit` (of the x axis) and `labels` (of x)."""
        last = max((length for line in lines for length in _lengths(line.series)), default=0)
        places = sorted({*range(1, last + 1, self._step), last}) if last else []
        drawn = [{**asdict(line.look), "seeds": line.seeds, "series": self._index(line, places)} for line in lines]
        return {"unit": "epoch", "places": places, "lines": drawn, **more}

    def row(self, **parts: Any) -> int:
        """What a row draws when it is opened; its number."""
        self.rows.append(parts)
        return len(self.rows) - 1

    def example(self, found: Mapping[str, Any], pictures: Mapping[str, str]) -> dict[str, Any]:
        """A test example that `a` or `b` answered wrong; `pictures` has its picture by its index."""
        uri = pictures.get(str(found["index"]))
        return {
            **{name: found[name] for name in ("index", "label", "seed")},
            "answers": [found["a"], found["b"]],
            "picture": None if uri is None else self._pictures.setdefault(uri, len(self._pictures)),
        }

    @property
    def data(self) -> dict[str, Any]:
        """All of it."""
        measures = {name: asdict(measure) for name, measure in MEASURES.items()}
        return {"measures": measures, "series": self._held, "pictures": list(self._pictures), "rows": self.rows}

    def _index(self, line: Line, places: Sequence[int]) -> int:
        key = id(line.series), places[-1] if places else 0
        if key not in self._series:
            self._series[key] = len(self._held)
            self._kept.append(line.series)  # an id is that of one object only while the object is there
            curves = {name: [_selected(curve, places) for curve in each] for name, each in line.series.items()}
            self._held.append(curves)
        return self._series[key]


def _lengths(series: Series) -> Iterable[int]:
    return (len(curve) for curves in series.values() for curve in curves)


def _selected(curve: Curve, places: Iterable[int]) -> list[float | None]:
    return [_rounded(curve[place - 1]) for place in places if place <= len(curve)]


def _rounded(value: float | None) -> float | None:
    """Fewer digits than a screen could show."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.{DIGITS}g}")
