"""Analytic gradients against central differences of the reported cost, for every combination that a spec can name."""

import numpy as np
import pytest

from scratchnet import Dense, Network, central_differences, gradient_error
from scratchnet.activations import ACTIVATIONS, Sigmoid
from scratchnet.losses import LOSSES

HIDDEN = [name for name in ACTIVATIONS if name != "softmax"]
OUTPUTS = [(loss, output) for loss in LOSSES for output in sorted(LOSSES[loss].outputs)]


def network_and_batch(hidden, loss, output, depth, l2=0.0, examples=5):
    rng = np.random.default_rng([depth, len(hidden), len(output)])
    layers = [Dense(units, hidden) for units in (6, 5, 4)[:depth]]
    network = Network(4, [*layers, Dense(3, output)], loss=loss, l2=l2, dtype="float64", seed=rng)
    for b in network.parameters.biases:  # at b = 0 a dead layer puts the next one exactly on ReLU's kink
        b[...] = rng.normal(size=b.shape)
    return network, rng.normal(size=(examples, 4)), rng.integers(0, 3, examples)


@pytest.mark.parametrize("l2", [0.0, 0.05])
@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize(("loss", "output"), OUTPUTS)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_backpropagation_equals_central_differences(hidden, loss, output, depth, l2):
    network, X, y = network_and_batch(hidden, loss, output, depth, l2)
    error = gradient_error(network, X, y)
    assert error < 1e-7, f"analytic {network.gradient(X, y)}\nnumeric {central_differences(network, X, y)}"


@pytest.mark.parametrize("hidden", HIDDEN)
def test_one_example_and_one_output(hidden):
    rng = np.random.default_rng(0)
    network = Network(3, [Dense(2, hidden), Dense(1, "sigmoid")], loss="summed_binary_crossentropy", dtype="float64")
    network.parameters.vector[...] = rng.normal(size=network.parameters.vector.shape)
    assert gradient_error(network, rng.normal(size=(1, 3)), np.array([1])) < 1e-7


def test_a_planted_wrong_derivative_is_found(monkeypatch):
    def twice_and_a_bit(self, A, out):
        np.multiply(A, 1.0 - A, out=out)
        np.multiply(out, 2.001, out=out)

    monkeypatch.setattr(Sigmoid, "derivative", twice_and_a_bit)
    assert gradient_error(*network_and_batch("sigmoid", "categorical_crossentropy", "softmax", 1)) > 1e-3


def test_softmax_gradient_taken_as_its_diagonal_is_found(monkeypatch):
    def diagonal(self, A, G, out):
        np.multiply(G, A * (1.0 - A), out=out)

    monkeypatch.setattr(ACTIVATIONS["softmax"], "jacobian_product", diagonal)
    assert gradient_error(*network_and_batch("tanh", "sum_of_squared_errors", "softmax", 1)) > 1e-3


def test_relu_has_derivative_zero_at_zero():
    relu, zero, one = ACTIVATIONS["relu"]((1, 1), np.dtype("float64")), np.zeros((1, 1)), np.ones((1, 1))
    result = np.full((1, 1), np.nan)
    relu.jacobian_product(zero, one, result)
    assert result == 0.0


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_jacobian_product_is_the_derivative_of_forward(name):
    """Column by column: G · ∂A/∂Z against differences of Σ G ⊙ A."""
    rng = np.random.default_rng(1)
    activation = ACTIVATIONS[name]((4, 3), np.dtype("float64"))
    Z, G, A, product = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), np.empty((4, 3)), np.empty((4, 3))

    def value(Z):
        activation.forward(Z, A)
        return float(np.sum(G * A))

    numeric = np.empty_like(Z)
    for index in np.ndindex(Z.shape):
        step = np.zeros_like(Z)
        step[index] = 1e-6
        numeric[index] = (value(Z + step) - value(Z - step)) / 2e-6
    activation.forward(Z, A)
    activation.jacobian_product(A, G, product)
    np.testing.assert_allclose(product, numeric, rtol=1e-7, atol=1e-9)
