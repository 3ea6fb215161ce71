"""The validation in one figure: how often "slower" is said at each planted slowdown, and seconds until a decision.

Fed by the findings; the gate stands out with its intervals, the usual tools are lines beside it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.core.files import atomic_path
from bench.gate_validation.findings import GATE, Findings
from bench.gate_validation.proportions import Share
from bench.gate_validation.scenarios import LOAD_TEXTS, Load, Scenario
from bench.gate_validation.targets import MOST_SECONDS
from bench.report.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    legend_below,
    logarithmic,
    plot_settings,
)

METADATA: dict[str, dict[str, Any]] = {"png": {"Software": None}, "svg": {"Date": None}}
PANEL_INCHES = (4.6, 3.6)
TOOL_LOOKS = ((BLUE, "s"), (SKY, "D"), (GREEN, "^"), (ORANGE, "v"), (PURPLE, "P"))
LOAD_COLORS: dict[Load, str] = {"quiet": BLACK, "busy": VERMILLION, "changing": BLUE}


def draw(found: Findings, stem: Path) -> None:
    """Write STEM.png and STEM.svg."""
    with plot_settings():
        drawn = figure(found)
        for kind, metadata in METADATA.items():
            with atomic_path(stem.with_name(f"{stem.name}.{kind}")) as path:
                drawn.savefig(path, dpi=150, metadata=metadata)


def figure(found: Findings) -> Figure:
    """A panel for each load, and one for the seconds."""
    loads = found.outcomes.loads
    columns = min(2, len(loads) + 1)
    rows = -(-(len(loads) + 1) // columns)
    drawn = Figure(figsize=(PANEL_INCHES[0] * columns, PANEL_INCHES[1] * rows + 0.8), layout="constrained")
    drawn.suptitle('How often "slower" is said, and how long that takes', x=0.01, ha="left", weight="bold", fontsize=11)
    panels = drawn.subplots(rows, columns, squeeze=False).ravel()
    for axes, load in zip(panels, loads, strict=False):
        _detection(axes, found, load)
    _seconds(panels[len(loads)], found)
    for axes in panels[len(loads) + 1 :]:
        axes.set_axis_off()
    legend_below(drawn, _legend(found))
    return drawn


def _detection(axes: Axes, found: Findings, load: Load) -> None:
    percents = found.outcomes.percents
    for name, shares in found.tools.items():
        _line(axes, name, [shares.get(Scenario(load, percent)) for percent in percents], found)
    axes.axvline(_place(100 * found.records.run.tolerance, percents), color=GREY, linewidth=0.9, linestyle=(0, (4, 2)))
    axes.set_xticks(range(len(percents)), [f"{percent:g}" for percent in percents])
    axes.set_xlim(-0.4, len(percents) - 0.6)
    axes.set_ylim(-4, 104)
    axes.set_xlabel("planted slowdown, %")
    axes.set_ylabel('comparisons that say "slower", %')
    axes.set_title(f"{load}: {LOAD_TEXTS[load]}", loc="left", fontsize=8.5)


def _line(axes: Axes, name: str, shares: Sequence[Share | None], found: Findings) -> None:
    """Of the gate the exact intervals too: a bar for each would hide the other lines."""
    known = {place: share for place, share in enumerate(shares) if share is not None and share.rate is not None}
    rates = [100 * (share.rate or 0.0) for share in known.values()]
    look = _look(name, list(found.tools))
    if name == GATE:
        ends = [share.interval for share in known.values()]
        errors = [
            [max(0.0, rate - 100 * low) for rate, (low, _) in zip(rates, ends, strict=True)],
            [max(0.0, 100 * high - rate) for rate, (_, high) in zip(rates, ends, strict=True)],
        ]
        axes.errorbar(list(known), rates, errors, capsize=3, **look)
    else:
        axes.plot(list(known), rates, **look)


def _look(name: str, names: Sequence[str]) -> dict[str, Any]:
    if name == GATE:
        return {"color": BLACK, "marker": "o", "linewidth": 2.4, "markersize": 5.5, "zorder": 5}
    color, marker = TOOL_LOOKS[(names.index(name) - 1) % len(TOOL_LOOKS)]
    return {"color": color, "marker": marker, "linewidth": 1.2, "markersize": 4.5, "zorder": 3}


def _place(percent: float, percents: Sequence[float]) -> float:
    """Where a slowdown lies on the axis, whose ticks are equally far apart."""
    below = [place for place, value in enumerate(percents) if value <= percent]
    if not below or percent in percents or below[-1] + 1 == len(percents):
        return float(below[-1]) if below else -1.0
    start, end = percents[below[-1]], percents[below[-1] + 1]
    return below[-1] + (percent - start) / (end - start)


def _seconds(axes: Axes, found: Findings) -> None:
    """Every comparison as a dot, the loads one below the other; a bar at each median."""
    percents, loads = found.outcomes.percents, found.outcomes.loads
    every = [one.seconds for one in found.records.comparisons] or [1.0]
    logarithmic(axes, min(every) / 1.3, max(*every, MOST_SECONDS) * 1.3)
    axes.axvline(MOST_SECONDS, color=GREY, linewidth=0.9, linestyle=(0, (4, 2)))
    for scenario, outcome in found.outcomes.by_scenario.items():
        row = percents.index(scenario.percent) + 0.8 * ((loads.index(scenario.load) + 0.5) / len(loads) - 0.5)
        color = LOAD_COLORS[scenario.load]
        seconds = [one.seconds for one in outcome.comparisons]
        axes.plot(seconds, [row] * len(seconds), "o", color=color, markersize=2.5, alpha=0.25, markeredgewidth=0)
        if (spread := outcome.seconds) is not None:
            axes.vlines(spread.median, row - 0.13, row + 0.13, color=color, linewidth=2, zorder=4)
    axes.set_yticks(range(len(percents)), [f"{percent:g}" for percent in percents])
    axes.set_ylim(len(percents) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_ylabel("planted slowdown, %")
    axes.set_xlabel("seconds (logarithmic)")
    axes.set_title(f"until a decision; dashed: {MOST_SECONDS:g} s", loc="left", fontsize=8.5)


def _legend(found: Findings) -> list[Line2D]:
    names = list(found.tools)
    tools = [Line2D([], [], label=name, **_look(name, names)) for name in names]
    loads = [
        Line2D([], [], color=LOAD_COLORS[load], marker="|", markersize=9, linestyle="", label=f"median, {load}")
        for load in found.outcomes.loads
    ]
    tolerance = Line2D([], [], color=GREY, linewidth=0.9, linestyle=(0, (4, 2)), label="tolerance")
    return [*tools, tolerance, *loads]
