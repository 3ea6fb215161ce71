"""summary.md: the verdict, one table per spec, what did not go well, warnings, and how to read the tables."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from bench.core.markdown import bullets, document, text_table
from bench.core.text import (
    MISSING,
    escaped,
    is_missing,
    megabytes,
    percent,
    plus_minus,
    ratio_text,
    significant,
)
from bench.report.machines import machines_table, several_machines
from bench.report.plots import MOST_PANELS, plots_of
from bench.report.scores import Score
from bench.report.tables import Tables

MOST_ROWS = 40

HOW_TO_READ = """\
Every backend trained the same network from the same initial parameters on the same batches in the same order; each seed
is a fresh process for each backend, and the backends took turns epoch by epoch. An epoch's seconds are gathering the
batches, forward pass, backward pass and update; evaluation, start and compilation ahead of training are not in them.

The first epoch is a warm-up: it trains, it is kept in epochs.csv and labelled, and its time never counts.

Time ratio = epoch seconds of the backend / epoch seconds of {reference}, within the same round; the median over rounds
gives one figure a seed, the median over seeds is shown. Below 1 is faster than {reference}; 0.25 is a quarter of its
time. The interval in brackets is Student's 95 % interval of the mean logarithm over seeds, for the luck of a process
(where it lies in memory) is larger than the noise within one; with one seed there is no interval.

