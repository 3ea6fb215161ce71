"""Draws and writes the plots of a run: cost and accuracy by epoch, seconds of every epoch, time ratio.

Each plot is written as PNG and as SVG, the same bytes from the same records.
"""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from bench.core.text import MOST_PANELS
from bench.report.plot_curves import accuracy_curves, cost_curves, error_curves, r2_curves
from bench.report.plot_times import epoch_seconds, time_ratio
from bench.report.scores import R2
from bench.report.style import Drawn, plot_settings, save_figure
from bench.report.tables import Tables

PLOTS: dict[str, Callable[[Drawn], Figure]] = {
    "time_ratio": time_ratio,
    "epoch_seconds": epoch_seconds,
    "cost_curves": cost_curves,
    "accuracy_curves": accuracy_curves,
}
OF_REGRESSIONS: dict[str, Callable[[Drawn], Figure]] = {"r2_curves": r2_curves, "error_curves": error_curves}


def plots_of(tables: Tables) -> dict[str, Callable[[Drawn], Figure]]:
    """`PLOTS`, without curves of accuracy where every spec is a regression; and those of regressions, where one is."""
    kinds = tables.records.kinds
    plots = {name: draw for name, draw in PLOTS.items() if kinds.accuracies or draw is not accuracy_curves}
    return plots | OF_REGRESSIONS if kinds.errors else plots


def draw_plots(tables: Tables, folder: Path) -> list[Path]:
    """Write every plot of the run to the folder; the files, in the order of `plots_of`, each PNG before SVG."""
    drawn = _drawn(tables)
    with plot_settings():  # one figure at a time: those of many specs are large
        return [path for name, draw in plots_of(tables).items() for path in save_figure(draw(drawn), folder / name)]


def draw_figures(tables: Tables) -> dict[str, Figure]:
    """Name → figure of every plot of the run."""
    drawn = _drawn(tables)
    with plot_settings():
        return {name: draw(drawn) for name, draw in plots_of(tables).items()}


def _drawn(tables: Tables) -> Drawn:
    summary, run = tables.summary, tables.records.run
    specs, backends = set(summary["spec"]), set(summary["backend"])
    every = tuple(spec.name for spec in run.suite.specs if spec.name in specs)
    shown = every[:MOST_PANELS]
    return Drawn(
        epochs=tables.epochs if len(shown) == len(every) else _of_specs(tables.epochs, shown),
        summary=_of_specs(summary, shown),
        aggregate=_of_specs(tables.aggregate, shown),
        specs=shown,
        backends=tuple(name for name in run.suite.backends if name in backends),
        reference=run.reference,
        all_specs=len(every),
        regressions=tuple(name for name in every if tables.score_of(name) is R2),
    )


def _of_specs(table: pd.DataFrame, specs: tuple[str, ...]) -> pd.DataFrame:
    return table[table["spec"].isin(specs)]
