"""One gradient, derived five times: in component form, in matrices, for a batch, by differences, by TensorFlow.

Every case stands away from the kinks of relu, leaky_relu, |e|, Huber's loss and |w| by construction (`cases`): the
tolerances are the same for all. A last part plants wrong gradients and demands that they are found.
"""

from importlib.util import find_spec

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
    distance,
    distance_to_kinks,
    is_allowed,
)
from covering import covering

from scratchnet import activations, central_differences, gradient_error
from scratchnet.activations import ACTIVATIONS, LEAKY_SLOPE, Sigmoid
from scratchnet.formulations import scalar, vector
from scratchnet.losses import LOSSES
from scratchnet.regularizers import L1L2

EXACT, NUMERIC = 1e-12, 1e-7
CELLS = [
    *covering(ACTIVATIONS, LOSSES, ACTIVATIONS, [1, 3], REGULARIZERS, where=is_allowed),
    *covering(["linear"], LOSSES, ACTIVATIONS, [0], REGULARIZERS, where=is_allowed),
]
every_activation = pytest.mark.parametrize("hidden", ACTIVATIONS)


def by_formulation(formulation):
    return lambda network, X, Y: (formulation.cost(network, X, Y), formulation.gradients(network, X, Y))


@pytest.fixture
def derivations(request):
    """Name → a function of network, X and Y that gives cost and gradient."""
    found = {"scalar": by_formulation(scalar), "vector": by_formulation(vector)}
    if find_spec("tensorflow"):
        request.getfixturevalue("keras")
        found["TensorFlow"] = pytest.importorskip("autodiff").cost_and_gradient
    return found


def assert_equal(of, derivations, **options):
    network, X, Y = of
    cost, gradient = network.cost(X, Y, **options), network.gradient(X, Y, **options)
    assert np.isfinite(cost)
    for name, derived in derivations.items():
        other_cost, other = derived(network, X, Y, **options)
        assert distance(other_cost, cost) < EXACT, name
        assert distance(other, gradient) < EXACT, f"{name}\n{other}\n{gradient}"


def assert_right(of, **options):
    """Relative error of the gradient, and a case on which central differences mean something."""
    assert distance_to_kinks(of) > KINK_DISTANCE
    network, X, Y = of
    analytic, numeric = network.gradient(X, Y, **options), central_differences(network, X, Y, **options)
    assert np.abs(analytic).max() > 1e-3, "a gradient of nothing proves nothing"
    error = np.linalg.norm(analytic - numeric) / (np.linalg.norm(analytic) + np.linalg.norm(numeric))
    assert error < NUMERIC, f"analytic {analytic}\nnumeric {numeric}"


@pytest.mark.parametrize(("hidden", "loss", "output", "depth", "regularizer"), CELLS)
def test_every_derivation_gives_one_cost_and_gradient(hidden, loss, output, depth, regularizer, derivations):
    of = case(hidden, loss, output, depth, **REGULARIZERS[regularizer])
    assert_equal(of, derivations)
    assert_right(of)


@pytest.mark.parametrize(("loss", "output"), OUTPUTS)
def test_weighted_examples(loss, output, derivations):
    of, weights = case("tanh", loss, output), np.array([0.0, 0.5, 1.0, 3.0])
    assert_right(of, sample_weight=weights)
    if "TensorFlow" in derivations:
        _, expected = derivations["TensorFlow"](*of, weights)
        assert distance(of.network.gradient(of.X, of.Y, weights), expected) < EXACT


@pytest.mark.parametrize("loss", SMOOTHED)
def test_smoothed_labels(loss, derivations):
    (output,) = LOSSES[loss].outputs
    of = case("tanh", LOSSES[loss](label_smoothing=0.25), output)
    assert_equal(of, derivations)
    assert_right(of)
    plain = case("tanh", loss, output).network
    assert not np.allclose(plain.gradient(of.X, of.Y), of.network.gradient(of.X, of.Y)), "the smoothing counts"


@pytest.mark.parametrize("delta", [0.125, 1.0, 8.0])
@pytest.mark.parametrize("output", ACTIVATIONS)
def test_huber_inside_and_outside_its_delta(output, delta, derivations):
    of = case("tanh", LOSSES["huber"](delta), output)
    assert_equal(of, derivations)
    assert_right(of)


@pytest.mark.parametrize("rate", [0.25, 0.6])
@every_activation
def test_dropout_with_the_masks_held(hidden, rate):
    rng = np.random.default_rng(3)
    masks = [rng.random((EXAMPLES, n)) >= rate for n in WIDTHS]
    of = case(hidden, "mean_squared_error", "linear", 3, dropout=rate)
    assert_right(of, masks=masks)
    assert not np.allclose(of.network.gradient(of.X, of.Y), of.network.gradient(of.X, of.Y, masks=masks))


