"""Analytic gradients against central differences of the reported cost, for every combination that a network allows.

Every case stands away from the kinks of relu, leaky_relu, |e|, Huber's loss and |w| by construction (`cases`): the
tolerance is one for all. A last part plants wrong gradients and demands that they are found.
"""

import numpy as np
import pytest
from cases import (
    CLASSES,
    EXAMPLES,
    INPUTS,
    KINK_DISTANCE,
    OUTPUTS,
    REGULARIZERS,
    SMOOTHED,
    WIDTHS,
    case,
    distance_to_kinks,
)

from scratchnet import central_differences, gradient_error
from scratchnet.activations import ACTIVATIONS, LEAKY_SLOPE, Sigmoid
from scratchnet.losses import LOSSES
from scratchnet.regularizers import L1L2

TOLERANCE = 1e-7
every_output = pytest.mark.parametrize(("loss", "output"), OUTPUTS)
every_activation = pytest.mark.parametrize("hidden", ACTIVATIONS)


def assert_right(of, **options):
    """Relative error of the gradient, and a case on which central differences mean something."""
    assert distance_to_kinks(of) > KINK_DISTANCE
    network, X, Y = of
    analytic, numeric = network.gradient(X, Y, **options), central_differences(network, X, Y, **options)
    assert np.abs(analytic).max() > 1e-3, "a gradient of nothing proves nothing"
    error = np.linalg.norm(analytic - numeric) / (np.linalg.norm(analytic) + np.linalg.norm(numeric))
    assert error < TOLERANCE, f"analytic {analytic}\nnumeric {numeric}"


@pytest.mark.parametrize("regularizer", REGULARIZERS)
@every_output
def test_backpropagation_equals_central_differences_without_hidden_layers(loss, output, regularizer):
    assert_right(case("linear", loss, output, 0, **REGULARIZERS[regularizer]))


@pytest.mark.parametrize("regularizer", REGULARIZERS)
@pytest.mark.parametrize("depth", [1, 3])
@every_output
@every_activation
def test_backpropagation_equals_central_differences(hidden, loss, output, depth, regularizer):
    assert_right(case(hidden, loss, output, depth, **REGULARIZERS[regularizer]))


@every_output
def test_weighted_examples(loss, output):
    assert_right(case("tanh", loss, output), sample_weight=np.array([0.0, 0.5, 1.0, 3.0]))


@pytest.mark.parametrize("loss", SMOOTHED)
def test_smoothed_labels(loss):
    (output,) = LOSSES[loss].outputs
    network, X, Y = case("tanh", LOSSES[loss](label_smoothing=0.2), output)
    assert_right((network, X, Y))
    plain = case("tanh", loss, output).network
    assert not np.allclose(plain.gradient(X, Y), network.gradient(X, Y)), "the smoothing counts"


@pytest.mark.parametrize("delta", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("output", ACTIVATIONS)
def test_huber_inside_and_outside_its_delta(output, delta):
    assert_right(case("tanh", LOSSES["huber"](delta), output))


@pytest.mark.parametrize("rate", [0.25, 0.6])
@every_activation
def test_dropout_with_the_masks_held(hidden, rate):
    rng = np.random.default_rng(3)
    masks = [rng.random((EXAMPLES, n)) >= rate for n in WIDTHS]
    of = case(hidden, "mean_squared_error", "linear", 3, dropout=rate)
    assert_right(of, masks=masks)
    assert not np.allclose(of.network.gradient(of.X, of.Y), of.network.gradient(of.X, of.Y, masks=masks))


@every_activation
def test_one_example_and_one_neuron_at_the_output(hidden):
    assert_right(case(hidden, "summed_binary_crossentropy", "sigmoid", 2, classes=1, examples=1))


@pytest.mark.parametrize("output", sorted(set(ACTIVATIONS) - {"softmax"}))
def test_one_neuron_of_each_activation(output):
    assert_right(case("tanh", "mean_squared_error", output, 1, classes=1, examples=1))


@pytest.mark.parametrize("loss", ["mean_squared_error", "categorical_crossentropy"])
def test_a_softmax_of_one_neuron_is_constant(loss):
    network, X, Y = case("tanh", loss, "softmax", 1, classes=1)
    assert np.abs(network.gradient(X, np.ones_like(Y))).max() == 0.0


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


@pytest.mark.parametrize(("name", "slope"), [("relu", 0.0), ("leaky_relu", LEAKY_SLOPE)])
def test_at_zero_the_slope_is_that_of_the_left(name, slope):
    activation, zero, result = ACTIVATIONS[name]((1, 1), np.dtype("float64")), np.zeros((1, 1)), np.empty((1, 1))
    activation.forward(zero, zero)
    activation.jacobian_product(zero, np.ones((1, 1)), result)
    assert result == slope
    assert ACTIVATIONS[name].slope(0.0) == slope


def test_where_output_meets_target_the_absolute_error_has_slope_zero():
    loss, A, delta = LOSSES["mean_absolute_error"](), np.array([[1.0]]), np.empty((1, 1))
    loss.output_error(ACTIVATIONS["linear"]((1, 1), A.dtype), A, A.copy(), delta)
    assert delta == 0.0


def test_a_planted_wrong_derivative_is_found(monkeypatch):
    def twice_and_a_bit(self, A, out):
        np.multiply(A, 1.0 - A, out=out)
        np.multiply(out, 2.001, out=out)

    monkeypatch.setattr(Sigmoid, "derivative", twice_and_a_bit)
    assert gradient_error(*case("sigmoid", "categorical_crossentropy", "softmax")) > 1e-3


def test_softmax_gradient_taken_as_its_diagonal_is_found(monkeypatch):
    def diagonal(self, A, G, out):
        np.multiply(G, A * (1.0 - A), out=out)

    monkeypatch.setattr(ACTIVATIONS["softmax"], "jacobian_product", diagonal)
    assert gradient_error(*case("tanh", "sum_of_squared_errors", "softmax")) > 1e-3
    assert gradient_error(*case("softmax", "sum_of_squared_errors", "linear")) > 1e-3


def test_a_loss_averaged_over_outputs_with_a_summed_gradient_is_found(monkeypatch):
    summed = LOSSES["summed_binary_crossentropy"].output_error
    monkeypatch.setattr(LOSSES["binary_crossentropy"], "output_error", summed)
    assert gradient_error(*case("tanh", "binary_crossentropy", "sigmoid")) > 1e-3


def test_a_regularizer_of_half_the_slope_is_found(monkeypatch):
    monkeypatch.setattr(L1L2, "gradient", lambda self, W, scale, out, scratch: np.multiply(W, scale * self.l2, out=out))
    assert gradient_error(*case("tanh", "mean_squared_error", "linear", l2=0.05)) > 1e-3


def test_a_case_on_a_kink_is_told_from_one_away_from_it():
    network, X, Y = case("relu", "mean_squared_error", "linear")
    network.parameters.weights[0][0] = 0.0
    network.parameters.biases[0][0] = KINK_DISTANCE / 2
    assert distance_to_kinks((network, X, Y)) < KINK_DISTANCE


def test_the_cases_are_as_wide_as_they_say():
    network, X, Y = case("tanh", "mean_squared_error", "linear", 3)
    assert [layer.units for layer in network.layers] == [*WIDTHS, CLASSES]
    assert (X.shape, Y.shape) == ((EXAMPLES, INPUTS), (EXAMPLES, CLASSES))
