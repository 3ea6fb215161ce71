"""The outcome as lines for a terminal, as JSON, as Markdown and CSV, and as a plot.

The README shows the table and the plot.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from rich import box
from rich.table import Table
from rich.text import Text

from bench.core.files import write_atomically
from bench.core.markdown import bullets, document, text_table
from bench.core.statistics import Interval
from bench.core.text import MISSING, one_line
from bench.report.style import grid, label, legend_below, logarithmic, plot_settings, save_figure, style_of
from bench.speed.grid import RELU, GridCell
from bench.speed.outcome import CellOutcome, Peer, SpeedOutcome, interval_text

RATE_PRODUCTS = {"blas": "BLAS", "tile": "scratchnet's own product"}
COLUMNS = {
    "cell": "cell",
    "fastest peer": "fastest peer",
    "ratio": "scratchnet / fastest peer",
    "products": "/ products",
    "arithmetic": "/ arithmetic",
    "predict": "predict, / fastest peer",
    "first epoch": "first epoch, s",
}


def as_json(outcome: SpeedOutcome) -> list[dict[str, Any]]:
    """One object a cell; seconds in s, ratios without unit."""
    return [_json(cell) for cell in outcome.cells]


def _json(cell: CellOutcome) -> dict[str, Any]:
    fastest, floor = cell.fastest, cell.product_floor
    ratio = fastest.ratio if fastest else None
    return {
        "architecture": cell.cell.architecture,
        "batch_size": cell.cell.batch_size,
        **_activation(cell.cell),
        "fastest_peer": fastest.name if fastest else None,
        **_bounds("time_ratio", ratio),
        "rounds": ratio.count if ratio else 0,
        "epoch_seconds": cell.seconds,
        **_first_epoch(cell),
        "product_floor_ratio": floor.ratio.centre if floor and floor.ratio else None,
        "product_floor_seconds": floor.seconds if floor else None,
        "arithmetic_floor_seconds": cell.arithmetic_floor_seconds,
        "peers": {peer.name: _peer(peer, cell) for peer in cell.peers},
    }


def _activation(cell: GridCell) -> dict[str, str]:
    """ReLU is the default of whoever reads the file, and is not written."""
    return {} if cell.activation == RELU else {"activation": cell.activation}


def _peer(peer: Peer, cell: CellOutcome) -> dict[str, Any]:
    floor = cell.product_floor
    return {
        "epoch_seconds": peer.seconds,
        **_first_epoch(peer),
        **_bounds("time_ratio", peer.ratio),
        **_bounds("predict_ratio", peer.predict_ratio),
        "over_product_floor": peer.seconds / floor.seconds if floor and peer.seconds and floor.seconds else None,
        "over_arithmetic_floor": peer.seconds / cell.arithmetic_floor_seconds if peer.seconds else None,
        "reason": peer.reason,
    }


def _first_epoch(measured: Peer | CellOutcome) -> dict[str, float]:
    """Left out where it was not measured, as in runs of earlier versions."""
    seconds = measured.first_epoch_seconds
    return {} if seconds is None else {"first_epoch_seconds": seconds}


def _bounds(name: str, ratio: Interval | None) -> dict[str, float | None]:
    if ratio is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: ratio.centre, f"{name}_low": ratio.low, f"{name}_high": ratio.high}


def summary(outcome: SpeedOutcome) -> pd.DataFrame:
    """One row a cell: scratchnet over the fastest peer, and over the floors."""
    rows = [_row(cell) for cell in outcome.cells]
    unknown = [] if _has_first_epochs(outcome) else [COLUMNS["first epoch"]]
    return pd.DataFrame(rows, columns=list(COLUMNS.values())).drop(columns=unknown)


def _has_first_epochs(outcome: SpeedOutcome) -> bool:
    return any(cell.first_epoch_seconds is not None for cell in outcome.cells)


def _row(cell: CellOutcome) -> dict[str, str]:
    fastest, floor = cell.fastest, cell.product_floor
    values = {
        "cell": str(cell.cell),
        "fastest peer": fastest.name if fastest else MISSING,
        "ratio": interval_text(fastest.ratio if fastest else None),
        "products": interval_text(floor.ratio if floor else None),
        "arithmetic": f"{cell.seconds / cell.arithmetic_floor_seconds:.2f}" if cell.seconds else MISSING,
        "predict": interval_text(_worst([peer.predict_ratio for peer in cell.peers])),
        "first epoch": _beside_the_soonest(cell),
    }
    return {COLUMNS[name]: value for name, value in values.items()}


def _beside_the_soonest(cell: CellOutcome) -> str:
    """Seconds of scratchnet, then those of the peer whose first epoch ends the soonest."""
    peers = [(peer.first_epoch_seconds, peer.name) for peer in cell.peers if peer.first_epoch_seconds is not None]
    soonest = f", {min(peers)[1]} {_seconds(min(peers)[0])}" if peers else ""
    return f"{_seconds(cell.first_epoch_seconds)}{soonest}"


def _seconds(value: float | None) -> str:
    return MISSING if value is None else f"{value:.1f}"


def first_epochs(outcome: SpeedOutcome) -> pd.DataFrame:
    """One row a cell, one column a backend: seconds from the start of its process to the end of its first epoch."""
    return _by_backend(
        outcome,
        lambda cell: {
            "scratchnet": _seconds(cell.first_epoch_seconds),
            **{peer.name: _seconds(peer.first_epoch_seconds) for peer in cell.peers},
        },
    )


def _by_backend(outcome: SpeedOutcome, told: Callable[[CellOutcome], dict[str, str]]) -> pd.DataFrame:
    rows = [{"cell": str(cell.cell), **told(cell)} for cell in outcome.cells]
    return pd.DataFrame(rows, dtype="object").fillna(MISSING)


def _worst(ratios: list[Interval | None]) -> Interval | None:
    return max((ratio for ratio in ratios if ratio is not None), key=lambda ratio: ratio.centre, default=None)


def by_peer(outcome: SpeedOutcome) -> pd.DataFrame:
    """One row a cell, one column a peer: scratchnet's seconds over the peer's."""
    return _by_backend(outcome, lambda cell: {peer.name: _short(peer.ratio) for peer in cell.peers})


def over_floors(outcome: SpeedOutcome) -> pd.DataFrame:
    """One row a cell, one column a backend: its seconds over the product floor, and over the arithmetic floor."""
    return _by_backend(outcome, _floors)


def _floors(cell: CellOutcome) -> dict[str, str]:
    floor, arithmetic = cell.product_floor.seconds if cell.product_floor else None, cell.arithmetic_floor_seconds
    every = {"scratchnet": cell.seconds, **{peer.name: peer.seconds for peer in cell.peers}}
    return {
        name: f"{seconds / floor:.2f}, {seconds / arithmetic:.2f}" if seconds and floor else MISSING
        for name, seconds in every.items()
    }


def reasons(outcome: SpeedOutcome) -> list[str]:
    """Why a backend has no figure in a cell, each once."""
    lines = (f"{peer.name}: {peer.reason}" for cell in outcome.cells for peer in cell.peers if peer.reason)
    return list(dict.fromkeys(lines))


def terminal_tables(outcome: SpeedOutcome) -> list[Table]:
    """The summary, the ratio to each peer, and the wait for the first epoch of each backend where it was measured."""
    waits = [first_epochs(outcome)] if _has_first_epochs(outcome) else []
    return [_terminal(frame) for frame in (summary(outcome), by_peer(outcome), *waits)]


def _terminal(frame: pd.DataFrame) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in frame.columns:
        table.add_column(str(name), justify="left" if name == "cell" else "right")
    for row in frame.itertuples(index=False):
        table.add_row(*(Text(one_line(value)) for value in row))
    return table


def write(outcome: SpeedOutcome, skipped: list[str], folder: Path) -> None:
    """speed.json, speed.md and the plot, into the folder of the run."""
    write_atomically(folder / "speed.json", json.dumps(as_json(outcome), indent=1))
    write_atomically(folder / "speed.md", markdown(outcome, skipped))
    with plot_settings():
        save_figure(plot(outcome), folder / "speed")


def markdown(outcome: SpeedOutcome, skipped: list[str]) -> str:
    """The whole report."""
    observed = outcome.observed
    warnings = observed.environment.get("warnings") or []
    parts = [
        f"# Speed: {observed.optimizer}, {observed.dtype}, {observed.threads} threads",
        outcome.sentence + ".",
        _explained(outcome),
        text_table(summary(outcome)),
        "## scratchnet's seconds over each peer's",
        text_table(by_peer(outcome)),
        "## Each backend's seconds over the product floor, and over the arithmetic floor",
        text_table(over_floors(outcome)),
        *_first_epochs_section(outcome),
        *_listed("## Without a figure", [*skipped, *reasons(outcome)]),
        *_listed("## Warnings", [str(line) for line in warnings] if isinstance(warnings, list) else []),
    ]
    return document(parts)


def _explained(outcome: SpeedOutcome) -> str:
    return (
        f"Median over {outcome.rounds} rounds of fresh processes, with the 95 % interval over the rounds. Below 1"
        " scratchnet is faster. *products* are the matrix products and the gather of its step alone, *arithmetic* the"
        f" floating-point operations at the best rate of {RATE_PRODUCTS[outcome.rate_product]} in this run."
        f" Scratchnet's steps went through {outcome.observed.environment.get('steps', 'numpy')}."
    )


def _first_epochs_section(outcome: SpeedOutcome) -> list[str]:
    if not _has_first_epochs(outcome):
        return []
    return [
        "## Each backend's seconds from process start to the end of its first epoch",
        "Import and compilation are in it. Caches on disk are warm: the first round, which fills them, is left out.",
        text_table(first_epochs(outcome)),
    ]


def _listed(title: str, lines: list[str]) -> list[str]:
    return [title, bullets(lines)] if lines else []


def plot(outcome: SpeedOutcome) -> Figure:
    """A panel a cell, a row a backend: its seconds over scratchnet's, with the interval; the floor as a dashed line."""
    names = list(dict.fromkeys(peer.name for cell in outcome.cells for peer in cell.peers))
    title = "Seconds of an epoch / seconds of scratchnet: right of 1 is slower"
    figure, panels = grid([str(cell.cell) for cell in outcome.cells], title, 0.22 * len(names) + 0.9)
    # An interval over two rounds may span anything: it is cut at the edge, for the axis is that of the centres.
    ends = [1 / peer.ratio.centre for cell in outcome.cells for peer in cell.peers if peer.ratio]
    for axes, cell in zip(panels, outcome.cells, strict=True):
        logarithmic(axes, "x", min([0.7, *ends]) / 1.1, max([2.0, *ends]) * 1.2)
        axes.axvline(1, color=style_of("scratchnet").color, linewidth=1.4)
        _draw_floor(axes, cell)
        for peer in cell.peers:
            _draw(axes, peer, len(names) - 1 - names.index(peer.name))
        axes.set_yticks(range(len(names)), [label(name) for name in reversed(names)])
        axes.set_ylim(-0.6, len(names) - 0.4)
    floor = Line2D([], [], color="#777777", linestyle="--", label="scratchnet's matrix products and gather alone")
    legend_below(figure, [floor])
    return figure


def _draw_floor(axes: Axes, cell: CellOutcome) -> None:
    if cell.product_floor and cell.product_floor.ratio:
        axes.axvline(1 / cell.product_floor.ratio.centre, color="#777777", linestyle="--", linewidth=1)


def _draw(axes: Axes, peer: Peer, row: int) -> None:
    if peer.ratio is None:
        return
    color = style_of(peer.name).color
    if peer.ratio.low and peer.ratio.high and math.isfinite(peer.ratio.high):
        axes.plot([1 / peer.ratio.high, 1 / peer.ratio.low], [row, row], color=color, linewidth=2)
    axes.plot([1 / peer.ratio.centre], [row], style_of(peer.name).marker, color=color, markersize=5)


def _short(ratio: Interval | None) -> str:
    return MISSING if ratio is None else f"{ratio.centre:.3f}" if ratio.centre < 0.1 else f"{ratio.centre:.2f}"
