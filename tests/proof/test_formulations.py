"""Component form, one example in matrices, a whole batch in matrices: three derivations of one and the same numbers."""

import numpy as np
import pytest
from cases import CLASSES, OUTPUTS, REGULARIZERS, case, distance

from scratchnet.activations import ACTIVATIONS
from scratchnet.formulations import scalar, vector
from scratchnet.losses import LOSSES

TOLERANCE = 1e-12
SMOOTHED = ("summed_binary_crossentropy", "binary_crossentropy", "categorical_crossentropy")
every_output = pytest.mark.parametrize(("loss", "output"), OUTPUTS)
every_activation = pytest.mark.parametrize("hidden", ACTIVATIONS)


@pytest.mark.parametrize("regularizer", REGULARIZERS)
@every_output
def test_without_hidden_layers_costs_and_gradients_agree(loss, output, regularizer):
    assert_one_cost_and_gradient(case("linear", loss, output, 0, **REGULARIZERS[regularizer]))


@pytest.mark.parametrize("regularizer", REGULARIZERS)
@pytest.mark.parametrize("depth", [1, 3])
@every_output
@every_activation
def test_costs_and_gradients_agree(hidden, loss, output, depth, regularizer):
    assert_one_cost_and_gradient(case(hidden, loss, output, depth, **REGULARIZERS[regularizer]))


@every_activation
def test_one_neuron_and_one_example_agree(hidden):
    assert_one_cost_and_gradient(case(hidden, "binary_crossentropy", "sigmoid", 2, classes=1, examples=1))


@pytest.mark.parametrize("loss", SMOOTHED)
def test_smoothed_labels_agree(loss):
    (output,) = LOSSES[loss].outputs
    assert_one_cost_and_gradient(case("tanh", LOSSES[loss](label_smoothing=0.2), output))


@pytest.mark.parametrize("output", ACTIVATIONS)
@every_activation
def test_forward_outputs_agree(hidden, output):
    network, X, _ = case(hidden, "mean_squared_error", output, 3)
    by_batch = network.predict(X)
    by_scalar = [scalar.forward(scalar.layers_of(network), x.tolist())[-1].a for x in X]
    by_vector = [vector.forward(vector.layers_of(network), x[:, None])[-1].a[:, 0] for x in X]
    assert by_batch.shape == (len(X), CLASSES)
    assert distance(by_scalar, by_batch) < TOLERANCE
    assert distance(by_vector, by_batch) < TOLERANCE


def test_an_error_of_one_in_a_million_is_told_apart():
    network, X, Y = case("tanh", "mean_squared_error", "linear")
    assert distance(scalar.gradients(network, X, Y) * (1 + 1e-6), network.gradient(X, Y)) > TOLERANCE
    by_scalar = scalar.gradients(network, X, Y)
    network.parameters.vector[0] += 1e-6
    assert distance(by_scalar, network.gradient(X, Y)) > TOLERANCE


def test_a_prediction_is_one_only_above_its_threshold():
    assert scalar.prediction([0.5, 0.51, 0.2], [0.5, 0.5, 0.1]) == [0, 1, 1]  # (8)


def assert_one_cost_and_gradient(of):
    network, X, Y = of
    cost, gradient = network.cost(X, Y), network.gradient(X, Y)
    assert np.isfinite(cost)
    for formulation in (scalar, vector):
        assert distance(formulation.cost(network, X, Y), cost) < TOLERANCE, formulation.__name__
        assert distance(formulation.gradients(network, X, Y), gradient) < TOLERANCE, formulation.__name__
