"""Weighted inputs of ±10⁴, probabilities of exactly 0 and 1, rows of zeros, one neuron, one example: in float32.

Cost and gradient are finite everywhere and TensorFlow's to 1e-6 · max(1, |b|) for each value b of TensorFlow; in a
whole batch, where the examples' huge parts cancel, |b| is that of the largest value. No warning may be raised at all.
Where TensorFlow itself loses digits, a test of its own says so and holds scratchnet against exact numbers.
"""

import numpy as np
import pytest
from cases import OUTPUTS, is_allowed
from covering import covering

from scratchnet import Dense, Network
from scratchnet.activations import ACTIVATIONS
from scratchnet.formulations import scalar, vector
from scratchnet.losses import LOSSES

pytest.importorskip("tensorflow")
autodiff = pytest.importorskip("autodiff")

TOLERANCE = 1e-6
NEURONS = 3
ROWS = np.array(
    [[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4], [0.0, 0.0, 0.0], [1e4, 1e4, 1e4], [0.5, 0.25, -0.5], [-60.0, 60.0, 0.0]]
)
CLASSES = np.array([0, 1, 2, 0, 1, 0])
ONE_OUTPUT = np.array([[0.0], [1.0], [1.0], [0.0], [0.0], [1.0]])
THROUGH = covering(ACTIVATIONS, LOSSES, ACTIVATIONS, [NEURONS, 1], where=is_allowed)
AS_THEY_ARE = [("linear", *output, neurons) for output in OUTPUTS for neurons in (NEURONS, 1)]
"""Extremes that reach the output: most activations bound them."""


def extreme(hidden, loss, output, neurons):
    """Identities for weights, so that a row of X is the first weighted input: network, X (N, n_0), Y (N, n_L)."""
    network = Network(neurons, [Dense(neurons, hidden), Dense(neurons, output)], loss=loss, dtype="float32")
    network.parameters.set([(np.eye(neurons), np.zeros(neurons))] * 2)
    return network, ROWS[:, :neurons], targets(loss, neurons)


def targets(loss, neurons):
    if neurons > 1:
        return np.eye(neurons)[CLASSES]
    return np.ones_like(ONE_OUTPUT) if "categorical" in loss else ONE_OUTPUT


def differences(network, X, Y):
    """Each value of cost and gradient less TensorFlow's, and TensorFlow's: (1 + parameters,) both."""
    cost, gradient = network.cost(X, Y), network.gradient(X, Y)
    assert np.isfinite(cost)
    assert np.isfinite(gradient).all()
    assert gradient.dtype == "float32"
    expected = np.append(*reversed(autodiff.cost_and_gradient(network, X, Y)))
    return np.abs(np.append(gradient, cost) - expected), np.abs(expected)


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")  # Keras's, of one neuron
@pytest.mark.filterwarnings("ignore:In loss categorical_crossentropy, expected y_pred.shape")  # the same
@pytest.mark.parametrize(("hidden", "loss", "output", "neurons"), [*THROUGH, *AS_THEY_ARE])
def test_each_example_alone_is_finite_and_tensorflows(hidden, loss, output, neurons, keras_in):
    keras_in("float32")
    network, X, Y = extreme(hidden, loss, output, neurons)
    for row in range(len(X)):
        difference, size = differences(network, X[row : row + 1], Y[row : row + 1])
        assert (difference <= TOLERANCE * np.maximum(1.0, size)).all(), X[row]


@pytest.mark.parametrize(("hidden", "loss", "output", "neurons"), THROUGH)
def test_the_batch_is_finite_and_tensorflows(hidden, loss, output, neurons, keras_in):
    keras_in("float32")
    difference, size = differences(*extreme(hidden, loss, output, NEURONS))
    assert difference.max() <= TOLERANCE * max(1.0, size.max())


@pytest.mark.parametrize(("loss", "output"), OUTPUTS)
def test_an_epoch_on_extremes_raises_no_warning(loss, output):
    """Saturated outputs train as well: the step and its cost, not only `cost` and `gradient`."""
    network, X, Y = extreme("tanh", loss, output, NEURONS)
    assert np.isfinite(network.train_epoch(network.prepare(X, Y), np.arange(len(X)), 4))
    assert np.isfinite(network.parameters.vector).all()


@pytest.mark.parametrize("formulation", [scalar, vector])
@pytest.mark.parametrize("hidden", ACTIVATIONS)
def test_the_formulations_of_one_example_are_finite_as_well(hidden, formulation):
    """But for cross entropies, which they define on probabilities strictly between 0 and 1."""
    network, X, Y = extreme(hidden, "mean_squared_error", "sigmoid", NEURONS)
    assert np.isfinite(formulation.cost(network, X, Y))
    difference = np.abs(formulation.gradients(network, X, Y) - network.gradient(X, Y))
    assert difference.max() < TOLERANCE * max(1.0, np.abs(network.gradient(X, Y)).max())


@pytest.mark.parametrize("name", ["sigmoid", "softmax"])
def test_the_rows_reach_probabilities_of_exactly_zero_and_one(name):
    network, X, _ = extreme("linear", "mean_squared_error", name, NEURONS)
    outputs = network.predict(X)
    assert {0.0, 1.0} <= set(outputs.ravel().tolist())


def test_a_cross_entropy_of_a_probability_that_is_zero_is_the_distance_of_the_weighted_inputs():
    network, *_ = extreme("linear", "categorical_crossentropy", "softmax", NEURONS)
    # z = (10⁴, −10⁴, 0), the true class has z = −10⁴: −log a = 10⁴ + 10⁴ + log(1 + e^−10⁴ + e^−2·10⁴)
    assert network.cost(ROWS[:1], np.array([1])) == 2e4


def test_tensorflow_flushes_subnormal_numbers_to_zero_and_scratchnet_keeps_them(keras_in):
    """softmax(−50, 50) is (e^−100, 1): 3.8e-44 in float32, a subnormal. ReLU's slope there is 1, and at 0 it is 0."""
    keras_in("float32")
    network = Network(2, [Dense(2, "softmax"), Dense(2, "relu")], loss="mean_squared_error")
    network.parameters.set([(np.eye(2), np.zeros(2))] * 2)
    X, Y = np.array([[-50.0, 50.0]]), np.array([[1.0, 0.0]])
    _, in_float32 = autodiff.cost_and_gradient(network, X, Y)
    keras_in("float64")
    _, in_float64 = autodiff.cost_and_gradient(network, X, Y)
    gradient = network.gradient(X, Y)
    assert np.abs(gradient - in_float32).max() > 0.5
    assert (np.abs(gradient - in_float64) <= TOLERANCE * np.maximum(1.0, np.abs(in_float64))).all()


def test_tensorflows_elu_of_a_tiny_negative_number_is_zero_and_scratchnets_is_not(keras_in):
    """e^z − 1 is 0 where |z| is below the machine's ε, in float64 too; expm1 keeps it, and with it the sign of a."""
    z, a = np.array([[-1e-20]]), np.empty((1, 1))
    keras = keras_in("float64")
    assert keras.activations.elu(keras.ops.array(z)).numpy() == 0.0
    ACTIVATIONS["elu"]((1, 1), z.dtype).forward(z, a)
    assert a == -1e-20
