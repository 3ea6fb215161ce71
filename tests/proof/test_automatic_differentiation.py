"""Propagation by hand against TensorFlow's automatic differentiation, in float64: two derivations of one gradient."""

import numpy as np
import pytest
from cases import OUTPUTS, REGULARIZERS, SMOOTHED, case, distance

from scratchnet import activations
from scratchnet.activations import ACTIVATIONS
from scratchnet.losses import LOSSES

pytest.importorskip("tensorflow")
autodiff = pytest.importorskip("autodiff")

TOLERANCE = 1e-12
pytestmark = pytest.mark.usefixtures("keras")


def assert_equal(of, weights=None):
    network, X, Y = of
    cost, gradient = autodiff.cost_and_gradient(network, X, Y, weights)
    assert distance(network.cost(X, Y, weights), cost) < TOLERANCE
    assert distance(network.gradient(X, Y, weights), gradient) < TOLERANCE, f"{network.gradient(X, Y)}\n{gradient}"


@pytest.mark.parametrize("regularizer", REGULARIZERS)
@pytest.mark.parametrize(("loss", "output"), OUTPUTS)
@pytest.mark.parametrize("hidden", ACTIVATIONS)
def test_cost_and_gradient_equal_tensorflows(hidden, loss, output, regularizer):
    assert_equal(case(hidden, loss, output, 2, **REGULARIZERS[regularizer]))


@pytest.mark.parametrize(("loss", "output"), OUTPUTS)
def test_weighted_examples(loss, output):
    assert_equal(case("tanh", loss, output), weights=np.array([0.0, 0.5, 1.0, 3.0]))


@pytest.mark.parametrize("loss", SMOOTHED)
def test_smoothed_labels(loss):
    (output,) = LOSSES[loss].outputs
    assert_equal(case("tanh", LOSSES[loss](label_smoothing=0.25), output))


@pytest.mark.parametrize("delta", [0.125, 8.0])
def test_huber_inside_and_outside_its_delta(delta):
    assert_equal(case("tanh", LOSSES["huber"](delta), "linear"))


@pytest.mark.parametrize("hidden", ACTIVATIONS)
def test_one_example_and_one_neuron_at_the_output(hidden):
    assert_equal(case(hidden, "summed_binary_crossentropy", "sigmoid", 2, classes=1, examples=1))


def test_a_regularizer_of_half_the_strength_is_told_apart():
    network, X, Y = case("tanh", "mean_squared_error", "linear", l2=0.05)
    _, gradient = autodiff.cost_and_gradient(network, X, Y)
    half = case("tanh", "mean_squared_error", "linear", l2=0.025).network
    assert distance(half.gradient(X, Y), gradient) > 1e-3


def test_a_slope_of_leaky_relu_off_by_its_rounding_to_float32_is_told_apart(monkeypatch):
    network, X, Y = case("leaky_relu", "mean_squared_error", "linear")
    _, gradient = autodiff.cost_and_gradient(network, X, Y)
    monkeypatch.setattr(activations, "LEAKY_SLOPE", 0.2)
    assert distance(network.gradient(X, Y), gradient) > TOLERANCE
