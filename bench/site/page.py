"""index.html of a site: every run, and every time ratio from run to run."""

from collections.abc import Sequence
from typing import Any

from bench.history.points import Point, lines_of
from bench.page.drawn import Drawing, Line, Look
from bench.page.filters import Mark
from bench.page.render import Pages
from bench.report.style import SIDES
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


def index(runs: Sequence[SiteRun]) -> str:
    """The whole page."""
    histories = lines_of(point for run in runs for point in run.points)
    curves = [_curves(history.points) for history in histories]
    drawing = Drawing(line.series for each in curves for line in each)
    for history, each in zip(histories, curves, strict=True):
        labels = [f"{point.when} ({point.label})" for point in history.points]
        drawing.row(names=[], chart=drawing.chart(each, unit="run", labels=labels))
    return PAGES.render(
        "site.html",
        drawing.data,
        SIDES,
        runs=sorted(runs, key=lambda run: run.started, reverse=True),
        histories=histories,
        intervals=[_interval(history.points[-1]) for history in histories],
        states=STATES,
        interval_of=_interval,
        newest=NEWEST,
    )


def _curves(points: Sequence[Point]) -> list[Line]:
    """The ratio from run to run, and the ends of its interval."""
    values = ((point.value, point.low, point.high) for point in points)
    looks_and_curves = zip((CENTRE, LOW, HIGH), zip(*values, strict=True), strict=True)
    return [Line(look, {"time_ratio": [curve]}, seeds=False) for look, curve in looks_and_curves]


def _interval(point: Point) -> dict[str, Any]:
    """A point as templates read an interval; without ends it is of one seed."""
    return {"centre": point.value, "low": point.low, "high": point.high, "count": 1 if point.low is None else 2}
