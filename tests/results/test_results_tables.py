"""The three tables: values by hand, statuses, attempts, what is missing."""

import csv
import io
import math

import builders
import pandas as pd
import pytest

from bench.core.csv_text import csv_text
from bench.records.run import Records
from bench.records.scores import Kinds
from bench.report.tables import (
    AGGREGATE_COLUMNS,
    EPOCHS_COLUMNS,
    SUMMARY_COLUMNS,
    aggregate_table,
    epochs_table,
    summary_table,
)


def row(table: pd.DataFrame, **where: object) -> pd.Series:
    """The one row that matches."""
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


OF_CLASSES = Kinds(accuracies=True, errors=False, positives=False)


def one_cell(*middle: object, **spec_changes: object) -> Records:
    """Spec "one", seed 0, backends scratchnet and keras-fit, with these records in the cell."""
    one = builders.spec(name="one", seeds=(0,), **spec_changes)
    head = builders.run_record([one], ("scratchnet", "keras-fit"))
    return Records([head, builders.cell("one", 0), *middle, builders.cell_end("one", 0)])


def test_epochs_table_keeps_and_labels_the_warm_up():
    table = epochs_table(builders.small_run({"scratchnet": [9.0, 2.0], "keras-fit": [5.0, 4.0]}))
    assert list(table.columns) == list(OF_CLASSES.columns(EPOCHS_COLUMNS))
    assert table["epoch_seconds"].tolist() == [9.0, 2.0, 5.0, 4.0]
    assert table["warm_up"].tolist() == [True, False, True, False]


def test_summary_takes_medians_of_timed_epochs_and_final_values():
    seconds = {"scratchnet": [100.0, 1.0, 3.0, 1.0], "keras-fit": [100.0, 2.0, 4.0, 8.0]}
    table = summary_table(builders.small_run(seconds))
    ours = row(table, backend="scratchnet")
    assert list(table.columns) == list(OF_CLASSES.columns(SUMMARY_COLUMNS))
    assert ours["epoch_seconds"] == 1.0  # of 1, 3, 1; the warm-up's 100 s do not count
    assert ours["cpu_seconds"] == 2.0
    assert ours["samples_per_second"] == 60_000.0
    assert ours["time_ratio"] == pytest.approx(0.5)  # of 1/2, 3/4, 1/8
    assert ours["train_cost"] == 0.25  # 1/4 in epoch 4
    assert (ours["startup_seconds"], ours["peak_memory_bytes"], ours["test_recall"]) == (1.5, 250_000_000, 0.92)


def test_reference_has_ratio_one(three_seeds):
    table = summary_table(three_seeds)
    assert table.loc[table["backend"] == "keras-fit", "time_ratio"].tolist() == [1.0, 1.0, 1.0]


def test_only_a_warm_up_gives_no_seconds_and_no_ratio():
    table = summary_table(builders.small_run({"scratchnet": [1.0], "keras-fit": [2.0]}))
    assert table[["epoch_seconds", "samples_per_second", "time_ratio"]].isna().all(axis=None)
    assert table["test_accuracy"].tolist() == [0.94, 0.94]


@pytest.mark.parametrize("status", ["not_comparable", "diverged", "failed", "killed", "timeout", "skipped"])
@pytest.mark.parametrize("lost", ["scratchnet", "keras-fit"])
def test_a_ratio_needs_both_to_be_ok(status, lost):
    other = {"scratchnet": "keras-fit", "keras-fit": "scratchnet"}[lost]
    epochs = [builders.epoch("one", 0, name, n) for name in (lost, other) for n in (1, 2, 3)]
    ends = [builders.result("one", 0, lost, status, "because"), builders.result("one", 0, other)]
    table = summary_table(one_cell(*epochs, *ends))
    assert math.isnan(row(table, backend="scratchnet")["time_ratio"])
    assert row(table, backend=lost)[["status", "reason"]].tolist() == [status, "because"]
    assert row(table, backend=lost)["epoch_seconds"] == 1.0


def test_a_backend_that_stopped_early_has_no_final_values():
    epochs = [builders.epoch("one", 0, "scratchnet", n) for n in (1, 2)]
    table = summary_table(one_cell(*epochs, builders.result("one", 0, "scratchnet", "killed"), epochs=3))
    assert table[["test_accuracy", "train_cost"]].isna().all(axis=None)


def test_after_early_stopping_the_figures_are_those_of_the_epoch_that_was_kept():
    epochs = [builders.epoch("one", 0, "scratchnet", n, test_accuracy=n / 10) for n in (1, 2, 3)]
    table = summary_table(one_cell(*epochs, builders.result("one", 0, "scratchnet", final_epoch=2), epochs=5))
    assert table[["test_accuracy", "train_cost"]].to_numpy().tolist() == [[0.2, 0.5]]


