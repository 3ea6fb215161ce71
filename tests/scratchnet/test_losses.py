"""Losses against their definitions, and at the extremes where a naive formula breaks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    assert LOSSES["summed_binary_crossentropy"].per_example(Z, Y)[0] == pytest.approx(expected, rel=1e-8)


@given(st.lists(REAL, min_size=2, max_size=6), st.data())
def test_categorical_crossentropy_is_minus_log_of_the_true_class(z, data):
    true = data.draw(st.integers(0, len(z) - 1))
    Y = np.eye(len(z))[:, [true]]
    loss = LOSSES["categorical_crossentropy"].per_example(np.array(z)[:, None], Y)[0]
    assert loss == pytest.approx(-math.log(softmax(z)[true]), rel=1e-9, abs=1e-12)


def test_sum_of_squared_errors_by_hand():
    A, Y = np.array([[0.5, 1.0], [2.0, 0.0]]), np.array([[1.0, 1.0], [0.0, 0.0]])
    # (0.5 - 1)² + (2 - 0)² = 4.25; (1 - 1)² + 0² = 0
    np.testing.assert_array_equal(LOSSES["sum_of_squared_errors"].per_example(A, Y), [4.25, 0.0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("z", [-1e4, -100.0, 0.0, 100.0, 1e4])
@pytest.mark.parametrize("name", ["summed_binary_crossentropy", "categorical_crossentropy"])
def test_cross_entropies_are_finite_however_wrong_the_network_is(name, z, dtype):
    Z, Y = np.array([[z], [0.0]], dtype), np.array([[1.0], [0.0]], dtype)
    loss = LOSSES[name].per_example(Z, Y)
    assert loss.dtype == dtype
    assert np.isfinite(loss).all()
    assert loss[0] >= max(0.0, -z)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_finite_at_extremes(name):
    Z = np.array([[-1e4, 1e4, 0.0], [-1e4, -1e4, 0.0]], "float32")
    A = np.empty_like(Z)
    with np.errstate(over="ignore"):
        ACTIVATIONS[name](Z.shape, Z.dtype).forward(Z, A)
    assert np.isfinite(A).all()


@given(st.lists(REAL, min_size=2, max_size=6), st.floats(-50, 50))
def test_softmax_sums_to_one_and_ignores_a_shift(z, shift):
    Z = np.array(z)[:, None]
    A, shifted = np.empty_like(Z), np.empty_like(Z)
    activation = ACTIVATIONS["softmax"](Z.shape, Z.dtype)
    activation.forward(Z, A)
    activation.forward(Z + shift, shifted)
    assert A.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(shifted, A, rtol=1e-9)


def test_softmax_shifts_each_example_by_its_own_maximum():
    """Shifted by the maximum of the batch, the second column would be 0/0."""
    Z = np.array([[1000.0, -1000.0], [999.0, -1001.0]])
    A = np.empty_like(Z)
    ACTIVATIONS["softmax"](Z.shape, Z.dtype).forward(Z, A)
    np.testing.assert_allclose(A[:, 0], A[:, 1])
