"""Tables, texts and plots of regressions, and of the runs in which they stand beside classifications."""

import builders
import pytest

from bench.records.run import Records
from bench.records.scores import ACCURACIES, ERRORS, POSITIVES
from bench.report.markdown import summary_markdown
from bench.report.plots import draw_figures
from bench.report.tables import AGGREGATE_COLUMNS, EPOCHS_COLUMNS, SUMMARY_COLUMNS, Tables
from bench.report.terminal import terminal_table
from bench.spec import ArchitectureSpec, DataSpec, LayerSpec

BACKENDS = ("scratchnet", "keras-fit")


def regression(name="numbers", seeds=(0, 1, 2)):
    layers = (LayerSpec(units=4, activation="relu"), LayerSpec(units=1, activation="linear"))
    data = DataSpec(source="csv:x.csv", task="regression", target=("y",))
    values = {"architecture": ArchitectureSpec(inputs=3, layers=layers), "loss": "mean_squared_error", "data": data}
    return builders.spec(name=name, seeds=seeds, epochs=2, **values)


def figures(r2, mae=3.0, rmse=4.0):
    errors = (r2 + 0.01, None, r2, mae, rmse)
    return dict.fromkeys(ACCURACIES) | dict(zip(ERRORS, errors, strict=True))


def cells(one, r2, backends=BACKENDS):
    """Backend → R² of each seed, of the last epoch; half of it of the first."""
    for seed in one.seeds:
        yield builders.cell(one.name, seed)
        for backend in backends:
            yield builders.worker(one.name, seed, backend)
            for number in (1, 2):
                score = r2[backend][seed] * number / 2
                yield builders.epoch(one.name, seed, backend, number, 1.0, **figures(score))
            yield builders.result(one.name, seed, backend, test_precision=None, test_recall=None)
        yield builders.cell_end(one.name, seed)


SAME = {"scratchnet": (0.8, 0.81, 0.85), "keras-fit": (0.8, 0.81, 0.8521)}


def run(*specs, r2=SAME, more=()):
    regressions = [one for one in specs if one.data.task == "regression"]
    found = [builders.run_record(specs, BACKENDS)]
    for one in regressions:
        found += cells(one, r2)
    return Tables(Records([*found, *more]))


@pytest.fixture(scope="module")
def alone():
    return run(regression())


@pytest.fixture(scope="module")
def mixed():
    digits = builders.spec(name="digits", seeds=(0, 1, 2), epochs=2)
    of_digits = builders.realistic([digits], BACKENDS)[1:]
    return run(regression(), digits, more=of_digits)


def test_errors_stand_in_the_place_of_accuracies(alone):
    assert set(EPOCHS_COLUMNS) - set(alone.epochs) == {*ACCURACIES}
    assert set(ERRORS) < set(alone.epochs)
    assert set(SUMMARY_COLUMNS) - set(alone.summary) == {*ACCURACIES, "test_precision", "test_recall", *POSITIVES}
    assert list(alone.summary)[4:6] == ["test_r2_score", "train_cost"]
    gone = {"test_accuracy", "test_accuracy_half_width", "test_binary_accuracy", *POSITIVES}
    assert set(AGGREGATE_COLUMNS) - set(alone.aggregate) == gone
    assert {*ERRORS[2:], "test_r2_score_half_width"} < set(alone.aggregate)


def test_both_stand_in_a_run_of_both(mixed):
    assert {*ACCURACIES, *ERRORS} <= set(mixed.epochs)
    of_digits = mixed.summary[mixed.summary["spec"] == "digits"]
    assert of_digits["test_r2_score"].isna().all()
    assert of_digits["test_accuracy"].notna().all()
    of_numbers = mixed.aggregate[mixed.aggregate["spec"] == "numbers"]
    assert of_numbers["test_accuracy"].isna().all()
    assert of_numbers["test_r2_score"].notna().all()


def test_means_and_interval_over_the_seeds(alone):
    row = alone.aggregate.set_index("backend").loc["scratchnet"]
    assert row["test_r2_score"] == pytest.approx((0.8 + 0.81 + 0.85) / 3)
    # s = 0.026458, t(0.975, 2) = 4.302653
    assert row["test_r2_score_half_width"] == pytest.approx(4.302653 * 0.0264575 / 3**0.5, rel=1e-5)
    assert (row["test_mean_absolute_error"], row["test_root_mean_squared_error"]) == (3.0, 4.0)


