"""The equations that a subject is held to are the derivation's: they equal the formulations, the network, its steps."""

import numpy as np
import pytest
from problems import PROBLEMS

from bench.backends.scratchnet import network_of
from bench.locate.bounds import Rounding
from bench.locate.equations import REFERENCE
from bench.locate.experiment import experiment
from bench.locate.net import net_of
from bench.locate.problems import spec_of
from bench.locate.state import Key, step
from scratchnet import engine
from scratchnet.activations import ACTIVATIONS
from scratchnet.formulations import scalar, vector
from scratchnet.losses import LOSSES

PAIRS = [(loss, output) for loss in LOSSES for output in sorted(LOSSES[loss].outputs)]
OPTIMIZERS = {
    "sgd": {"learning_rate": 0.1},
    "momentum": {"learning_rate": 0.1, "momentum": 0.9},
    "nesterov": {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
    "rmsprop": {"name": "rmsprop", "learning_rate": 0.01},
    "centered": {"name": "rmsprop", "learning_rate": 0.01, "centered": True, "momentum": 0.5},
    "adam": {"name": "adam", "learning_rate": 0.01},
    "adamw": {"name": "adamw", "learning_rate": 0.01, "weight_decay": 0.1},
    "adagrad": {"name": "adagrad", "learning_rate": 0.01},
    "clipnorm": {"learning_rate": 0.1, "clipnorm": 0.02},
    "global_clipnorm": {"learning_rate": 0.1, "global_clipnorm": 0.02},
    "clipvalue": {"learning_rate": 0.1, "clipvalue": 0.01},
    "schedule": PROBLEMS["schedule"].optimizer.model_dump(),
}


@pytest.fixture(autouse=True)
def numpy_steps(monkeypatch):
    """The formulations take the steps, not the engine."""
    monkeypatch.setenv(engine.VARIABLE, "numpy")


def set_up(spec):
    """The network, and the first moment with its state."""
    net = net_of(spec)
    moment = experiment(net, "float64")[0].moments[0]
    network = network_of(spec)
    network.parameters.set(moment.parameters)
    return network, moment, step(net, REFERENCE, moment, {}, {}, 1)


def gradient(network, state):
    """dW and db of a state in the order of `parameters.vector`."""
    pairs = [(state.expected[Key("dW", l)], state.expected[Key("db", l)]) for l in state.net.layers]
    return np.concatenate([np.hstack([dW, db[:, None]]).ravel() for dW, db in pairs])


@pytest.mark.parametrize(("loss", "output"), PAIRS)
def test_cost_and_gradient_are_those_of_the_formulations(loss, output):
    network, moment, state = set_up(spec_of([3, (4, "tanh"), (3, output)], loss, regularization={"l1": 0.1, "l2": 0.2}))
    X, Y = moment.X.T, moment.Y.T
    found = gradient(network, state)
    np.testing.assert_allclose(found, network.gradient(X, Y), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found, vector.gradients(network, X, Y), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(found, scalar.gradients(network, X, Y), rtol=1e-11, atol=1e-13)
    assert state.expected[Key("cost")] == pytest.approx(network.cost(X, Y), rel=1e-13)


@pytest.mark.parametrize("hidden", ACTIVATIONS)
def test_every_hidden_activation_is_that_of_the_formulations(hidden):
    network, moment, state = set_up(spec_of([3, (4, hidden), (5, hidden), (2, "linear")], "mean_squared_error"))
    X, Y = moment.X.T, moment.Y.T
    np.testing.assert_allclose(gradient(network, state), vector.gradients(network, X, Y), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_three_steps_are_those_of_the_optimizer(optimizer):
    spec = spec_of([3, (4, "tanh"), (2, "softmax")], "categorical_crossentropy", OPTIMIZERS[optimizer])
    net, network = net_of(spec), network_of(spec)
    memory = {}
    for t, moment in enumerate(experiment(net, "float64")[0].moments, start=1):
        network.parameters.set(moment.parameters)
        state = step(net, REFERENCE, moment, {}, memory, t)
        memory = {**memory, **state.remembered}
        network.train_epoch(network.prepare(moment.X.T, moment.Y.T), np.arange(moment.M), moment.M)
        for l, (before, after) in enumerate(zip(moment.parameters, network.parameters.get(), strict=True), start=1):
            for name, old, new in zip("Wb", before, after, strict=True):
                np.testing.assert_allclose(state.expected[Key(f"u{name}", l)], new - old, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("problem", ["smoothed", "weighted", "dropout"])
def test_targets_weights_and_masks_are_those_of_the_network(problem):
    network, moment, state = set_up(PROBLEMS[problem])
    masks = [mask.T for mask in moment.masks.values()]
    expected = network.gradient(moment.X.T, moment.Y.T, moment.weights, masks)
    np.testing.assert_allclose(gradient(network, state), expected, rtol=1e-12, atol=1e-14)
    cost = network.cost(moment.X.T, moment.Y.T, moment.weights, masks)
    assert state.expected[Key("cost")] == pytest.approx(cost, rel=1e-13)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_float32_rounds_off_is_within_the_bound_of_float32(problem):
    """The bound is no constant: it holds for sums that are computed in float32, and float64's is smaller by 2^29."""
    net = net_of(PROBLEMS[problem])
    moment = experiment(net, "float32")[0].moments[0]
    state = step(net, REFERENCE, moment, {}, {}, 1)
    bound = Rounding(state, "float32", {}).of
    fine = Rounding(state, "float64", {}).of
    for l, (W, b) in enumerate(moment.parameters, start=1):
        below = (state.A(l - 1)).astype(np.float32)
        single = W.astype(np.float32) @ below + b.astype(np.float32)[:, None]
        assert (np.abs(single - state.Z(l)) <= bound[Key("Z", l)]).all()
        assert (np.abs(single - state.Z(l)) > fine[Key("Z", l)]).any()
