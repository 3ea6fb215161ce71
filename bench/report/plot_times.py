"""The two plots of time: seconds of every epoch, and the time ratio with its interval, one row per backend.

Both axes are logarithmic, since backends differ by factors.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from bench.report.style import Drawn, grid, label, legend_below, logarithmic, outer, style_of

MOST_DOTS = 100
DARK, GREY = "#222222", "#444444"


def epoch_seconds(drawn: Drawn) -> Figure:
    """Every epoch as a dot, seeds one below the other; the warm-up hollow; a bar at the median of the timed epochs.

    Of more than 100 epochs, at most 100 are drawn at equal distances; the median is that of all.
    """
    step = drawn.step(MOST_DOTS)
    figure, panels = grid(drawn.specs, drawn.title(_epochs_title(step)), _height_of_rows(drawn.backends))
    for axes, spec in zip(panels, drawn.specs, strict=True):
        epochs = drawn.epochs[drawn.epochs["spec"] == spec]
        _log_axis(axes, epochs["epoch_seconds"], 1.25)
        for row, backend in enumerate(drawn.backends):
            _dots(axes, epochs[epochs["backend"] == backend], row, style_of(backend).color, step)
        _name_axes(axes, drawn.backends, "seconds of an epoch (logarithmic)")
    legend_below(figure, _dot_legend())
    return figure


def time_ratio(drawn: Drawn) -> Figure:
    """Each backend's epoch seconds / the reference's: a small dot a seed, above it the centre and the interval."""
    reference, summary = label(drawn.reference), drawn.summary
    others = tuple(name for name in drawn.backends if name != drawn.reference)
    title = f"Time ratio: seconds of an epoch / seconds of {reference}; below 1 is faster"
    figure, panels = grid(drawn.specs, drawn.title(title), _height_of_rows(others))
    for axes, spec in zip(panels, drawn.specs, strict=True):
        _log_axis(axes, [1.0, *summary["time_ratio"]], 1.6)  # the same in all panels, so that they can be compared
        axes.axvline(1, color=style_of(drawn.reference).color, linewidth=1.6, zorder=2)
        for row, backend in enumerate(others):
            seeds = summary.loc[(summary["spec"] == spec) & (summary["backend"] == backend), "time_ratio"].dropna()
            axes.plot(seeds, [row - 0.28] * len(seeds), "o", color=style_of(backend).color, markersize=3, alpha=0.7)
            _centre(axes, drawn, spec, row, backend)
        _name_axes(axes, others, "time ratio (logarithmic)")
    legend_below(figure, _ratio_legend(drawn.reference))
    return figure


def _epochs_title(step: int) -> str:
    return "Seconds of every epoch" if step == 1 else f"Seconds of an epoch (one of every {step} epochs is drawn)"


def _dots(axes: Axes, every: pd.DataFrame, row: int, color: str, step: int) -> None:
    epochs = every[(every["epoch"] - 1) % step == 0]
    seeds = sorted(epochs["seed"].unique())
    for place, seed in enumerate(seeds):
        of_seed = epochs[(epochs["seed"] == seed) & (epochs["epoch_seconds"] > 0)]
        timed, warm_up = of_seed[~of_seed["warm_up"]]["epoch_seconds"], of_seed[of_seed["warm_up"]]["epoch_seconds"]
        height = row + 0.44 * ((place + 0.5) / len(seeds) - 0.5)
        axes.plot(timed, [height] * len(timed), "o", color=color, markersize=3.6, alpha=0.75, markeredgewidth=0)
        axes.plot(warm_up, [height] * len(warm_up), "o", color=color, markersize=4.6, fillstyle="none")
    counted = every[~every["warm_up"]]["epoch_seconds"].dropna()
    if len(counted):
        axes.vlines(float(counted.median()), row - 0.38, row + 0.38, color=DARK, linewidth=1.6, zorder=3)


def _centre(axes: Axes, drawn: Drawn, spec: str, row: int, backend: str) -> None:
    table, style = drawn.aggregate, style_of(backend)
    found = table[(table["spec"] == spec) & (table["backend"] == backend)]
    columns = found[["time_ratio", "time_ratio_low", "time_ratio_high"]]
    centre, low, high = columns.iloc[0] if len(found) else (math.nan,) * 3
    if math.isnan(centre):
        lost = [status for status in found["status"] if status != "ok"] or ["no time ratio"]
        _note(axes, label(lost[0]), (1, row), (-6, 0), ha="right", va="center", color=GREY, style="italic")
        return
    axes.plot([low, high], [row, row], "|-", color=style.color, linewidth=1.6, markersize=11, markeredgewidth=1.4)
    axes.plot(centre, row, style.marker, color=style.color, markersize=5)
    _note(axes, f"{centre:.2g}", (centre, row), (0, -7), ha="center", va="top", fontsize=8)


def _note(axes: Axes, text: str, place: tuple[float, float], offset: tuple[float, float], **look: Any) -> None:
    axes.annotate(text, place, offset, textcoords="offset points", **look)


def _name_axes(axes: Axes, backends: Sequence[str], quantity: str) -> None:
    first_column, last_row = outer(axes)
    axes.set_yticks(range(len(backends)), [label(name) if first_column else "" for name in backends])
    axes.set_ylim(max(len(backends), 1) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    if last_row:
        axes.set_xlabel(quantity)


def _log_axis(axes: Axes, values: ArrayLike, room: float) -> None:
    """Limits from what was measured: an interval without end must not squeeze the data."""
    measured = np.array(values, dtype=float)
    positive = measured[np.isfinite(measured) & (measured > 0)]
    low, high = (float(positive.min()), float(positive.max())) if positive.size else (1.0, 1.0)
    logarithmic(axes, "x", low / room, high * room)


def _height_of_rows(backends: Sequence[str]) -> float:
    return 0.7 + 0.36 * max(len(backends), 2)


def _dot_legend() -> list[Line2D]:
    return [
        Line2D([], [], color=GREY, marker="o", linestyle="", markersize=3.6, label="timed epoch (a row: a seed)"),
        Line2D([], [], color=GREY, marker="o", linestyle="", fillstyle="none", label="warm-up epoch, not counted"),
        Line2D([], [], color=DARK, marker="|", linestyle="", markersize=11, label="median of timed epochs"),
    ]


def _ratio_legend(reference: str) -> list[Line2D]:
    return [
        Line2D([], [], color=GREY, marker="o", linewidth=1.8, label="median over seeds, 95 % interval"),
        Line2D([], [], color=GREY, marker="o", linestyle="", markersize=3, label="one seed"),
        Line2D([], [], color=style_of(reference).color, linewidth=1.6, label=f"{label(reference)} = 1"),
    ]
