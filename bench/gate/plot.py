"""The plot of a gate: a dot for each pair, the tolerance, and how the interval narrowed."""

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.core.text import one_line
from bench.gate.decision import effects
from bench.gate.outcome import CellResult, Outcome, percent
from bench.report.style import BLACK, BLUE, SKY, VERMILLION, grid, legend_below, plot_settings, save_figure


def save_plot(outcome: Outcome, stem: Path) -> None:
    """STEM.png and STEM.svg."""
    with plot_settings():
        save_figure(draw(outcome), stem)


def draw(outcome: Outcome) -> Figure:
    """A panel a cell."""
    measured = [cell for cell in outcome.cells if cell.log_ratios]
    titles = [f"{cell.name}: {cell.verdict}" for cell in measured]
    title = one_line(f"Seconds of {outcome.new} / seconds of {outcome.old}", 110)
    figure, panels = grid(titles, title)
    for axes, cell in zip(panels, measured, strict=True):
        _panel(axes, cell)
    tolerances = dict.fromkeys(percent(cell.rule.tolerance) for cell in measured)
    handles = [
        Line2D([], [], color=BLUE, marker="o", linestyle="", label="a pair of fresh processes"),
        Line2D([], [], color=SKY, linewidth=7, alpha=0.35, label="interval of the median so far"),
        Line2D([], [], color=VERMILLION, linestyle="--", label=f"tolerance {', '.join(tolerances)}"),
    ]
    legend_below(figure, handles)
    return figure


def _panel(axes: Axes, cell: CellResult) -> None:
    logarithms = cell.log_ratios
    numbers = np.arange(1, len(logarithms) + 1)
    ratios = np.exp(logarithms)
    tolerance = cell.rule.tolerance
    reach = 1.15 * max(float(np.abs(ratios - 1).max()), tolerance * 1.5)
    so_far = effects(logarithms, cell.rule)
    low = [max(one.low, 1 - reach) for one in so_far]
    high = [min(one.high, 1 + reach) if one.high < math.inf else 1 + reach for one in so_far]
    edges = np.arange(0.5, len(logarithms) + 1)
    axes.fill_between(edges, [*low, low[-1]], [*high, high[-1]], step="post", color=SKY, alpha=0.35, linewidth=0)
    axes.axhline(1, color=BLACK, linewidth=1)
    axes.axhline(1 + tolerance, color=VERMILLION, linestyle="--", linewidth=1.2)
    axes.plot(numbers, ratios, "o", color=BLUE, markersize=4)
    axes.set_ylim(1 - reach, 1 + reach)
    axes.set_xlabel("pair")
    axes.set_ylabel("new / old")
