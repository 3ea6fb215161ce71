"""Draws and writes the plots of a run: cost and accuracy by epoch, seconds of every epoch, time ratio.

Each plot is written as PNG and as SVG, and as PDF where asked for: the same bytes from the same records.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from bench.core.text import MOST_PANELS
from bench.report.plot_curves import accuracy_curves, cost_curves
from bench.report.plot_times import epoch_seconds, time_ratio
from bench.report.style import KINDS, Drawn, plot_settings, save_figure
from bench.report.tables import Tables

PLOTS: dict[str, Callable[[Drawn], Figure]] = {
    "time_ratio": time_ratio,
    "epoch_seconds": epoch_seconds,
    "cost_curves": cost_curves,
    "accuracy_curves": accuracy_curves,
}


def draw_plots(tables: Tables, folder: Path, kinds: Sequence[str] = KINDS) -> list[Path]:
    """Write every plot of `PLOTS` to the folder; the files, in that order, each in those kinds."""
    drawn = _drawn(tables)
    with plot_settings():  # one figure at a time: those of many specs are large
        return [path for name, draw in PLOTS.items() for path in save_figure(draw(drawn), folder / name, kinds)]


def draw_figures(tables: Tables) -> dict[str, Figure]:
    """Name → figure of every plot of `PLOTS`."""
    drawn = _drawn(tables)
    with plot_settings():
        return {name: draw(drawn) for name, draw in PLOTS.items()}


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
    )


def _of_specs(table: pd.DataFrame, specs: tuple[str, ...]) -> pd.DataFrame:
    return table[table["spec"].isin(specs)]
