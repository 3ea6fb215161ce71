"""The plots over epochs: training cost and accuracy, or R² and errors of a regression, one curve per backend.

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
from bench.report.scores import ACCURACY, R2, Score
from bench.report.style import Drawn, grid, label, legend_below, outer, style_of

MARKED_EPOCHS = 12
MOST_POINTS = 500
"""More points in a curve than that could not be told apart."""
GREY, DASHES = "#444444", (0, (4, 3))
EPOCH = ("epoch", "mean")
NOTHING: NDArray[np.float64] = np.array([])


def cost_curves(drawn: Drawn) -> Figure:
    """Training cost of every epoch: mean over seeds, and a band from the lowest seed to the highest.

    With more than 500 epochs, each point is the mean of several epochs, and the band spans all of them.
    """
    titles = "Training cost by epoch (mean over the epoch's steps)", "Training cost"
    return _curves(drawn, drawn.epochs, ["train_cost"], titles, "cost")


def accuracy_curves(drawn: Drawn) -> Figure:
    """Accuracy on the test examples after every epoch as a line, on the training examples as thin dashes."""
    return _score_curves(drawn, ACCURACY)


def r2_curves(drawn: Drawn) -> Figure:
    """R² of each regression, drawn as accuracy is."""
    return _score_curves(drawn, R2)


def _score_curves(drawn: Drawn, score: Score) -> Figure:
    """With more than 500 epochs, each point is the mean of several epochs, as in `cost_curves`."""
    columns, title = [score.column, score.column.replace("test", "train")], score.title.capitalize()
    values = drawn.epochs.assign(**{name: score.factor * drawn.epochs[name] for name in columns})
    return _curves(
        drawn, values, columns, (f"{title} after each epoch", title), score.header, _legend("training examples")
    )


def error_curves(drawn: Drawn) -> Figure:
    """Root mean squared error on the test examples after every epoch as a line, mean absolute error as thin dashes."""
    columns = ["test_root_mean_squared_error", "test_mean_absolute_error"]
    titles = "Errors on the test examples after each epoch", "Errors on the test examples"
    return _curves(drawn, drawn.epochs, columns, titles, "RMSE", _legend("mean absolute error"))


def _legend(dashed: str) -> tuple[Line2D, Line2D]:
    dashes = Line2D([], [], color=GREY, linewidth=0.9, linestyle=DASHES, label=f"dashed: {dashed}")
    return dashes, Line2D([], [], color=GREY, linewidth=8, alpha=0.25, label="band: lowest to highest seed")


def _curves(
    drawn: Drawn,
    epochs: pd.DataFrame,
    columns: list[str],
    titles: tuple[str, str],
    quantity: str,
    handles: Iterable[Line2D] = (),
) -> Figure:
    """The first column as a curve, a second one as dashes; `titles`: with a point an epoch, and with fewer points."""
    step = drawn.step(MOST_POINTS)
    title = titles[0] if step == 1 else f"{titles[1]}; each point is the mean of {step} epochs"
    figure, panels = grid(drawn.specs, drawn.title(title))
    curves, ok = _points(epochs, columns, step), _of_the_ok(epochs, columns, drawn)
    for axes, spec in zip(panels, drawn.specs, strict=True):
        for backend, points in _of_spec(curves, spec):
            for column in columns[1:]:
                _dashes(axes, points, column, backend)
            _curve(axes, points, columns[0], backend)
        _zoom(axes, ok.get(spec, NOTHING))
        _name_axes(axes, quantity)
    lines = [Line2D([], [], label=drawn.title_of(backend), **style_of(backend).line) for backend in drawn.backends]
    legend_below(figure, [*lines, *handles])
    return figure


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
    line = style.line if len(mean) <= MARKED_EPOCHS else {**style.line, "marker": None}
    axes.plot(x, mean, label=label(backend), solid_capstyle="butt", zorder=style.order, **line)


def _dashes(axes: Axes, points: pd.DataFrame, column: str, backend: str) -> None:
    style, shown = style_of(backend), points[points[column, "mean"].notna()]
    look: dict[str, Any] = {"color": style.color, "linewidth": style.width / 3, "linestyle": DASHES}
    axes.plot(shown[EPOCH], shown[column, "mean"], zorder=style.order, **look)


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