def test_the_table_of_a_spec(alone):
    text = summary_markdown(alone)
    assert "| test R²" in text
    assert "| 0.8200 ± 0.0657 " in text
    assert "test MAE" in text
    assert "test RMSE" in text
    assert "accuracy" not in text.partition("## How to read")[0]
    assert "R² = 1 − Σ" in text
    assert "F1 is" not in text
    assert "![r2 curves](r2_curves.png)" in text
    assert "accuracy_curves" not in text


def test_the_tables_of_a_mixed_run(mixed):
    text = summary_markdown(mixed)
    assert "| test R²" in text
    assert "| test accuracy, %" in text
    assert "Test accuracy or R² is that after the last epoch" in text


def test_the_terminal(alone, mixed):
    assert [column.header for column in terminal_table(alone).columns][2] == "R²"
    assert [column.header for column in terminal_table(mixed).columns][2] == "score"
    assert str(terminal_table(mixed).caption).endswith("95 % interval; score: R² or accuracy %")
    shown = [list(column.cells) for column in terminal_table(alone).columns]
    assert str(shown[2][1]) == "0.8200 ±0.0657"


def test_the_verdict_speaks_of_r2(alone, mixed):
    assert alone.verdict.startswith("same test R² within 0.001; ")
    assert mixed.verdict.startswith(
        "identical test accuracy in 1 of 2 specs; same test R² within 0.001 in 1 of 2 specs; "
    )


def test_a_difference_is_told():
    other = run(regression(), r2=SAME | {"scratchnet": (0.7, 0.71, 0.75)})
    assert other.verdict.startswith("test R² DIFFERS by up to 0.10 (scratchnet, spec numbers); ")


def test_without_a_peer_r2_is_told():
    head = builders.run_record([regression()], ("scratchnet",))
    alone = Tables(Records([head, *cells(regression(), SAME, ("scratchnet",))]))
    assert alone.verdict == "no result of keras-fit to compare with, test R² 0.8200"


def test_the_plots_of_each_kind(alone, mixed):
    figures = draw_figures(alone)
    assert set(figures) == {"time_ratio", "epoch_seconds", "cost_curves", "r2_curves", "error_curves"}
    (axes,) = (axes for axes in figures["r2_curves"].axes if axes.axison)
    assert axes.get_ylabel() == "R²"
    assert max(max(line.get_ydata()) for line in axes.get_lines()) == pytest.approx((0.8 + 0.81 + 0.8521) / 3 + 0.01)
    (axes,) = (axes for axes in figures["error_curves"].axes if axes.axison)
    assert {float(y) for line in axes.get_lines() for y in line.get_ydata()} == {3.0, 4.0}
    figures = draw_figures(mixed)
    titles = {name: [a.get_title(loc="left") for a in figures[name].axes if a.axison] for name in figures}
    assert titles["r2_curves"] == titles["error_curves"] == ["numbers"]
    assert titles["accuracy_curves"] == ["digits"]
    assert titles["cost_curves"] == ["numbers", "digits"]


def test_two_classes_show_f1_and_roc():
    layers = (LayerSpec(units=4, activation="relu"), LayerSpec(units=1, activation="sigmoid"))
    values = {"architecture": ArchitectureSpec(inputs=784, layers=layers), "loss": "binary_crossentropy"}
    one = builders.spec(name="sides", seeds=(0,), epochs=2, **values)
    found = builders.realistic([one], BACKENDS)
    of_ends = {"test_f1_score": 0.9, "test_roc_auc": 0.95}
    tables = Tables(Records([r.model_copy(update=of_ends) if r.kind == "result" else r for r in found]))
    assert list(tables.summary).index("test_f1_score") == list(tables.summary).index("test_recall") + 1
    text = summary_markdown(tables)
    assert "| test F1 " in text
    assert "| 0.9500 " in text
    assert "F1 is the harmonic mean" in text
    assert "test_f1_score" not in Tables(Records(found)).summary
