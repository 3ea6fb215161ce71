"""The check of gradients that users call: in float64 whatever the network's dtype, and tensor by tensor."""

import numpy as np
import pytest

from scratchnet import Dense, Network, central_differences, gradient_error, gradient_errors
from scratchnet.losses import LOSSES, Huber, MeanSquaredError

RIGHT = 1e-7


def network(dtype="float32", loss="categorical_crossentropy", output="softmax", **options):
    layers = [Dense(6, "tanh"), Dense(4, "sigmoid"), Dense(3, output)]
    return Network(5, layers, loss=loss, dtype=dtype, seed=1, **options)


def data(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(8, 5)), rng.integers(0, 3, 8)


@pytest.mark.parametrize("loss", [name for name in LOSSES if "softmax" in LOSSES[name].outputs])
def test_a_right_gradient_is_right_in_the_default_dtype(loss):
    assert gradient_error(network(loss=loss), *data()) < RIGHT


def test_the_dtype_of_the_network_makes_no_difference():
    single, double = network(), network("float64")
    double.parameters.vector[...] = single.parameters.vector
    assert gradient_errors(single, *data()) == gradient_errors(double, *data())
    np.testing.assert_array_equal(central_differences(single, *data()), central_differences(double, *data()))


def test_settings_of_the_network_belong_to_the_check():
    net = network(loss=Huber(0.3), output="linear", l1=0.01, l2=0.02)
    X, y = data()
    assert gradient_error(net, X, y, sample_weight=np.linspace(0, 2, 8)) < RIGHT


def test_the_network_stays_as_it_is():
    net = network()
    before = net.parameters.vector.copy()
    gradient_error(net, *data())
    np.testing.assert_array_equal(net.parameters.vector, before)
    assert net.parameters.vector.dtype == np.float32


def test_each_tensor_has_a_ratio_of_its_own():
    errors = gradient_errors(network(), *data())
    assert set(errors) == {"all", "W[1]", "b[1]", "W[2]", "b[2]", "W[3]", "b[3]"}
    assert max(errors.values()) < RIGHT
    assert errors["all"] == gradient_error(network(), *data())


def test_a_mistake_is_found_in_the_tensor_that_has_it(monkeypatch):
    right = Network.gradient

    def one_bias_doubled(self, *arguments, **options):
        gradient = right(self, *arguments, **options)
        self.parameters.like(gradient).biases[0][...] *= 2.0
        return gradient

    monkeypatch.setattr(Network, "gradient", one_bias_doubled)
    errors = gradient_errors(network(), *data())
    assert errors["b[1]"] == pytest.approx(1 / 3, abs=1e-6)
    assert errors["all"] > 1e-3
    assert max(errors[name] for name in ("W[1]", "W[2]", "b[2]", "W[3]", "b[3]")) < RIGHT


def test_a_gradient_of_nothing_is_right():
    """A dead layer: its gradient is 0, and the differences of a cost that does not change are 0 or rounding."""
    net = Network(5, [Dense(4, "relu"), Dense(3, "softmax")], seed=0)
    net.parameters.biases[0][...] = -100.0
    assert max(gradient_errors(net, *data()).values()) < RIGHT


def test_a_mistake_of_the_loss_is_found_in_float32_too(monkeypatch):
    right = MeanSquaredError.slopes

    def halved(self, A, Y, out):
        right(self, A, Y, out)
        np.multiply(out, 0.5, out=out)

    monkeypatch.setattr(MeanSquaredError, "slopes", halved)
    net = network(loss="mean_squared_error", output="linear")
    assert gradient_error(net, *data()) == pytest.approx(1 / 3, abs=1e-6)
