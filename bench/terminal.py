"""The aggregate as a table for a terminal or a pipe, readable at 80 columns.

Fed by the aggregate table; printed by the command line.
"""

from typing import Any

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from bench.text import MISSING, factor, is_missing, one_line, percent, significant

WIDEST_NAME = 24


def table(aggregate: pd.DataFrame, reference: str) -> Table:
    """One block a spec, one line a backend; names are shown as plain text, shortened."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    made.add_column("spec, backend", no_wrap=True)
    for title in ("seeds", "accuracy %", "epoch s", "samples/s"):
        made.add_column(title, justify="right", no_wrap=True)
    made.add_column(Text(f"seconds / {one_line(reference, 12)}"), justify="left", no_wrap=True)
    for spec, rows in aggregate.groupby("spec", sort=False):
        made.add_row(Text(one_line(spec, WIDEST_NAME), style="bold"))
        for row in rows.to_dict("records"):
            made.add_row(*map(Text, _cells(row)))
        made.add_section()
    return made


def _cells(row: dict[Any, Any]) -> tuple[str, ...]:
    name = "  " + one_line(row["backend"], WIDEST_NAME - 2)
    seeds = f"{row['seeds_ok']}/{row['seeds']}"
    if not row["seeds_ok"]:
        return name, seeds, "", "", "", one_line(row["status"], 20)
    samples = MISSING if is_missing(row["samples_per_second"]) else f"{row['samples_per_second']:,.0f}"
    return name, seeds, _accuracy(row), significant(row["epoch_seconds"]), samples, _ratio(row)


def _accuracy(row: dict[Any, Any]) -> str:
    half = row["test_accuracy_half_width"]
    return percent(row["test_accuracy"]) + ("" if is_missing(half) else f" ±{percent(half)}")


def _ratio(row: dict[Any, Any]) -> str:
    if is_missing(row["time_ratio"]):
        return MISSING
    if is_missing(row["time_ratio_low"]):
        return f"{row['time_ratio']:.2f}"
    return f"{row['time_ratio']:.2f} ({row['time_ratio_low']:.2f} to {row['time_ratio_high']:.2f})"
