"""One figure per axis: seconds of an epoch on the left, peak memory on the right, both on logarithmic axes.

Scratchnet stands out, the floors are dashed, the legend has the exponents.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bench.core.text import significant
from bench.report.style import BLACK, GREY, label, logarithmic, plot_settings, save_figure, style_of
from bench.scaling.points import AXES
from bench.scaling.tables import ARITHMETIC, FLOORS, PRODUCTS, SUBJECT, CostLine, lines

PANEL_INCHES, ROW_INCHES = 4.4, 0.2
NAMES = {
    (PRODUCTS, "seconds"): "floor: matrix products and gather",
    (ARITHMETIC, "seconds"): "floor: arithmetic at BLAS's best rate",
    (ARITHMETIC, "peak_memory_bytes"): "floor: examples and parameters",
}
FLOOR_LOOK: dict[str, dict[str, Any]] = {
    PRODUCTS: {"color": "#666666", "linestyle": (0, (5, 2)), "linewidth": 1.4},
    ARITHMETIC: {"color": GREY, "linestyle": (0, (1, 1.5)), "linewidth": 1.4},
}


def write_plots(table: pd.DataFrame, folder: Path) -> list[Path]:
    """Write scaling-AXIS.png and .svg for each axis; the files."""
    with plot_settings():
        axes = dict.fromkeys(table["axis"])
        return [path for axis in axes for path in save_figure(figure(table, axis), folder / f"scaling-{axis}")]


def figure(table: pd.DataFrame, axis: str) -> Figure:
    """Both panels of one axis."""
    seconds, memory = lines(table, axis, "seconds"), lines(table, axis, "peak_memory_bytes")
    drawn = Figure(figsize=(11, PANEL_INCHES + ROW_INCHES * max(len(seconds), len(memory))), layout="constrained")
    drawn.suptitle(f"How the cost grows: {axis}", x=0.01, ha="left", weight="bold", fontsize=11)
    left, right = drawn.subplots(1, 2)
    whole = "of the epoch" if axis == "examples" else "of 60,000 examples"
    _panel(left, seconds, "seconds", f"Seconds {whole}")
    _panel(right, memory, "peak_memory_bytes", "Peak memory of the process")
    values = sorted({int(value) for value in table.loc[table["axis"] == axis, "value"]})
    for axes in (left, right):
        _value_axis(axes, axis, values)
    return drawn


def _panel(axes: Axes, drawn: Sequence[CostLine], quantity: str, title: str) -> None:
    for line in drawn:
        axes.plot(list(line.measured), list(line.measured.values()), label=_legend(line, quantity), **_look(line))
    axes.set_title(f"{title}  (in brackets: exponent, 95 % interval)", loc="left", fontsize=9.5)
    if drawn:
        costs = [cost for line in drawn for cost in line.measured.values()]
        logarithmic(axes, "y", min(costs) / 1.4, max(costs) * 1.4, lambda cost: _told(cost, quantity))
        axes.legend(loc="upper left", bbox_to_anchor=(-0.08, -0.1), ncols=1, frameon=False, handlelength=3.6)


def _told(value: float, quantity: str) -> str:
    if quantity == "seconds":
        return significant(value, 1)
    return f"{significant(value / 1e9, 1)} GB" if value >= 1e9 else f"{significant(value / 1e6, 1)} MB"


def _look(line: CostLine) -> dict[str, Any]:
    """scratchnet thick and in front, peers thin, floors dashed and without markers."""
    if line.backend in FLOORS:
        return {**FLOOR_LOOK[line.backend], "zorder": 2}
    style = style_of(line.backend)
    if line.backend == SUBJECT:
        return {"color": BLACK, "linewidth": 2.8, "marker": style.marker, "markersize": 6, "zorder": 5}
    return {"color": style.color, "linewidth": 1.2, "marker": style.marker, "markersize": 4.5, "zorder": 3}


def _legend(line: CostLine, quantity: str) -> str:
    name = NAMES.get((line.backend, quantity), label(line.backend))
    return f"{name}  ({exponent(line)})"


def exponent(line: CostLine) -> str:
    """The exponent as it is written: `0.93, 0.90 to 0.97`."""
    if line.fit is None:
        return "too few points"
    if line.fit.low is None or line.fit.high is None:
        return f"{line.fit.exponent:z.2f}, of two points"
    return f"{line.fit.exponent:z.2f}, {line.fit.low:z.2f} to {line.fit.high:z.2f}"


def _value_axis(axes: Axes, axis: str, values: Sequence[int]) -> None:
    """A tick at each measured value."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(values))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: AXES[axis].tick(round(value))))
    axes.set_xlabel(AXES[axis].label)
    axes.set_xlim(values[0] / 1.15, values[-1] * 1.15)
