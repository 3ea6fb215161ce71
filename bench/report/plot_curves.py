"""The two plots over epochs: training cost and accuracy, a curve a backend.

Curves of identical work coincide, so each is drawn thinner than the one beneath it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from bench.records.epochs import by_process
from bench.report.style import Drawn, grid, label, legend_below, outer, style_of

MARKED_EPOCHS = 12
MOST_POINTS = 500
"""More points in a curve than that could not be told apart."""
DASHES = (0, (4, 3))
EPOCH = ("epoch", "mean")
NOTHING: NDArray[np.float64] = np.array([])


def cost_curves(drawn: Drawn) -> Figure:
    """Training cost of every epoch: mean over seeds, and a band from the lowest seed to the highest.

    With more than 500 epochs, each point is the mean of several epochs, and the band spans all of them.
    """
    step, columns = drawn.step(MOST_POINTS), ["train_cost"]
    title = "Training cost by epoch (mean over the epoch's steps)" if step == 1 else _title("Training cost", step)
    figure, panels = grid(drawn.specs, drawn.title(title))
    curves, ok = _points(drawn.epochs, columns, step), _of_the_ok(drawn.epochs, columns, drawn)
    for axes, spec in zip(panels, drawn.specs, strict=True):
        for backend, points in _of_spec(curves, spec):
            _curve(axes, points, "train_cost", backend)
        _zoom(axes, ok.get(spec, NOTHING))
        _name_axes(axes, "cost")
    legend_below(figure, list(_legend(drawn)))
    return figure


def accuracy_curves(drawn: Drawn) -> Figure:
    """Accuracy on the test examples after every epoch as a line, on the training examples as thin dashes.

    With more than 500 epochs, each point is the mean of several epochs, as in `cost_curves`.
    """
    step, columns = drawn.step(MOST_POINTS), ["test_accuracy", "train_accuracy"]
    title = "Accuracy after each epoch" if step == 1 else _title("Accuracy", step)
    figure, panels = grid(drawn.specs, drawn.title(title))
    per_cent = drawn.epochs.assign(**{name: 100 * drawn.epochs[name] for name in columns})
    curves, ok = _points(per_cent, columns, step), _of_the_ok(per_cent, columns, drawn)
    for axes, spec in zip(panels, drawn.specs, strict=True):
        for backend, points in _of_spec(curves, spec):
            _training_curve(axes, points, backend)
            _curve(axes, points, "test_accuracy", backend)
        _zoom(axes, ok.get(spec, NOTHING))
        _name_axes(axes, "accuracy, %")
    dashes = Line2D([], [], color="#444444", linewidth=0.9, linestyle=DASHES, label="dashed: training examples")
    band = Line2D([], [], color="#444444", linewidth=8, alpha=0.25, label="band: lowest to highest seed")
    legend_below(figure, [*_legend(drawn), dashes, band])
    return figure


def _title(quantity: str, step: int) -> str:
    return f"{quantity}; each point is the mean of {step} epochs"


def _points(epochs: pd.DataFrame, columns: list[str], step: int) -> pd.DataFrame:
    """A row each `step` epochs of a (spec, backend): mean epoch, and mean, min and max of each column."""
    keys = [epochs["spec"], epochs["backend"], (epochs["epoch"] - 1) // step]
    computed: dict[str, Any] = {name: ["mean", "min", "max"] for name in columns}
    return epochs.groupby(keys, observed=True)[["epoch", *columns]].agg({"epoch": ["mean"]} | computed)


def _of_spec(curves: pd.DataFrame, spec: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each backend that trained the spec, in the suite's order, and its points."""
    of_spec = curves[curves.index.get_level_values("spec") == spec]
    for backend, points in of_spec.groupby(level="backend", observed=True):
        yield str(backend), points


def _curve(axes: Axes, points: pd.DataFrame, column: str, backend: str) -> None:
    style, shown = style_of(backend), points[points[column, "mean"].notna()]
    if shown.empty:
        return
    x, mean, low, high = (shown[name] for name in (EPOCH, (column, "mean"), (column, "min"), (column, "max")))
    axes.fill_between(x, low, high, color=style.color, alpha=0.12, linewidth=0, zorder=1.5)
    axes.plot(
        x,
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


def _training_curve(axes: Axes, points: pd.DataFrame, backend: str) -> None:
    style, shown = style_of(backend), points[points["train_accuracy", "mean"].notna()]
    x, mean = shown[EPOCH], shown["train_accuracy", "mean"]
    axes.plot(x, mean, color=style.color, linewidth=style.width / 3, linestyle=DASHES, zorder=style.order)


def _of_the_ok(epochs: pd.DataFrame, columns: list[str], drawn: Drawn) -> dict[str, NDArray[np.float64]]:
    """Spec → all values of the processes that went well."""
    rows = drawn.summary[drawn.summary["status"] == "ok"]
    ok = set(zip(rows["spec"], rows["seed"], rows["backend"], strict=True))
    found: dict[str, list[Any]] = {}
    for process, values in by_process(epochs[["spec", "seed", "backend", *columns]]).items():
        if process in ok:
            found.setdefault(process[0], []).extend(values[name] for name in columns)
    return {spec: np.concatenate(values) for spec, values in found.items()}


def _zoom(axes: Axes, values: NDArray[np.float64]) -> None:
    """Limits from the processes that went well: one that diverged leaves the panel instead of flattening the rest."""
    finite = values[np.isfinite(values)]
    if finite.size:
        lowest, highest = float(finite.min()), float(finite.max())
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
