"""index.html of a site: every run, and every time ratio from run to run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.history.points import Line as RatioLine
from bench.history.points import Point, lines_of
from bench.page.drawn import Drawing, Line, Look
from bench.page.filters import Mark
from bench.page.render import Pages
from bench.report.page import COLORS
from bench.site.runs import SiteRun

NEWEST = 20
"""Runs of a ratio that its row links to; the table of runs links to all."""

CENTRE = Look("ratio", "--a", 3)
LOW, HIGH = Look("95 %, from", "--b", 1, (4, 4)), Look("to", "--b", 1, (4, 4))

STATES = {
    "ok": Mark("same", "✓", "ok"),
    "lost": Mark("worse", "✗", "something was lost"),
    "incomplete": Mark("undecided", "?", "incomplete"),
}

PAGES = Pages("bench.site", {})


@dataclass(frozen=True)
class RatioRow:
    """A time ratio over the runs that can be compared: same work on the same machine."""

    line: RatioLine

    @property
    def newest(self) -> list[Point]:
        """The newest points, the newest first."""
        return list(self.line.points[::-1][:NEWEST])

    @property
    def interval(self) -> dict[str, Any]:
        """The newest ratio, as templates read an interval."""
        return interval_of(self.line.points[-1])


def interval_of(point: Point) -> dict[str, Any]:
    """A point as templates read an interval; without ends it is of one seed."""
    return {"centre": point.value, "low": point.low, "high": point.high, "count": 1 if point.low is None else 2}


def index(runs: Sequence[SiteRun]) -> str:
    """The whole page."""
    lines = lines_of(point for run in runs for point in run.points)
    drawing = Drawing(sum(3 * len(line.points) for line in lines))
    for line in lines:
        drawing.row(names=[], chart=_chart(drawing, line))
    return PAGES.render(
        "site.html",
        drawing.data,
        COLORS,
        runs=sorted(runs, key=lambda run: run.started, reverse=True),
        ratios_rows=[RatioRow(line) for line in lines],
        states=STATES,
        interval_of=interval_of,
    )


def _chart(drawing: Drawing, line: RatioLine) -> dict[str, Any]:
    """Run by run, in the order of their time."""
    values: list[Sequence[float | None]] = [
        line.ratios,
        *zip(*(line.interval(point) for point in line.points), strict=True),
    ]
    curves = [
        Line(look, {"time_ratio": [list(curve)]}, seeds=False)
        for look, curve in zip((CENTRE, LOW, HIGH), values, strict=True)
    ]
    labels = [f"{point.when} ({point.label})" for point in line.points]
    return drawing.chart(curves, unit="run", labels=labels)
