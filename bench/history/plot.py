"""The plot: one panel per kind of work, one line per machine, with levels and steps.

The axis is logarithmic, because the lines are ratios.
"""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from bench.core.text import significant
from bench.history.outcome import History, Traced
from bench.history.points import Key, Point
from bench.report.style import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION, grid, label, legend_below

COLORS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
STEP_COLOR = "#222222"
MOST_PANELS = 30
LONGEST_TITLE = 46
TICKS = 5
ROOM = 1.04
"""The axis reaches beyond the outermost ratios by this factor at least."""


def draw(history: History) -> Figure:
    """The figure: panels with steps first, and not more than can be looked at."""
    panels = _panels(history)
    chosen = sorted(panels, key=lambda lines: not any(one.found.steps for one in lines))[:MOST_PANELS]
    left_out = f"; {len(chosen)} of {len(panels)} panels, those with steps first" * (len(chosen) < len(panels))
    title = f"Ratio from run to run, with levels and steps{left_out}"
    figure, every = grid([""] * len(chosen), title, 2.5)
    colors = {machine: COLORS[place % len(COLORS)] for place, machine in enumerate(history.machines)}
    for axes, lines in zip(every, chosen, strict=True):
        _panel(axes, lines, colors)
    legend_below(figure, _legend(chosen, colors))
    return figure


def _panels(history: History) -> list[list[Traced]]:
    """Lines of the same work, together whatever the machine."""
    panels: dict[Key, list[Traced]] = {}
    for one in history.lines:
        key = one.line.key
        panels.setdefault(Key(key.metric, key.quantity, key.cell, key.work, ""), []).append(one)
    return list(panels.values())


def _panel(axes: Axes, lines: Sequence[Traced], colors: dict[str, str]) -> None:
    axes.set_title(_title(lines[0].cell), loc="left", fontsize=9)
    axes.set_ylabel(label(lines[0].line.key.quantity, 34), fontsize=8)
    runs = sorted({_run(point) for one in lines for point in one.line.points})
    places = {run: place for place, run in enumerate(runs)}
    _limits(axes, [ratio for one in lines for ratio in one.line.ratios])
    for row, one in enumerate(lines):
        color, own = colors[one.line.key.machine], [places[_run(point)] for point in one.line.points]
        _draw(axes, one, own, color)
        _mark(axes, one, own, STEP_COLOR if len(lines) == 1 else color, row)
    _name_runs(axes, runs)


def _run(point: Point) -> tuple[str, str, str]:
    """What two points of one run share, in the order of time."""
    return point.started.isoformat(), point.when[5:], point.label


def _title(cell: str) -> str:
    """The end of a long name: a benchmark's begins with its file."""
    text = label(cell, 10_000)
    return text if len(text) <= LONGEST_TITLE else "…" + text[1 - LONGEST_TITLE :]


def _limits(axes: Axes, ratios: Sequence[float]) -> None:
    """Those of the ratios: an interval over two processes may span anything, and is cut at the edge."""
    lowest, highest = min(ratios), max(ratios)
    room = max(ROOM, (highest / lowest) ** 0.2)
    axes.set_yscale("log")
    axes.set_ylim(lowest / room, highest * room)
    few = highest / lowest < 5
    axes.yaxis.set_major_locator(MaxNLocator(5) if few else LogLocator(subs=(1, 2, 5), numticks=8))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 3)))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _draw(axes: Axes, one: Traced, places: Sequence[int], color: str) -> None:
    axes.plot(places, one.line.ratios, "-o", color=color, linewidth=0.8, markersize=3.5, alpha=0.85)
    for place, point in zip(places, one.line.points, strict=True):
        low, high = one.line.interval(point)
        if low is not None and high is not None:
            axes.plot([place, place], [low, high], color=color, linewidth=1, alpha=0.5)


def _mark(axes: Axes, one: Traced, places: Sequence[int], color: str, row: int) -> None:
    """Levels, and steps with their factors, written in that row."""
    for first, end, ratio in one.found.levels if one.found.noise is not None else ():
        axes.plot([places[first] - 0.4, places[end - 1] + 0.4], [ratio, ratio], color=color, linewidth=1.6)
    for step in one.found.steps:
        between = (places[step.index - 1] + places[step.index]) / 2
        axes.axvline(between, color=color, linestyle="--", linewidth=1)
        axes.annotate(
            f"×{significant(step.factor, 3)}",
            (between, 1),
            (3, -2 - 10 * row),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
            fontsize=8,
            color=color,
        )


def _name_runs(axes: Axes, runs: Sequence[tuple[str, str, str]]) -> None:
    step = max(1, math.ceil((len(runs) - 1) / (TICKS - 1)))
    shown = range(0, len(runs), step)
    axes.set_xticks(list(shown), [f"{runs[place][1]}\n{label(runs[place][2])}" for place in shown], fontsize=6.5)
    axes.set_xlim(-0.7, len(runs) - 0.3)
    axes.grid(axis="x", visible=False)


def _legend(panels: Sequence[Sequence[Traced]], colors: dict[str, str]) -> list[Line2D]:
    used = dict.fromkeys(one.line.key.machine for lines in panels for one in lines)
    machines = [
        Line2D([], [], color=colors[machine], marker="o", markersize=4, label=label(machine, 110)) for machine in used
    ]
    return [
        *machines,
        Line2D([], [], color=STEP_COLOR, linewidth=1.6, label="level: the median between two steps"),
        Line2D([], [], color=STEP_COLOR, linewidth=1, linestyle="--", label="step"),
    ]
