"""Draws and writes the plots of a run: cost and accuracy by epoch, seconds of every epoch, time ratio.

Fed by the tables of a run; each plot is written as PNG and as SVG, the same bytes from the same records.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from bench.core.files import atomic_path
from bench.core.text import MOST_PANELS
from bench.records.run import Records
from bench.report.plot_curves import accuracy_curves, cost_curves
from bench.report.plot_times import epoch_seconds, time_ratio
from bench.report.style import Drawn, dots_per_inch, plot_settings
from bench.report.tables import Tables, tables_of

# Kind of file → what it must not hold, for the same records are to give the same bytes.
METADATA: dict[str, dict[str, Any]] = {"png": {"Software": None}, "svg": {"Date": None}}

PLOTS: dict[str, Callable[[Drawn], Figure]] = {
    "cost_curves": cost_curves,
    "accuracy_curves": accuracy_curves,
    "epoch_seconds": epoch_seconds,
    "time_ratio": time_ratio,
}


def draw_plots(run: Records | Tables, folder: Path) -> list[Path]:
    """Write every plot of `PLOTS` to the folder; the files, in that order, each PNG before SVG."""
    drawn = _drawn(tables_of(run))
    with plot_settings():  # one figure at a time: those of many specs are large
        return [path for name, draw in PLOTS.items() for path in _save(draw(drawn), folder / name)]


def draw_figures(run: Records | Tables) -> dict[str, Figure]:
    """Name → figure of every plot of `PLOTS`."""
    drawn = _drawn(tables_of(run))
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


def _save(figure: Figure, stem: Path) -> Iterator[Path]:
    _lay_out(figure)
    for kind, metadata in METADATA.items():
        path = stem.with_name(f"{stem.name}.{kind}")
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=figure.dpi, metadata=metadata)
        yield path


def _lay_out(figure: Figure) -> None:
    """Place the panels once for both files. Otherwise each file would do it twice, which takes most of the time."""
    figure.set_dpi(dots_per_inch(figure))
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
