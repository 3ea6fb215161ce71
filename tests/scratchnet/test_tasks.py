"""Metrics by task: real numbers have errors, classes have accuracy; and training that is no longer finite stops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import SGD, Adam, Dense, DivergedError, EarlyStopping, Network, engine, metrics
from scratchnet.losses import LOSSES

CLASSIFICATION = {"cost", "accuracy", "precision", "recall", "f1_score"}
REGRESSION = {"cost", "mean_absolute_error", "root_mean_squared_error", "r2_score"}
OF_ERRORS = ["sum_of_squared_errors", "mean_squared_error", "mean_absolute_error", "huber"]


def regression(outputs=1, loss="mean_squared_error", **options):
    options = {"optimizer": SGD(0.05), "seed": 0, **options}
    return Network(3, [Dense(8, "tanh"), Dense(outputs, "linear")], loss=loss, **options)


def line(count=60, outputs=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, 3))
    return X, X @ rng.normal(size=(3, outputs)) + 5.0


@pytest.mark.parametrize("loss", OF_ERRORS)
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_regression_reports_errors_and_no_accuracy(loss, outputs):
    X, y = line(outputs=outputs)
    assert set(regression(outputs, loss).evaluate(X, y)) == REGRESSION


@pytest.mark.parametrize("loss", OF_ERRORS)
@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_outputs_that_are_probabilities_are_a_classification_whatever_the_loss(loss, output):
    net = Network(3, [Dense(2, output)], loss=loss)
    assert set(net.evaluate(line()[0], np.arange(60) % 2)) == CLASSIFICATION


@pytest.mark.parametrize("loss", [name for name in LOSSES if name.endswith("crossentropy")])
def test_a_cross_entropy_is_a_classification(loss):
    net = Network(3, [Dense(2, min(LOSSES[loss].outputs))], loss=loss)
    assert set(net.evaluate(line()[0], np.arange(60) % 2)) == CLASSIFICATION


def test_errors_by_hand():
    outputs, targets = np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [3.0], [2.0]])
    # errors 0, -1, 2; mean of the targets 2: R² = 1 - (0 + 1 + 4) / (1 + 1 + 0)
    assert metrics.mean_absolute_error(outputs, targets) == 1.0
    assert metrics.root_mean_squared_error(outputs, targets) == pytest.approx(math.sqrt(5 / 3))
    assert metrics.r2_score(outputs, targets) == pytest.approx(1 - 5 / 2)


def test_of_several_outputs_r2_is_the_mean():
    targets = np.array([[1.0, 0.0], [2.0, 1.0], [3.0, 2.0]])
    outputs = np.column_stack([targets[:, 0], [1.0, 1.0, 1.0]])  # perfect, and as good as the mean
    assert metrics.r2_score(outputs, targets) == pytest.approx(0.5)


def test_a_target_that_never_varies_has_no_r2():
    assert math.isnan(metrics.r2_score(np.array([[1.0], [2.0]]), np.array([[3.0], [3.0]])))


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=2, max_size=20))
def test_the_mean_error_never_exceeds_the_root_of_the_mean_square(pairs):
    outputs, targets = (np.array(column)[:, None] for column in zip(*pairs, strict=True))
    mean, root = metrics.mean_absolute_error(outputs, targets), metrics.root_mean_squared_error(outputs, targets)
    assert mean <= root * (1 + 1e-12) + 1e-150  # the square of a smaller error is 0
    assert metrics.mean_absolute_error(targets, outputs) == mean


@pytest.mark.parametrize("shape", [(5, 2), (5,), (4, 1)])
def test_errors_of_other_shapes_are_refused_instead_of_broadcast(shape):
    with pytest.raises(ValueError, match=r"shapes \(5, 1\) and .* given; allowed: the same shape"):
        metrics.mean_absolute_error(np.zeros((5, 1)), np.zeros(shape))


COLUMN = np.array([[0], [1], [1]])


@pytest.mark.parametrize(
    "metric",
    [
        lambda: metrics.accuracy(COLUMN[:, 0], COLUMN),
        lambda: metrics.precision(COLUMN[:, 0], COLUMN, 2),
        lambda: metrics.recall(COLUMN[:, 0], COLUMN, 2),
        lambda: metrics.f1_score(COLUMN[:, 0], COLUMN, 2),
        lambda: metrics.binary_accuracy(np.eye(3), COLUMN),
        lambda: metrics.top_k_categorical_accuracy(np.eye(3), COLUMN, 1),
        lambda: metrics.roc_auc(np.ones(3), COLUMN == 1),
        lambda: metrics.precision_recall_curve(np.ones(3), COLUMN == 1),
    ],
)
def test_labels_as_a_column_are_not_compared_with_each_other_in_silence(metric):
    with pytest.raises(ValueError, match=r"shapes \(3,\) and \(3, 1\) given; allowed: the same shape"):
        metric()


def test_a_class_that_is_too_large_is_not_counted_as_another():
    with pytest.raises(ValueError, match=r"predicted has classes 0 to 3; allowed: 0 to 2"):
        metrics.precision(np.array([0, 3]), np.array([0, 1]), 3)


def test_what_fit_reports_of_a_regression_is_what_evaluate_reports():
    X, y = line()
    net = regression()
    history = net.fit(X, y, epochs=3, validation_data=(X, y))
    assert history[-1].validation == net.evaluate(X, y)
    predicted = net.predict(X).astype(float)
    assert history[-1].validation["mean_absolute_error"] == pytest.approx(np.abs(predicted - y).mean(), rel=1e-6)


@pytest.mark.parametrize("monitor", ["validation_mean_absolute_error", "validation_r2_score", "validation_cost"])
def test_early_stopping_watches_what_a_regression_has(monitor):
    X, y = line()
    history = regression().fit(
        X, y, epochs=4, validation_data=(X, y), early_stopping=EarlyStopping(monitor, patience=1)
    )
    assert len(history) == 4, "each epoch is better than the one before"


@pytest.mark.parametrize("monitor", ["validation_accuracy", "validation_f1_score"])
def test_early_stopping_refuses_to_watch_what_a_regression_has_not(monitor):
    X, y = line()
    message = rf"early stopping watches {monitor}; allowed: train_cost, validation_cost, validation_mean_absolute_error"
    with pytest.raises(ValueError, match=message):
        regression().fit(X, y, validation_data=(X, y), early_stopping=EarlyStopping(monitor))


@pytest.mark.parametrize("outputs", [1, 2])
def test_class_weights_of_real_targets_are_refused(outputs):
    X, y = line(outputs=outputs)
    with pytest.raises(ValueError, match=r"class_weight in a regression .*; allowed: sample_weight"):
        regression(outputs).fit(X, y, class_weight={0: 2.0})


def test_class_weights_of_single_targets_between_the_classes_are_refused():
    X, y = line()[0], np.linspace(0, 1, 60)
    net = Network(3, [Dense(1, "sigmoid")], loss="binary_crossentropy")
    with pytest.raises(ValueError, match=r"class_weight with a target of 0.0169\d+; allowed: targets 0 and 1"):
        net.fit(X, y, class_weight={1: 2.0})


def test_class_weights_of_single_classes_stay_allowed():
    net = Network(3, [Dense(1, "sigmoid")], loss=LOSSES["binary_crossentropy"](0.1), optimizer=SGD(0.1))
    net.fit(line()[0], np.arange(60) % 2, class_weight={1: 2.0})


@pytest.mark.parametrize("optimizer", [lambda: SGD(1e4), lambda: SGD(1e4, 0.9), lambda: Adam(1e38)])
@pytest.mark.parametrize("loops", ["numpy", ""])
def test_training_that_diverges_stops_and_says_what_to_try(optimizer, loops, monkeypatch):
    monkeypatch.setenv(engine.VARIABLE, loops)
    X, y = line()
    net, seen = regression(optimizer=optimizer()), []
    with pytest.raises(DivergedError, match=r"training diverged: .* after epoch \d+ \(learning rate [\de+]+\); try"):
        net.fit(1000 * X, 1000 * y, epochs=50, batch_size=5, on_epoch=seen.append)
    assert all(np.isfinite(epoch.cost) for epoch in seen)


def test_a_last_step_that_diverges_is_seen_though_its_cost_was_finite():
    X, y = line()
    with pytest.raises(DivergedError, match=r"a parameter is not finite after epoch 1 \(learning rate 1e\+38\)"):
        regression(optimizer=SGD(1e38), loss="sum_of_squared_errors").fit(X, 1e3 * y, batch_size=60)


def test_the_best_parameters_survive_a_divergence():
    X, y = line()
    net, kept = regression(optimizer=SGD(lambda step: 0.01 if step < 3 else 1e30)), []
    rule = EarlyStopping("train_cost", patience=9, restore_best=True)
    with pytest.raises(DivergedError):
        net.fit(
            X,
            y,
            epochs=9,
            batch_size=60,
            early_stopping=rule,
            on_epoch=lambda _: kept.append(net.parameters.vector.copy()),
        )
    np.testing.assert_array_equal(net.parameters.vector, kept[rule.best_epoch - 1])


def test_one_epoch_alone_reports_its_cost_and_does_not_raise():
    """`train_epoch` is for those who drive the epochs: the benchmark records how each ended."""
    X, y = line()
    net = regression()
    net.parameters.vector[...] = np.nan
    assert math.isnan(net.train_epoch(net.prepare(X, y), np.arange(60), 10))
