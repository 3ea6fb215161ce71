"""Four plots of a run: cost and accuracy by epoch, seconds of every epoch, and the time ratio with its interval.

Fed by the tables of a run; each is written as PNG and as SVG, the same bytes from the same records.
"""

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from bench.files import atomic_path
from bench.plot_style import SETTINGS, dots_per_inch, grid, label, legend_below, logarithmic, outer, style_of
from bench.records import Records
from bench.tables import aggregate_table, epochs_table, summary_table

METADATA: dict[str, dict[str, Any]] = {"png": {"Software": None}, "svg": {"Date": None}}
MARKED_EPOCHS = 12


@dataclass(frozen=True)
class Drawn:
    """What the plots are drawn from."""

    epochs: pd.DataFrame
    summary: pd.DataFrame
    aggregate: pd.DataFrame
    specs: tuple[str, ...]
    backends: tuple[str, ...]
    reference: str

    @classmethod
    def of(cls, records: Records) -> "Drawn":
        """Everything of a run, in the suite's order."""
        summary, suite = summary_table(records), records.run.suite
        specs, backends = set(summary["spec"]), [*suite.backends, *summary["backend"].unique()]
        return cls(
            epochs_table(records),
            summary,
            aggregate_table(records),
            tuple(spec.name for spec in suite.specs if spec.name in specs),
            tuple(name for name in dict.fromkeys(backends) if name in set(summary["backend"])),
            records.run.reference,
        )

    def epochs_of(self, spec: str, backend: str) -> pd.DataFrame:
        """The epochs of all seeds of one backend on one spec."""
        return self.epochs[(self.epochs["spec"] == spec) & (self.epochs["backend"] == backend)]


def draw_plots(records: Records, folder: Path) -> list[Path]:
    """Write every plot of `PLOTS` to the folder; the files, in that order, each PNG before SVG."""
    drawn = Drawn.of(records)
    with _settings():
        return [path for name, draw in PLOTS.items() for path in _save(draw(drawn), folder / name)]


def cost_curves(drawn: Drawn) -> Figure:
    """Training cost of every epoch: mean over seeds, and a band from the lowest seed to the highest."""
    figure, panels = grid(drawn.specs, "Training cost by epoch (mean over the epoch's steps)")
    for axes, spec in zip(panels, drawn.specs, strict=True):
        for backend in drawn.backends:
            _curve(axes, drawn.epochs_of(spec, backend), "train_cost", backend)
        _epoch_axis(axes, "cost")
    legend_below(figure, [_line(name) for name in drawn.backends], 3)
    return figure


def accuracy_curves(drawn: Drawn) -> Figure:
    """Test accuracy after every epoch as a line, accuracy on the training examples as thin dashes."""
    figure, panels = grid(drawn.specs, "Accuracy after each epoch")
    table = drawn.epochs.assign(**{name: 100 * drawn.epochs[name] for name in ("test_accuracy", "train_accuracy")})
    for axes, spec in zip(panels, drawn.specs, strict=True):
        for backend in drawn.backends:
            rows = table[(table["spec"] == spec) & (table["backend"] == backend)]
            _training_curve(axes, rows, backend)
            _curve(axes, rows, "test_accuracy", backend)
        _epoch_axis(axes, "accuracy, %")
    dashes = Line2D([], [], color="#444444", linewidth=0.9, linestyle=(0, (4, 3)), label="training examples (dashed)")
    legend_below(figure, [*(_line(name) for name in drawn.backends), dashes] if drawn.backends else [], 3)
    return figure


def epoch_seconds(drawn: Drawn) -> Figure:
    """Every epoch as a dot, seeds side by side; the warm-up hollow; a bar at the median of the timed epochs."""
    figure, panels = grid(drawn.specs, "Seconds of every epoch", _height_of_rows(drawn.backends))
    for axes, spec in zip(panels, drawn.specs, strict=True):
        seconds = pd.concat([drawn.epochs_of(spec, name)["epoch_seconds"] for name in drawn.backends])
        _log_axis(axes, seconds, 1.25)
        for row, backend in enumerate(drawn.backends):
            _dots(axes, drawn.epochs_of(spec, backend), row, backend)
        _backend_axis(axes, drawn.backends, "seconds of an epoch (logarithmic)")
    legend_below(figure, _dot_legend() if drawn.backends else [], 3)
    return figure


def time_ratio(drawn: Drawn) -> Figure:
    """Each backend's epoch seconds / the reference's: a small dot a seed, a large one in the middle, the interval."""
    reference = label(drawn.reference)
    others = tuple(name for name in drawn.backends if name != drawn.reference)
    title = f"Time ratio: seconds of an epoch / seconds of {reference}"
    figure, panels = grid(drawn.specs, title, _height_of_rows(others))
    for axes, spec in zip(panels, drawn.specs, strict=True):
        of_spec = drawn.summary[drawn.summary["spec"] == spec]
        _log_axis(axes, [1.0, *of_spec["time_ratio"]], 1.6)
        axes.axvline(1, color=style_of(drawn.reference).color, linewidth=1.6, zorder=2)
        for row, backend in enumerate(others):
            _ratio(axes, drawn, spec, row, backend)
        _backend_axis(axes, others, f"time ratio (logarithmic); left of 1: faster than {reference}")
    legend_below(figure, _ratio_legend(drawn.reference) if others else [], 2)
    return figure


