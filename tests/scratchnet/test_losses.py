"""Losses against their definitions, and at the extremes where a naive formula breaks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import Dense, Network
from scratchnet.activations import ACTIVATIONS
from scratchnet.losses import LOSSES

REAL = st.floats(-15, 15)


def softmax(z):
    exponentials = [math.exp(value) for value in z]
    return [value / sum(exponentials) for value in exponentials]


@given(st.lists(st.tuples(REAL, st.booleans()), min_size=1, max_size=5))
def test_summed_binary_crossentropy_is_equation_15(pairs):
    expected = 0.0
    for z, y in pairs:
        a = 1 / (1 + math.exp(-z))
        expected -= y * math.log(a) + (1 - y) * math.log(1 - a)
    Z, Y = (np.array(column, dtype=float)[:, None] for column in zip(*pairs, strict=True))
    assert LOSSES["summed_binary_crossentropy"]().per_example(Z, Y)[0] == pytest.approx(expected, rel=1e-8)


@given(st.lists(REAL, min_size=2, max_size=6), st.data())
def test_categorical_crossentropy_is_minus_log_of_the_true_class(z, data):
    true = data.draw(st.integers(0, len(z) - 1))
    Y = np.eye(len(z))[:, [true]]
    loss = LOSSES["categorical_crossentropy"]().per_example(np.array(z)[:, None], Y)[0]
    assert loss == pytest.approx(-math.log(softmax(z)[true]), rel=1e-9, abs=1e-12)


@given(st.lists(st.tuples(REAL, REAL), min_size=1, max_size=5), st.floats(0.01, 20.0))
def test_losses_of_errors_are_their_definitions(pairs, delta):
    A, Y = (np.array(column, dtype=float)[:, None] for column in zip(*pairs, strict=True))
    errors, n_L = [a - y for a, y in pairs], len(pairs)
    huber = sum(0.5 * e * e if abs(e) <= delta else delta * abs(e) - 0.5 * delta * delta for e in errors) / n_L
    expected = {
        LOSSES["sum_of_squared_errors"](): sum(e * e for e in errors),
        LOSSES["mean_squared_error"](): sum(e * e for e in errors) / n_L,
        LOSSES["mean_absolute_error"](): sum(abs(e) for e in errors) / n_L,
        LOSSES["huber"](delta): huber,
    }
    for loss, value in expected.items():
        assert loss.per_example(A, Y)[0] == pytest.approx(value, rel=1e-12, abs=1e-12), loss
        assert loss.component(A[:, 0].tolist(), Y[:, 0].tolist()) == pytest.approx(value, rel=1e-12, abs=1e-12), loss


@given(st.lists(st.tuples(REAL, st.floats(0, 1)), min_size=1, max_size=5))
def test_binary_crossentropy_is_the_summed_one_over_the_number_of_outputs(pairs):
    Z, Y = (np.array(column, dtype=float)[:, None] for column in zip(*pairs, strict=True))
    summed, mean = (LOSSES[name]().per_example(Z, Y) for name in ("summed_binary_crossentropy", "binary_crossentropy"))
    assert mean * len(pairs) == pytest.approx(summed, rel=1e-12)


def test_label_smoothing_moves_targets_towards_the_uniform_distribution():
    Y = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    # categorical, K = 3, s = 0.3: 1 → 0.7 + 0.1, 0 → 0.1; binary: 1 → 0.7 + 0.15, 0 → 0.15
    categorical = LOSSES["categorical_crossentropy"](label_smoothing=0.3).smooth(Y)
    np.testing.assert_allclose(categorical, [[0.8, 0.1], [0.1, 0.8], [0.1, 0.1]])
    np.testing.assert_allclose(categorical.sum(axis=0), 1.0)
    for name in ("summed_binary_crossentropy", "binary_crossentropy"):
        smoothed = LOSSES[name](label_smoothing=0.3).smooth(Y)
        np.testing.assert_allclose(smoothed, [[0.85, 0.15], [0.15, 0.85], [0.15, 0.15]])


@pytest.mark.parametrize(
    ("loss", "output"),
    [
        ("summed_binary_crossentropy", "sigmoid"),
        ("binary_crossentropy", "sigmoid"),
        ("categorical_crossentropy", "softmax"),
    ],
)
def test_training_on_smoothed_labels_is_training_on_the_moved_targets(loss, output):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(6, 2)), np.eye(3)[rng.integers(0, 3, 6)]
    smoothing, plain = LOSSES[loss](label_smoothing=0.2), LOSSES[loss]()
    with_smoothing, on_moved = (
        Network(2, [Dense(4, "tanh"), Dense(3, output)], loss=one, dtype="float64") for one in (smoothing, plain)
    )
    moved = smoothing.smooth(Y.T).T
    assert with_smoothing.cost(X, Y) == on_moved.cost(X, moved) != on_moved.cost(X, Y)
    for net, targets in ((with_smoothing, Y), (on_moved, moved)):
        net.train_epoch(net.prepare(X, targets), np.arange(6), 4)
    np.testing.assert_array_equal(with_smoothing.parameters.vector, on_moved.parameters.vector)


def test_no_smoothing_leaves_the_targets_alone():
    Y = np.eye(3)
    for name in LOSSES:
        assert LOSSES[name]().smooth(Y) is Y


@given(st.lists(REAL, min_size=2, max_size=6), st.floats(-50, 50))
def test_softmax_sums_to_one_and_ignores_a_shift(z, shift):
    Z = np.array(z)[:, None]
    A, shifted = np.empty_like(Z), np.empty_like(Z)
    activation = ACTIVATIONS["softmax"](Z.shape, Z.dtype)
    activation.forward(Z, A)
    activation.forward(Z + shift, shifted)
    assert A.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(shifted, A, rtol=1e-9)
