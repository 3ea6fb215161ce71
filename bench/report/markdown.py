"""summary.md: the verdict, a table a spec, what did not go well, warnings, and how to read all that.

Fed by the tables of a run; written by the report.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from tabulate import tabulate

from bench.core.text import MISSING, MOST_PANELS, escaped, is_missing, megabytes, percent, ratio_text, significant

HEADERS = (
    "backend",
    "seeds ok",
    "test accuracy, %",
    "cost",
    "epoch, s",
    "samples/s",
    "time ratio (95 % interval)",
    "peak memory, MB",
)

PLOTS = ("time_ratio", "epoch_seconds", "cost_curves", "accuracy_curves")

HOW_TO_READ = """\
Every backend trained the same network from the same initial parameters on the same batches in the same order; each seed
is a fresh process for each backend, and the backends took turns epoch by epoch. An epoch's seconds are gathering the
batches, forward pass, backward pass and update; evaluation, start and compilation ahead of training are not in them.

The first epoch is a warm-up: it trains, it is kept in epochs.csv and labelled, and its time never counts.

Time ratio = epoch seconds of the backend / epoch seconds of {reference}, within the same round; the median over rounds
gives one figure a seed, the median over seeds is shown. Below 1 is faster than {reference}; 0.25 is a quarter of its
time. The interval in brackets is Student's 95 % interval of the mean logarithm over seeds, for the luck of a process
(where it lies in memory) is larger than the noise within one; with one seed there is no interval.

Test accuracy is that after the last epoch, or after the one that early stopping kept: mean ± half the 95 % interval
over seeds. Cost is the mean over that epoch's steps, each taken before its update, as Keras reports it; it includes
regularization. A backend that did not finish with status ok has no time ratio, and its figures enter no mean."""

TWO_FIGURES = """\
The founding project reported for itself a figure that counts each of the network's outputs alone, right or wrong at
threshold 0.5, and set it beside a figure of another kind. Counted so, an example of class 7 brings, besides its one
true output, nine true negatives that are nearly always right: a network of ten outputs that says "no" to everything
scores 90 %. Both figures, of the very same predictions:"""


@dataclass(frozen=True)
class Content:
    """What the summary is made from."""

    title: str
    verdict: str
    aggregate: pd.DataFrame
    summary: pd.DataFrame
    warnings: list[str]
    reference: str
    both_accuracies: bool


def markdown(content: Content) -> str:
    """The whole file."""
    sections = (section for part in PARTS for section in part(content))
    return "\n\n".join(sections) + "\n"


def _head(content: Content) -> Iterator[str]:
    yield f"# {escaped(content.title, 120)}"
    yield f"**{escaped(content.verdict, 4000)}**"


def _specs(content: Content) -> Iterator[str]:
    for spec, rows in content.aggregate.groupby("spec", sort=False):
        yield f"## {escaped(spec, 120)}"
        yield _table([_cells(row, content.reference) for row in rows.to_dict("records")], HEADERS)


def _cells(row: dict[Any, Any], reference: str) -> tuple[str, ...]:
    name, seeds = escaped(row["backend"], 60), f"{row['seeds_ok']} of {row['seeds']}"
    if not row["seeds_ok"]:
        return (name, seeds, *[MISSING] * 4, escaped(row["status"]), MISSING)
    return (
        name,
        seeds,
        _accuracy(row),
        significant(row["train_cost"], 4),
        significant(row["epoch_seconds"]),
        significant(row["samples_per_second"]),
        "reference" if row["backend"] == reference else ratio_text(row),
        megabytes(row["peak_memory_bytes"]),
    )


def _accuracy(row: dict[Any, Any]) -> str:
    half = row["test_accuracy_half_width"]
    return percent(row["test_accuracy"]) + ("" if is_missing(half) else f" ± {percent(half)}")


def _both_accuracies(content: Content) -> Iterator[str]:
    ok = content.aggregate[content.aggregate["seeds_ok"] > 0]
    if content.both_accuracies and len(ok):
        yield "## Two figures of accuracy"
        yield TWO_FIGURES
        columns = ("spec", "backend", "test_accuracy", "test_binary_accuracy")
        rows = [
            (escaped(spec, 120), escaped(backend, 60), percent(accuracy), percent(binary))
            for spec, backend, accuracy, binary in ok[list(columns)].itertuples(index=False)
        ]
        yield _table(rows, ("spec", "backend", "test accuracy, %", "each output alone, %"))


def _lost(content: Content) -> Iterator[str]:
    lost = content.summary[content.summary["status"] != "ok"]
    if len(lost):
        yield "## What did not finish"
        columns = ["spec", "backend", "status", "reason"]
        rows = [
            (*map(escaped, key), ", ".join(map(str, group["seed"]))) for key, group in lost.groupby(columns, sort=False)
        ]
        yield _table(rows, (*columns, "seeds"))


def _warnings(content: Content) -> Iterator[str]:
    if content.warnings:
        yield "## Warnings"
        yield "\n".join(f"- {escaped(line, 1000)}" for line in content.warnings)


def _plots(content: Content) -> Iterator[str]:
    yield "## Plots"
    specs = content.aggregate["spec"].nunique()
    if specs > MOST_PANELS:
        yield f"The plots show the first {MOST_PANELS} of {specs} specs; the tables hold all."
    yield "\n\n".join(f"![{name.replace('_', ' ')}]({name}.png)" for name in PLOTS)


def _how_to_read(content: Content) -> Iterator[str]:
    yield "## How to read this"
    yield HOW_TO_READ.format(reference=escaped(content.reference, 60))


def _table(rows: Sequence[tuple[str, ...]], headers: tuple[str, ...]) -> str:
    text: str = tabulate(rows, headers, tablefmt="pipe", disable_numparse=True)
    return text


PARTS = (_head, _specs, _both_accuracies, _lost, _warnings, _plots, _how_to_read)
