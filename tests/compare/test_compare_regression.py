"""Two runs of a regression compared in R² and errors; of several labels, in the examples that are right as a whole."""

import json
from pathlib import Path

import builders
import made_answers as made
import numpy as np
import pytest

from bench.compare import tables
from bench.compare.comparison import compare_runs
from bench.compare.predictions import confusion, mcnemar_tests, only_one_right
from bench.core.errors import UnusableError
from bench.data.examples import Examples
from bench.records.scores import ACCURACIES
from bench.spec import ArchitectureSpec, DataSpec, LayerSpec

STEADY = (0.80, 0.81, 0.79, 0.805)


def regression(**changes):
    architecture = ArchitectureSpec(inputs=3, layers=(LayerSpec(units=1, activation="linear"),))
    data = DataSpec(source="csv:x.csv", task="regression", target=("y",))
    values = {"name": "numbers", "architecture": architecture, "loss": "mean_squared_error", "data": data, "epochs": 2}
    return builders.spec(**(values | changes))


def with_scores(folder: Path, scores, mae=3.0, rmse=4.0, **changes) -> Path:
    """A run of scratchnet alone: one R² a seed, with these errors."""
    one = regression(seeds=tuple(range(len(scores))), **changes)
    found = [builders.run_record([one], ("scratchnet",), data_fingerprints={"x": "f"}, environment=made.MACHINE)]
    for seed, score in enumerate(scores):
        found += [builders.cell(one.name, seed), builders.worker(one.name, seed, "scratchnet")]
        errors = {"test_mean_absolute_error": mae, "test_root_mean_squared_error": rmse * (1 + seed / 1000)}
        for number in (1, 2):
            figures = {**dict.fromkeys(ACCURACIES), "test_r2_score": score * number / 2, **errors}
            found.append(builders.epoch(one.name, seed, "scratchnet", number, **figures))
        found += [builders.result(one.name, seed, "scratchnet"), builders.cell_end(one.name, seed)]
    return made.write(folder, found)


@pytest.fixture
def a(tmp_path):
    return with_scores(tmp_path / "a", STEADY)


def other(tmp_path, by=0.0, **changes):
    return with_scores(tmp_path / "b", [score + by for score in STEADY], **changes)


def test_the_same_run_is_identical(a):
    found = compare_runs(a, a)
    assert found.verdict == "B is identical to A: every cost and R², bit by bit"


def test_a_small_difference_is_within_tolerance(a, tmp_path):
    found = compare_runs(a, other(tmp_path, by=0.001))
    assert found.decision == "within_tolerance"
    assert "test R² +0.0010, 95 % interval" in found.verdict
    (row,) = found.document.rows
    assert (row.score, row.accuracy_a, row.r2_a.centre) == ("r2", None, pytest.approx(np.mean(STEADY)))
    assert row.equivalence.decision in ("equivalent", "better")
    assert row.curves["test_r2_score"].a[0] == (0.4, 0.8)


def test_a_large_difference_is_worse(a, tmp_path):
    found = compare_runs(a, other(tmp_path, by=-0.05))
    assert found.decision == "worse"
    assert found.verdict.startswith("B is worse: 'scratchnet' on 'numbers': test R² −0.0500")
    assert "(tolerance 0.010)" in found.verdict


def test_the_tolerance_of_r2(a, tmp_path):
    b = other(tmp_path, by=-0.05)
    assert compare_runs(a, b, tolerances=["r2=0.1"]).decision == "within_tolerance"
    with pytest.raises(UnusableError, match=r"--tolerance 'r2=2'; allowed: accuracy=0.5 .*, r2=0.01 \(up to 1\)"):
        compare_runs(a, b, tolerances=["r2=2"])


def test_errors_are_told_and_fail_only_if_asked(a, tmp_path):
    b = other(tmp_path, rmse=5.0)
    found = compare_runs(a, b)
    (row,) = found.document.rows
    assert (row.errors["mae"].decision, row.errors["rmse"].decision) == ("within_tolerance", "worse")
    assert found.decision == "within_tolerance"
    assert "its rmse is worse in 1 of 1 row" in found.verdict
    assert "RMSE, scratchnet on numbers: 4.01 in A, 5.01 in B: WORSE" in tables.terminal(found.document)
    asked = compare_runs(a, b, fail_on=("rmse",))
    assert asked.decision == "worse"
    assert "root mean squared error +25.00 %" in asked.verdict


def test_what_a_row_does_not_have_cannot_be_what_decides(a):
    with pytest.raises(
        UnusableError, match="--fail-on accuracy: spec 'numbers' has none of it; allowed there: r2, cost"
    ):
        compare_runs(a, a, fail_on=("accuracy",))


def test_another_scaling_of_the_targets_makes_costs_no_evidence(a, tmp_path):
    b = other(tmp_path, by=0.001, target_scaling="standard")
    found = compare_runs(a, b, allowed=["target_scaling"])
    assert found.document.rows[0].cost_decision == "undecided"


def test_every_format_shows_it(a, tmp_path):
    found = compare_runs(a, other(tmp_path, by=0.001))
    terminal, markdown = tables.terminal(found.document), tables.markdown(found.document)
    assert "A R²" in terminal
    assert "0.8013" in terminal
    assert "fails on: r2, cost; tolerances: r2 0.010, cost 2.0 %, mae 2.0 %, rmse 2.0 %, speed 1.05" in " ".join(
        terminal.split()
    )
    assert "| B − A (95 % interval) | R² " in " ".join(markdown.split())
    document = json.loads(found.document.model_dump_json())
    assert document["rows"][0]["errors"]["rmse"]["a"]["centre"] == pytest.approx(4.006)
    page = found.page()
    assert "Margins: r2 0.010, cost 2.0 %, mae 2.0 %, rmse 2.0 %, speed 1.05." in page
    assert "Test RMSE" in page
    assert ">B − A<" in page
    assert found.rows.loc[0, "r2_a"] == pytest.approx(0.80125)


def test_a_classification_says_nothing_of_r2(tmp_path):
    a = made.with_accuracies(tmp_path / "a", [0.95, 0.951, 0.949])
    found = compare_runs(a, a)
    assert found.document.fail_on == ("accuracy", "cost")
    assert (
        "R²"
        not in tables.terminal(found.document) + tables.markdown(found.document) + found.page().partition("<script")[0]
    )


def test_an_example_of_several_labels_is_right_as_a_whole():
    labels = np.array([[1, 0], [1, 1], [0, 0]])
    a, b = {0: np.array([[1, 0], [1, 0], [0, 0]])}, {0: np.array([[1, 1], [1, 0], [0, 0]])}
    (test,) = mcnemar_tests(a, b, labels)
    assert (test.only_a, test.only_b) == (1, 0)
    assert confusion(a, b, Examples(labels, ("x", "y"), labels, None)) is None
    assert only_one_right(a, b, labels) == ()
