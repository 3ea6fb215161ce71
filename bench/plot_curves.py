"""The two plots over epochs: training cost and accuracy, a curve a backend.

Fed by the tables of a run; curves of identical work coincide, so each is drawn thinner than the one beneath it.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from bench.plot_style import Drawn, grid, label, legend_below, outer, style_of

MARKED_EPOCHS = 12
DASHES = (0, (4, 3))


def cost_curves(drawn: Drawn) -> Figure:
    """Training cost of every epoch: mean over seeds, and a band from the lowest seed to the highest."""
    figure, panels = grid(drawn.specs, drawn.title("Training cost by epoch (mean over the epoch's steps)"))
    for axes, spec in zip(panels, drawn.specs, strict=True):
        epochs = drawn.epochs[drawn.epochs["spec"] == spec]
        for backend, rows in epochs.groupby("backend", sort=False):
            _curve(axes, rows, "train_cost", str(backend))
        _show_the_ok(axes, drawn, epochs, ["train_cost"])
        _name_axes(axes, "cost")
    legend_below(figure, list(_legend(drawn)))
    return figure


def accuracy_curves(drawn: Drawn) -> Figure:
    """Accuracy on the test examples after every epoch as a line, on the training examples as thin dashes."""
    figure, panels = grid(drawn.specs, drawn.title("Accuracy after each epoch"))
    columns = ["test_accuracy", "train_accuracy"]
    per_cent = drawn.epochs.assign(**{name: 100 * drawn.epochs[name] for name in columns})
    for axes, spec in zip(panels, drawn.specs, strict=True):
        epochs = per_cent[per_cent["spec"] == spec]
        for backend, rows in epochs.groupby("backend", sort=False):
            _training_curve(axes, rows, str(backend))
            _curve(axes, rows, "test_accuracy", str(backend))
        _show_the_ok(axes, drawn, epochs, columns)
        _name_axes(axes, "accuracy, %")
    dashes = Line2D([], [], color="#444444", linewidth=0.9, linestyle=DASHES, label="dashed: training examples")
    band = Line2D([], [], color="#444444", linewidth=8, alpha=0.25, label="band: lowest to highest seed")
    legend_below(figure, [*_legend(drawn), dashes, band])
    return figure


def _curve(axes: Axes, epochs: pd.DataFrame, column: str, backend: str) -> None:
    style, by_epoch = style_of(backend), epochs.groupby("epoch")[column]
    mean = by_epoch.mean().dropna()
    if mean.empty:
        return
    low, high = by_epoch.min().reindex(mean.index), by_epoch.max().reindex(mean.index)
    axes.fill_between(mean.index, low, high, color=style.color, alpha=0.12, linewidth=0, zorder=1.5)
    axes.plot(
        mean.index,
        mean,
        color=style.color,
        linewidth=style.width,
        linestyle=style.dash,
        solid_capstyle="butt",
        marker=style.marker if len(mean) <= MARKED_EPOCHS else None,
        markersize=style.width + 2.5,
        label=label(backend),
        zorder=style.order,
    )


def _training_curve(axes: Axes, epochs: pd.DataFrame, backend: str) -> None:
    style = style_of(backend)
    mean = epochs.groupby("epoch")["train_accuracy"].mean().dropna()
    axes.plot(mean.index, mean, color=style.color, linewidth=style.width / 3, linestyle=DASHES, zorder=style.order)


def _show_the_ok(axes: Axes, drawn: Drawn, epochs: pd.DataFrame, columns: list[str]) -> None:
    """Limits from the processes that went well: one that diverged leaves the panel instead of flattening the rest."""
    ok = drawn.summary.loc[drawn.summary["status"] == "ok", ["spec", "seed", "backend"]]
    values = epochs.merge(ok)[columns].to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    if values.size:
        lowest, highest = float(values.min()), float(values.max())
        room = 0.06 * (highest - lowest) or 0.05 * abs(highest) or 1.0
        axes.set_ylim(lowest - room, highest + room)


def _name_axes(axes: Axes, quantity: str) -> None:
    first_column, last_row = outer(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if first_column:
        axes.set_ylabel(quantity)
    if last_row:
        axes.set_xlabel("epoch")


def _legend(drawn: Drawn) -> Iterable[Line2D]:
    for backend in drawn.backends:
        style = style_of(backend)
        yield Line2D(
            [],
            [],
            color=style.color,
            linewidth=style.width,
            linestyle=style.dash,
            marker=style.marker,
            markersize=style.width + 2.5,
            label=drawn.title_of(backend),
        )
