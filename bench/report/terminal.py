"""The aggregate as a table for a terminal or a pipe, readable at 80 columns."""

from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from bench.core.text import MISSING, bound, is_missing, one_line, plus_minus, significant, with_ends
from bench.report.scores import Score
from bench.report.tables import Tables

WIDEST_NAME = 24


def terminal_table(tables: Tables) -> Table:
    """One block a spec, one line a backend; names are shown as plain text, shortened."""
    reference, scores = tables.reference, _score_headers(tables)
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=0, show_edge=False)
    meaning = f"; score: {' or '.join(scores)}" if len(scores) > 1 else ""
    made.caption = Text(f"time ratio: to the seconds of {one_line(reference, 12)}, 95 % interval{meaning}")
    made.caption_justify = "left"
    made.add_column("spec, backend")  # the one that gives way, so that no figure is cut
    for title in ("seeds", "score" if meaning else scores[0], "epoch s", "samples/s"):
        made.add_column(title, justify="right", no_wrap=True)
    made.add_column("time ratio", no_wrap=True)
    for spec, rows in tables.aggregate.groupby("spec", sort=False):
        made.add_row(_text(one_line(spec, WIDEST_NAME), style="bold"))
        for row in rows.to_dict("records"):
            made.add_row(*map(_text, _cells(row, reference, tables.score_of(spec))))
        made.add_section()
    return made


def _text(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")


def _score_headers(tables: Tables) -> list[str]:
    return list(dict.fromkeys(score.header.replace(", ", " ") for score in tables.scores.values()))


def _cells(row: dict[Any, Any], reference: str, score: Score) -> tuple[str, ...]:
    name = "  " + one_line(row["backend"], WIDEST_NAME - 2)
    seeds = f"{row['seeds_ok']}/{row['seeds']}"
    if not row["seeds_ok"]:
        return name, seeds, "", "", "", one_line(row["status"], 20)
    ratio = "reference" if row["backend"] == reference else _ratio(row)
    samples = MISSING if is_missing(row["samples_per_second"]) else f"{row['samples_per_second']:,.0f}"
    return (
        name,
        seeds,
        plus_minus(row[score.column], row[f"{score.column}_half_width"], write=score.value),
        significant(row["epoch_seconds"]),
        samples,
        ratio,
    )


def _ratio(row: dict[Any, Any]) -> str:
    if is_missing(row["time_ratio"]):
        return MISSING
    centre, low, high = (row[name] for name in ("time_ratio", "time_ratio_low", "time_ratio_high"))
    return with_ends(centre, low, high, lambda value: bound(value, 2))
