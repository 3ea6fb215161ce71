"""Draws and writes the plots of a run: cost and accuracy by epoch, seconds of every epoch, time ratio.

Each plot is written as PNG and as SVG, and as PDF where asked for: the same bytes from the same records.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from bench.report.plot_curves import accuracy_curves, cost_curves, error_curves, r2_curves
from bench.report.plot_times import epoch_seconds, time_ratio
from bench.report.scores import ACCURACY, R2
from bench.report.style import KINDS, Drawn, plot_settings, save_figure
from bench.report.tables import Tables

MOST_PANELS = 12
"""A plot of more panels is too large to look at, and slow to draw."""

PLOTS: dict[str, Callable[[Drawn], Figure]] = {
    "time_ratio": time_ratio,
    "epoch_seconds": epoch_seconds,
    "cost_curves": cost_curves,
    "accuracy_curves": accuracy_curves,
    "r2_curves": r2_curves,
    "error_curves": error_curves,
}
OF_TIME = ("time_ratio", "epoch_seconds")
ABOUT = {"accuracy_curves": ACCURACY, "r2_curves": R2, "error_curves": R2}
"""Plot → the score of the specs that it shows; any other shows all specs."""


def plots_of(tables: Tables) -> list[str]:
    """The names in `PLOTS`, without those that would show no spec, or no time where none counts."""
    finished = tables.records.finished_cells
    left_out = OF_TIME if finished and finished <= tables.records.crowded else ()
    return [name for name in PLOTS if ABOUT.get(name) in (None, *tables.scores.values()) and name not in left_out]


def draw_plots(tables: Tables, folder: Path, kinds: Sequence[str] = KINDS) -> list[Path]:
    """Write every plot of the run to the folder; the files, in the order of `PLOTS`, each in those kinds."""
    with plot_settings():  # one figure at a time: those of many specs are large
        return [path for name in plots_of(tables) for path in save_figure(_figure(tables, name), folder / name, kinds)]


def draw_figures(tables: Tables) -> dict[str, Figure]:
    """Name → figure of every plot of the run."""
    with plot_settings():
        return {name: _figure(tables, name) for name in plots_of(tables)}


def _figure(tables: Tables, name: str) -> Figure:
    summary, run, score = tables.summary, tables.records.run, ABOUT.get(name)
    trained, backends = set(summary["spec"]), set(summary["backend"])
    every = tuple(spec.name for spec in run.suite.specs if spec.name in trained)
    wanted = tuple(spec for spec in every if score in (None, tables.score_of(spec)))
    shown = wanted[:MOST_PANELS]
    drawn = Drawn(
        epochs=_counted(tables.epochs if len(shown) == len(every) else _of_specs(tables.epochs, shown), tables),
        summary=_of_specs(summary, shown),
        aggregate=_of_specs(tables.aggregate, shown),
        specs=shown,
        backends=tuple(name for name in run.suite.backends if name in backends),
        reference=run.reference,
        all_specs=len(wanted),
    )
    return PLOTS[name](drawn)


def _counted(epochs: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """Without the seconds of cells beside which other cells ran."""
    if not tables.records.crowded:
        return epochs
    cells = pd.MultiIndex.from_frame(epochs[["spec", "seed"]].astype({"spec": object}))
    return epochs.assign(epoch_seconds=epochs["epoch_seconds"].mask(cells.isin(tables.records.crowded)))


def _of_specs(table: pd.DataFrame, specs: tuple[str, ...]) -> pd.DataFrame:
    return table[table["spec"].isin(specs)]