@pytest.mark.parametrize("cost", [None, math.nan])
def test_a_cost_that_is_not_finite_is_missing(cost):
    last = builders.epoch("one", 0, "scratchnet", 1, train_cost=cost)
    table = summary_table(one_cell(last, builders.result("one", 0, "scratchnet", "diverged"), epochs=1))
    assert table["train_cost"].isna().tolist() == [True]
    assert ",diverged,0.94,," in csv_text(table)


@pytest.mark.parametrize("first_finished", [False, True])
def test_of_two_attempts_the_last_that_was_finished_counts(first_finished):
    found = [builders.run_record([builders.spec(name="one", seeds=(0,), epochs=1)], ("scratchnet",))]
    for attempt, seconds in ((1, 7.0), (2, 5.0)):
        found.append(builders.cell("one", 0, attempt))
        found.append(builders.epoch("one", 0, "scratchnet", 1, seconds, attempt=attempt))
        if attempt == 2 or first_finished:
            found.append(builders.result("one", 0, "scratchnet", attempt=attempt))
            found.append(builders.cell_end("one", 0, attempt))
    assert epochs_table(Records(found))["epoch_seconds"].tolist() == [5.0]
    assert len(summary_table(Records(found))) == 1


def test_aggregate_by_hand():
    one = builders.spec(name="one", seeds=(0, 1), epochs=2)
    found = [builders.run_record([one], ("scratchnet", "keras-fit"))]
    for seed, (ours, accuracy) in enumerate([(1.0, 0.90), (4.0, 0.92)]):
        found.append(builders.cell("one", seed))
        for name, seconds in (("scratchnet", ours), ("keras-fit", 4.0)):
            found += [builders.epoch("one", seed, name, n, seconds, test_accuracy=accuracy) for n in (1, 2)]
            found.append(builders.result("one", seed, name, peak_memory_bytes=100 + seed))
        found.append(builders.cell_end("one", seed))
    ours = row(aggregate_table(Records(found)), backend="scratchnet")
    assert list(ours.index) == list(OF_CLASSES.columns(AGGREGATE_COLUMNS))
    assert (ours["seeds_ok"], ours["seeds"], ours["status"], ours["peak_memory_bytes"]) == (2, 2, "ok", 101)
    assert ours["test_accuracy"] == pytest.approx(0.91)
    # s = 0.0141421, t(0.975, 1) = 12.7062: 12.7062 · 0.0141421 / √2 = 0.127062
    assert ours["test_accuracy_half_width"] == pytest.approx(0.127062, abs=1e-6)
    assert ours["epoch_seconds"] == 2.5
    assert ours["time_ratio"] == pytest.approx(0.5)  # √(1/4 · 1)
    # ln ratios −2L, 0: mean −L, s = √2 L, half-width 12.7062 L
    assert ours["time_ratio_high"] == pytest.approx(math.exp(11.7062 * math.log(2)), rel=1e-4)


def test_aggregate_of_one_seed_has_no_interval():
    table = aggregate_table(builders.small_run({"scratchnet": [1.0, 1.0], "keras-fit": [2.0, 2.0]}))
    ours = row(table, backend="scratchnet")
    assert (ours["time_ratio"], ours["time_ratio_seeds"]) == (0.5, 1)
    assert ours[["time_ratio_low", "time_ratio_high", "test_accuracy_half_width"]].isna().all()


def test_aggregate_leaves_out_what_is_not_ok():
    one = builders.spec((128,), 128, epochs=4)
    lost = {(one.name, 1, "scratchnet"): ("killed", 2)}
    ours = row(aggregate_table(Records(builders.realistic([one], ends=lost))), backend="scratchnet")
    assert (ours["seeds_ok"], ours["seeds"], ours["status"], ours["time_ratio_seeds"]) == (2, 3, "killed", 2)


def test_rows_stand_in_the_order_of_the_suite(nine_specs):
    table = aggregate_table(nine_specs)
    assert table["spec"].unique().tolist() == [spec.name for spec in nine_specs.run.suite.specs]
    assert table["backend"].tolist() == list(builders.BACKENDS) * 9


def test_tables_of_a_run_without_a_finished_cell_are_empty():
    records = Records([builders.run_record([builders.spec()])])
    for table, columns in (
        (epochs_table(records), EPOCHS_COLUMNS),
        (summary_table(records), SUMMARY_COLUMNS),
        (aggregate_table(records), AGGREGATE_COLUMNS),
    ):
        assert table.empty
        assert list(table.columns) == list(OF_CLASSES.columns(columns))


def test_csv_keeps_every_digit(three_seeds):
    table = epochs_table(three_seeds)
    again = [float(row["epoch_seconds"]) for row in csv.DictReader(io.StringIO(csv_text(table)))]
    assert again == table["epoch_seconds"].tolist()


def test_csv_keeps_a_hostile_reason_on_one_line():
    reason = 'a "quoted",\r\nbroken\tline\x1b[31m' + "x" * 10_000
    text = csv_text(summary_table(one_cell(builders.result("one", 0, "scratchnet", "failed", reason))))
    assert text.count("\n") == 2
    assert pd.read_csv(io.StringIO(text))["reason"].item().startswith('a "quoted", broken line?[31mxxx')