{score} is that after the last epoch, or after the one that early stopping kept: mean ± half the 95 % interval
over seeds. Cost is the mean over that epoch's steps, each taken before its update, as Keras reports it; it includes
regularization. A backend that did not finish with status ok has no time ratio, and its figures enter no mean."""

R2_AND_ERRORS = """\
R² = 1 − Σ (prediction − target)² / Σ (target − mean target)² over the test examples, the mean over the targets where
there are several: 1 is perfect, 0 is no better than the mean target. MAE is the mean absolute error, RMSE the root of
the mean squared error, both over all targets and in their units. They take the place of accuracy."""

F1_AND_ROC = """\
F1 is the harmonic mean of precision and recall. ROC AUC is the chance that an example of the class has a larger output
than one that is not of the class. Of two classes both are about the second; of several labels they are the mean over
the labels, and an example counts as right in the accuracy only if all of its labels are."""

TWO_FIGURES = """\
The founding project reported for itself a figure that counts each of the network's outputs alone, right or wrong at
threshold 0.5, and set it beside a figure of another kind. Counted so, an example of class 7 brings, besides its one
true output, nine true negatives that are nearly always right: a network of ten outputs that says "no" to everything
scores 90 %. Both figures, of the very same predictions:"""


def summary_markdown(tables: Tables) -> str:
    """The run as GitHub Markdown: verdict, a table a spec, what did not go well, warnings, how to read it."""
    return document(section for part in PARTS for section in part(tables))


def _head(tables: Tables) -> Iterator[str]:
    run = tables.records.run
    yield f"# {escaped(run.suite.title or run.suite_name, 120)}"
    yield f"**{escaped(tables.verdict, 4000)}**"


def _specs(tables: Tables) -> Iterator[str]:
    for spec, rows in tables.aggregate.groupby("spec", sort=False):
        yield f"## {escaped(spec, 120)}"
        yield text_table(*spec_table(rows.to_dict("records"), tables.reference, tables.score_of(spec)))


def spec_table(
    rows: list[dict[Any, Any]], reference: str, score: Score
) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """The rows of the aggregate that are of one spec as text, and the headers above them."""
    beside = _beside(rows, score)
    cells = [_row_cells(row, reference, score, beside.values()) for row in rows]
    return cells, ("backend", "seeds ok", f"test {score.header}", *beside, *MEASURED)


def _beside(rows: list[dict[Any, Any]], score: Score) -> dict[str, str]:
    """Header → column of what is told beside the score, where some row has it."""
    columns = {f"test {name.upper()}": column for name, column in score.errors.items()} or OF_POSITIVES
    return {
        header: column for header, column in columns.items() if not all(is_missing(row.get(column)) for row in rows)
    }


OF_POSITIVES = {"test F1": "test_f1_score", "ROC AUC": "test_roc_auc"}
MEASURED = ("cost", "epoch, s", "samples/s", "time ratio (95 % interval)", "peak memory, MB")


def _row_cells(row: dict[Any, Any], reference: str, score: Score, beside: Collection[str]) -> tuple[str, ...]:
    name, seeds = escaped(row["backend"], 60), f"{row['seeds_ok']} of {row['seeds']}"
    if not row["seeds_ok"]:
        return (name, seeds, *[MISSING] * (len(beside) + 4), escaped(row["status"]), MISSING)
    return (
        name,
        seeds,
        plus_minus(row[score.column], row[f"{score.column}_half_width"], " ± ", score.value),
        *(significant(row[column], 4) for column in beside),
        significant(row["train_cost"], 4),
        significant(row["epoch_seconds"]),
        significant(row["samples_per_second"]),
        "reference" if row["backend"] == reference else ratio_text(row),
        megabytes(row["peak_memory_bytes"]),
    )


def _both_accuracies(tables: Tables) -> Iterator[str]:
    ok = tables.aggregate[tables.aggregate["seeds_ok"] > 0]
    if len(ok) and Path(tables.records.run.suite_name).stem == "founding":
        yield "## Two figures of accuracy"
        yield TWO_FIGURES
        columns = ("spec", "backend", "test_accuracy", "test_binary_accuracy")
        rows = [
            (escaped(spec, 120), escaped(backend, 60), percent(accuracy), percent(binary))
            for spec, backend, accuracy, binary in ok[list(columns)].itertuples(index=False)
        ]
        yield text_table(rows, ("spec", "backend", "test accuracy, %", "each output alone, %"))


def _lost(tables: Tables) -> Iterator[str]:
    lost = tables.summary[tables.summary["status"] != "ok"]
    if len(lost):
        yield "## What did not finish"
        columns = ["spec", "backend", "status", "reason"]
        rows = [
            (*map(escaped, key), ", ".join(map(str, group["seed"]))) for key, group in lost.groupby(columns, sort=False)
        ]
        yield text_table(rows, (*columns, "seeds"))


def _machines(tables: Tables) -> Iterator[str]:
    rows = machines_table(tables.records, tables.summary).to_dict("records") if several_machines(tables.records) else []
    if not rows:
        return
    yield "## Time ratios by machine"
    columns = ("spec", "backend", "machine")
    cells = [(*(escaped(row[name], 120) for name in columns), str(row["cells"]), ratio_text(row)) for row in rows]
    yield text_table(cells[:MOST_ROWS], (*columns, "cells", "time ratio (95 % interval)"))
    if len(cells) > MOST_ROWS:
        yield f"These are the first {MOST_ROWS} of {len(cells)} rows; machines.csv has all."


def _warnings(tables: Tables) -> Iterator[str]:
    if tables.warnings:
        yield "## Warnings"
        yield bullets(tables.warnings)


def _plots(tables: Tables) -> Iterator[str]:
    yield "## Plots"
    specs = tables.aggregate["spec"].nunique()
    if specs > MOST_PANELS:
        yield f"The plots show the first {MOST_PANELS} of {specs} specs; the tables hold all."
    yield "\n\n".join(f"![{name.replace('_', ' ')}]({name}.png)" for name in plots_of(tables))


def _how_to_read(tables: Tables) -> Iterator[str]:
    yield "## How to read this"
    yield from how_to_read(tables, escaped(tables.reference, 60))


def how_to_read(tables: Tables, reference: str) -> Iterator[str]:
    """What the figures of such a run mean, beside a reference of that name."""
    kinds = tables.records.kinds
    score = "Test R²" if not kinds.accuracies else "Test accuracy or R²" if kinds.errors else "Test accuracy"
    yield HOW_TO_READ.format(reference=reference, score=score)
    if kinds.errors:
        yield R2_AND_ERRORS
    if kinds.positives:
        yield F1_AND_ROC


PARTS = (_head, _specs, _both_accuracies, _lost, _machines, _warnings, _plots, _how_to_read)