@every_activation
@pytest.mark.parametrize("loss", ["summed_binary_crossentropy", "binary_crossentropy"])
def test_one_example_and_one_neuron_at_the_output(hidden, loss, derivations):
    of = case(hidden, loss, "sigmoid", 2, classes=1, examples=1)
    assert_equal(of, derivations)
    assert_right(of)


@pytest.mark.parametrize("output", sorted(set(ACTIVATIONS) - {"softmax"}))
def test_one_neuron_of_each_activation(output):
    assert_right(case("tanh", "mean_squared_error", output, 1, classes=1, examples=1))


@pytest.mark.parametrize("loss", ["mean_squared_error", "categorical_crossentropy"])
def test_a_softmax_of_one_neuron_is_constant(loss):
    network, X, Y = case("tanh", loss, "softmax", 1, classes=1)
    assert np.abs(network.gradient(X, np.ones_like(Y))).max() == 0.0


@pytest.mark.parametrize("output", ACTIVATIONS)
@every_activation
def test_forward_outputs_agree(hidden, output):
    network, X, _ = case(hidden, "mean_squared_error", output, 3)
    by_scalar = [scalar.forward(scalar.layers_of(network), x.tolist())[-1].a for x in X]
    by_vector = [vector.forward(vector.layers_of(network), x[:, None])[-1].a[:, 0] for x in X]
    assert distance(by_scalar, network.predict(X)) < EXACT
    assert distance(by_vector, network.predict(X)) < EXACT


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


def twice_and_a_bit(self, A, out):
    np.multiply(A, 1.0 - A, out=out)
    np.multiply(out, 2.001, out=out)


def diagonal(self, A, G, out):
    np.multiply(G, A * (1.0 - A), out=out)


def half_the_slope(self, W, scale, out, scratch):
    np.multiply(W, scale * self.l2, out=out)


def not_averaged(self, activation, A, Y, delta):
    np.subtract(A, Y, out=delta)


@pytest.mark.parametrize(
    ("kind", "name", "wrong", "of"),
    [
        (Sigmoid, "derivative", twice_and_a_bit, ("sigmoid", "categorical_crossentropy", "softmax")),
        (ACTIVATIONS["softmax"], "jacobian_product", diagonal, ("tanh", "sum_of_squared_errors", "softmax")),
        (ACTIVATIONS["softmax"], "jacobian_product", diagonal, ("softmax", "sum_of_squared_errors", "linear")),
        (LOSSES["binary_crossentropy"], "output_error", not_averaged, ("tanh", "binary_crossentropy", "sigmoid")),
        (L1L2, "gradient", half_the_slope, ("tanh", "mean_squared_error", "linear")),
    ],
)
def test_a_planted_wrong_gradient_is_found(kind, name, wrong, of, monkeypatch):
    monkeypatch.setattr(kind, name, wrong)
    assert gradient_error(*case(*of, l2=0.05)) > 1e-3


def test_a_difference_of_one_in_a_million_is_told_apart():
    network, X, Y = case("tanh", "mean_squared_error", "linear")
    by_scalar = scalar.gradients(network, X, Y)
    assert distance(by_scalar * (1 + 1e-6), network.gradient(X, Y)) > EXACT
    network.parameters.vector[0] += 1e-6
    assert distance(by_scalar, network.gradient(X, Y)) > EXACT


def test_a_slope_of_leaky_relu_off_by_its_rounding_to_float32_is_told_apart(monkeypatch, derivations):
    network, X, Y = case("leaky_relu", "mean_squared_error", "linear")
    _, gradient = derivations["scalar"](network, X, Y)
    monkeypatch.setattr(activations, "LEAKY_SLOPE", 0.2)
    assert distance(network.gradient(X, Y), gradient) > EXACT


def test_a_case_on_a_kink_is_told_from_one_away_from_it():
    network, X, Y = case("relu", "mean_squared_error", "linear")
    network.parameters.weights[0][0] = 0.0
    network.parameters.biases[0][0] = KINK_DISTANCE / 2
    assert distance_to_kinks((network, X, Y)) < KINK_DISTANCE


def test_the_cases_are_as_wide_as_they_say():
    network, X, Y = case("tanh", "mean_squared_error", "linear", 3)
    assert [layer.units for layer in network.layers] == [*WIDTHS, CLASSES]
    assert (X.shape, Y.shape) == ((EXAMPLES, INPUTS), (EXAMPLES, CLASSES))
