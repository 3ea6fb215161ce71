"""A run from files of the user: a regression, two classes, several labels; records, tables, plots, comparison."""

import numpy as np
import pandas as pd
import pytest

import bench
from bench.compare import tables
from bench.records.run import Records
from bench.spec import suite_of

SPECS = {
    "numbers": {
        "data": {"source": "csv:numbers.csv", "task": "regression", "target": ["sum", "product"]},
        "loss": "mean_squared_error",
        "output": (2, "linear"),
        "target_scaling": "standard",
        "early_stopping": {"monitor": "validation_r2_score", "patience": 40, "restore_best": True},
    },
    "sides": {
        "data": {"source": "csv:sides.csv", "target": "side"},
        "loss": "binary_crossentropy",
        "output": (1, "sigmoid"),
        "threshold": 0.4,
    },
    "signs": {
        "data": {"source": "csv:signs.csv", "task": "multi_label", "target": ["a", "b", "c"]},
        "loss": "summed_binary_crossentropy",
        "output": (3, "sigmoid"),
    },
}


def write_files(folder):
    """300 rows; what is to be predicted can be known from the features."""
    x = np.random.default_rng(0).normal(50, 20, (300, 3))
    features = pd.DataFrame(x, columns=["u", "v", "w"])
    targets = {"sum": 1000 + x.sum(axis=1), "product": x[:, 0] * x[:, 1]}
    features.assign(**targets).to_csv(folder / "numbers.csv", index=False)
    features.assign(side=np.where(x[:, 0] > x[:, 1], "left", "right")).to_csv(folder / "sides.csv", index=False)
    features.assign(**{name: (x[:, i] > 50).astype(int) for i, name in enumerate("abc")}).to_csv(
        folder / "signs.csv", index=False
    )


def suite():
    specs = []
    for name, values in SPECS.items():
        values = dict(values)
        units, activation = values.pop("output")
        layers = [{"units": 16, "activation": "tanh"}, {"units": units, "activation": activation}]
        specs.append({"name": name, "architecture": {"inputs": 3, "layers": layers}, **values})
    common = {"optimizer": {"name": "adam", "learning_rate": 0.01}, "batch_size": 16, "epochs": 60, "seeds": [0]}
    defaults = {**common, "scaling": "standard", "validation_fraction": 0.2}
    return suite_of({"backends": ["scratchnet"], "rest_seconds": 0, "defaults": defaults, "specs": specs}, "made here")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tasks")
    write_files(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return bench.run(suite(), out=folder / "run")


def of(table, spec):
    return table[table["spec"] == spec]


def test_all_is_learnt_and_recorded(results):
    assert results.ok
    summary = results.summary
    assert (of(summary, "numbers")["test_r2_score"] > 0.95).all()
    assert of(summary, "numbers")["test_accuracy"].isna().all()
    assert (of(summary, "numbers")["test_mean_absolute_error"] < 200).all(), "in the units of the targets"
    assert (of(summary, "numbers")["test_root_mean_squared_error"] > 5).all(), "in the units of the targets"
    for name in ("sides", "signs"):
        assert (of(summary, name)[["test_accuracy", "test_f1_score", "test_roc_auc"]] > 0.8).all(axis=None)
        assert of(summary, name)["test_r2_score"].isna().all()


def test_the_curves_of_a_regression_rise(results):
    epochs = of(results.epochs, "numbers")
    first, last = (epochs[epochs["epoch"] == number]["validation_r2_score"].mean() for number in (1, 60))
    assert first < last


def test_early_stopping_puts_the_best_epoch_back(results):
    best = of(results.epochs, "numbers").groupby("seed", observed=True)
    kept = {result.seed: result.final_epoch for result in results.tables.records.results if result.spec == "numbers"}
    for seed, epochs in best:
        scores = epochs.set_index("epoch")["validation_r2_score"]
        assert scores[kept[seed]] == pytest.approx(scores.max(), abs=1e-6)


def test_every_file_of_the_report_is_written(results):
    names = {path.name for path in results.folder.iterdir()}
    assert {"accuracy_curves.png", "r2_curves.png", "error_curves.svg", "summary.md", "summary.csv"} <= names
    text = (results.folder / "summary.md").read_text()
    assert "| test R²" in text
    assert "test RMSE" in text
    assert "ROC AUC" in text
    assert "nothing to compare scratchnet with" not in results.verdict
    assert "test accuracy" in results.verdict
    assert "test R² 0.9" in results.verdict
    page = (results.folder / "report.html").read_text("utf-8")
    assert "<h4>Test R²</h4>" in page
    assert "<h4>Test accuracy, %</h4>" in page
    assert "R² = 1 − Σ" in page
    assert "difference</th>" in page


def test_a_run_is_identical_to_itself(results, tmp_path, monkeypatch):
    monkeypatch.chdir(results.folder.parent)
    found = bench.compare(results.folder, results.folder)
    assert found.decision == "within_tolerance"
    assert found.verdict.startswith("B is identical to A in all 3 rows: every cost")
    rows = {row.spec: row for row in found.document.rows}
    assert (rows["numbers"].score, set(rows["numbers"].errors), rows["numbers"].mcnemar) == ("r2", {"mae", "rmse"}, ())
    assert [len(rows[name].mcnemar) for name in ("sides", "signs")] == [1, 1]
    assert rows["sides"].confusion.classes == ("left", "right")
    assert rows["signs"].confusion is None
    assert "A R²" in tables.terminal(found.document)
    assert "Test RMSE" in found.page()


def test_records_are_read_as_they_were_written(results):
    again = Records.read(results.folder)
    pd.testing.assert_frame_equal(again.epochs, results.tables.records.epochs)
    assert again.run.suite == results.tables.records.run.suite
