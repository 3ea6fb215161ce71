"""The parity matrix as tables: all cells as CSV, a summary as Markdown and JSON, and one sentence.

Everything here can be made again from the log.
"""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bench.core.csv_text import csv_text
from bench.core.files import atomic_path, write_atomically
from bench.core.markdown import document, frame_table
from bench.core.text import escaped
from bench.parity.cells import AXES
from bench.parity.outcome import ParityOutcome

WORST_ROWS = 20
BAD = ("differs", "diverged", "failed")


def table(outcomes: Sequence[ParityOutcome]) -> pd.DataFrame:
    """One row a cell."""
    return pd.DataFrame([outcome.row for outcome in outcomes]).sort_values([*AXES, "extra"], ignore_index=True)


def write_tables(outcomes: Sequence[ParityOutcome], expected: int, folder: Path) -> str:
    """Write parity.csv.gz, parity.md and parity.json; the verdict."""
    cells = table(outcomes)
    sentence = verdict(outcomes, expected)
    with atomic_path(folder / "parity.csv.gz") as path:
        # Without time stamp and name: the same outcomes make the same file.
        path.write_bytes(gzip.compress(csv_text(cells, "%.3e").encode(), mtime=0))
    write_atomically(folder / "parity.md", _markdown(cells, sentence))
    summary = {"verdict": sentence, "expected": expected, "status": cells["status"].value_counts().to_dict()}
    write_atomically(folder / "parity.json", json.dumps({**summary, "worst": _largest(cells)}, indent=2) + "\n")
    return sentence


def verdict(outcomes: Sequence[ParityOutcome], expected: int) -> str:
    """How many cells agree, and how far the worst of them parts."""
    agreeing = [outcome for outcome in outcomes if outcome.status == "agrees"]
    worst = max((outcome.difference or 0.0 for outcome in agreeing), default=float("nan"))
    parts = [f"{len(agreeing):,} of {expected:,} cells agree, their costs to {worst:.1e} or better in every step"]
    for status in ("ill_conditioned", *BAD):
        if count := sum(outcome.status == status for outcome in outcomes):
            parts.append(f"{count:,} {status.replace('_', ' ')}")
    if left := expected - len(outcomes):
        parts.append(f"{left:,} not trained")
    return "; ".join(parts)


def _largest(cells: pd.DataFrame) -> float | None:
    largest = cells.loc[cells["status"] == "agrees", "difference"].max()
    return None if pd.isna(largest) else float(largest)


def _markdown(cells: pd.DataFrame, sentence: str) -> str:
    parts = [
        "# Parity of scratchnet and Keras",
        sentence + ".",
        "A cell is a network of 784-12-10 trained on MNIST by both, from one plan, in float64, for 200 steps at least."
        " The figures are the largest relative difference of the cost over all steps. All cells are in"
        " `parity.csv.gz`.",
    ]
    parts += ["## By value of each axis", frame_table(by_value(cells))]
    parts += ["## Outside the product", _rows(cells[cells["extra"] != ""], ["extra"])]
    others = cells[cells["status"] != "agrees"]
    parts += [
        f"## Cells that do not agree: {len(others):,}",
        _rows(others, [*AXES, "extra"]) if len(others) else "None.",
    ]
    worst = cells[cells["status"] == "agrees"].nlargest(WORST_ROWS, "difference")
    parts += ["## The worst of those that agree", _rows(worst, [*AXES, "extra"])]
    return document(parts)


def by_value(cells: pd.DataFrame) -> pd.DataFrame:
    """For each value of each axis: cells, how they came out, largest and median difference of those that agree."""
    rows = [
        _counted(cells[cells[axis] == value], axis, value)
        for axis in AXES
        for value in AXES[axis]
        if (cells[axis] == value).any()
    ]
    return pd.DataFrame(rows)


def _counted(cells: pd.DataFrame, axis: str, value: str) -> dict[str, str]:
    agreeing = cells[cells["status"] == "agrees"]["difference"]
    return {
        "axis": axis.replace("_", " "),
        "value": value,
        "cells": f"{len(cells):,}",
        "agree": f"{len(agreeing):,}",
        "ill conditioned": f"{(cells['status'] == 'ill_conditioned').sum():,}",
        "fail": f"{cells['status'].isin(BAD).sum():,}",
        "largest": _scientific(agreeing.max()),
        "median": _scientific(agreeing.median()),
    }


def _scientific(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.1e}"


def _rows(cells: pd.DataFrame, names: list[str]) -> str:
    columns = cells[[*names, "status", "difference", "step", "reason"]].copy()
    for name in (*names, "reason"):
        columns[name] = columns[name].map(escaped)
    columns["step"] = columns["step"].map(lambda step: "" if pd.isna(step) else f"{int(step)}")
    columns["difference"] = columns["difference"].map(_scientific)
    used = [name for name in columns if name not in ("reason", "extra") or (columns[name] != "").any()]
    return frame_table(columns[used])