PLOTS: dict[str, Callable[[Drawn], Figure]] = {
    "cost_curves": cost_curves,
    "accuracy_curves": accuracy_curves,
    "epoch_seconds": epoch_seconds,
    "time_ratio": time_ratio,
}


@contextmanager
def _settings() -> Iterator[None]:
    with matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a spec may be named in any script
        yield


def _save(figure: Figure, stem: Path) -> Iterator[Path]:
    for kind, metadata in METADATA.items():
        path = stem.with_name(f"{stem.name}.{kind}")
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=dots_per_inch(figure), metadata=metadata)
        yield path


def _curve(axes: Axes, epochs: pd.DataFrame, column: str, backend: str) -> None:
    """Mean line and band. Markers are staggered by backend, so that those of coinciding curves do not hide each other."""
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
    axes.plot(mean.index, mean, color=style.color, linewidth=style.width / 3, linestyle=(0, (4, 3)), zorder=style.order)


def _dots(axes: Axes, epochs: pd.DataFrame, row: int, backend: str) -> None:
    color, seeds = style_of(backend).color, sorted(epochs["seed"].unique())
    for place, seed in enumerate(seeds):
        of_seed = epochs[(epochs["seed"] == seed) & (epochs["epoch_seconds"] > 0)]
        timed, warm_up = of_seed[~of_seed["warm_up"]]["epoch_seconds"], of_seed[of_seed["warm_up"]]["epoch_seconds"]
        height = row + 0.44 * ((place + 0.5) / len(seeds) - 0.5)
        axes.plot(timed, [height] * len(timed), "o", color=color, markersize=3.6, alpha=0.75, markeredgewidth=0)
        axes.plot(warm_up, [height] * len(warm_up), "o", color=color, markersize=4.6, fillstyle="none")
    counted = epochs[~epochs["warm_up"]]["epoch_seconds"]
    if len(counted):
        axes.vlines(float(counted.median()), row - 0.38, row + 0.38, color="#222222", linewidth=1.6, zorder=3)


def _ratio(axes: Axes, drawn: Drawn, spec: str, row: int, backend: str) -> None:
    color = style_of(backend).color
    of_backend = drawn.summary[(drawn.summary["spec"] == spec) & (drawn.summary["backend"] == backend)]
    middle = drawn.aggregate[(drawn.aggregate["spec"] == spec) & (drawn.aggregate["backend"] == backend)]
    if middle.empty or math.isnan(centre := float(middle["time_ratio"].iloc[0])):
        status = ", ".join(dict.fromkeys(middle["status"])) or "not trained"
        axes.annotate(label(status), (1, row), (-6, 0), textcoords="offset points", ha="right", va="center", color=color)
        return
    low, high = float(middle["time_ratio_low"].iloc[0]), float(middle["time_ratio_high"].iloc[0])
    axes.hlines(row, low, high, color=color, linewidth=2.2)
    seeds = of_backend["time_ratio"].dropna()
    axes.plot(seeds, [row - 0.22] * len(seeds), "o", color=color, markersize=3, alpha=0.7, markeredgewidth=0)
    axes.plot(centre, row, style_of(backend).marker, color=color, markersize=7)
    axes.annotate(f"{centre:.2g}", (centre, row), (0, -7), textcoords="offset points", ha="center", va="top", fontsize=8)


def _epoch_axis(axes: Axes, quantity: str) -> None:
    first_column, last_row = outer(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if first_column:
        axes.set_ylabel(quantity)
    if last_row:
        axes.set_xlabel("epoch")


def _backend_axis(axes: Axes, backends: Sequence[str], quantity: str) -> None:
    first_column, last_row = outer(axes)
    axes.set_yticks(range(len(backends)), [label(name) for name in backends] if first_column else [""] * len(backends))
    axes.set_ylim(max(len(backends), 1) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    if last_row:
        axes.set_xlabel(quantity)


def _log_axis(axes: Axes, values: Iterable[float], room: float) -> None:
    """Limits from what was measured: an interval without end must not squeeze the data."""
    positive = [value for value in values if math.isfinite(value) and value > 0] or [1.0]
    logarithmic(axes, min(positive) / room, max(positive) * room)


def _height_of_rows(backends: Sequence[str]) -> float:
    return 0.7 + 0.36 * max(len(backends), 2)


def _line(backend: str) -> Line2D:
    style = style_of(backend)
    return Line2D(
        [],
        [],
        color=style.color,
        linewidth=style.width,
        linestyle=style.dash,
        marker=style.marker,
        markersize=style.width + 2.5,
        label=label(backend),
    )


def _dot_legend() -> list[Line2D]:
    grey = "#444444"
    return [
        Line2D([], [], color=grey, marker="o", linestyle="", markersize=3.6, label="timed epoch (a row of dots is a seed)"),
        Line2D([], [], color=grey, marker="o", linestyle="", fillstyle="none", label="warm-up epoch, not counted"),
        Line2D([], [], color="#222222", marker="|", linestyle="", markersize=11, label="median of timed epochs"),
    ]


def _ratio_legend(reference: str) -> list[Line2D]:
    grey = "#444444"
    return [
        Line2D([], [], color=grey, marker="o", linestyle="-", linewidth=2.2, label="median over seeds, 95 % interval"),
        Line2D([], [], color=grey, marker="o", linestyle="", markersize=3, label="one seed"),
        Line2D([], [], color=style_of(reference).color, linewidth=1.6, label=f"{label(reference)} = 1"),
    ]
