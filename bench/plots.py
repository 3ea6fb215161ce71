"""Draws and writes the plots of a run: cost and accuracy by epoch, seconds of every epoch, time ratio.

Fed by the tables of a run; each plot is written as PNG and as SVG, the same bytes from the same records.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from bench.files import atomic_path
from bench.plot_curves import accuracy_curves, cost_curves
from bench.plot_style import SETTINGS, Drawn, dots_per_inch
from bench.plot_times import epoch_seconds, time_ratio
from bench.records import Records
from bench.tables import aggregate_table, epochs_table, summary_table

# Kind of file → what it must not hold, for the same records are to give the same bytes.
METADATA: dict[str, dict[str, Any]] = {"png": {"Software": None}, "svg": {"Date": None}}

PLOTS: dict[str, Callable[[Drawn], Figure]] = {
    "cost_curves": cost_curves,
    "accuracy_curves": accuracy_curves,
    "epoch_seconds": epoch_seconds,
    "time_ratio": time_ratio,
}


def draw_plots(records: Records, folder: Path) -> list[Path]:
    """Write every plot of `PLOTS` to the folder; the files, in that order, each PNG before SVG."""
    figures = draw_figures(records)
    with _settings():
        return [path for name, figure in figures.items() for path in _save(figure, folder / name)]


def draw_figures(records: Records) -> dict[str, Figure]:
    """Name → figure of every plot of `PLOTS`."""
    drawn = _drawn(records)
    with _settings():
        return {name: draw(drawn) for name, draw in PLOTS.items()}


def _drawn(records: Records) -> Drawn:
    summary, suite = summary_table(records), records.run.suite
    specs, backends = set(summary["spec"]), set(summary["backend"])
    return Drawn(
        epochs=epochs_table(records),
        summary=summary,
        aggregate=aggregate_table(records),
        specs=tuple(spec.name for spec in suite.specs if spec.name in specs),
        backends=tuple(name for name in suite.backends if name in backends),
        reference=records.run.reference,
    )


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
