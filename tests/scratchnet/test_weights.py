"""Weights of examples and of classes: what they do to cost and gradient, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import SGD, Dense, Network
from scratchnet.losses import LOSSES

N = 7
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(N, 4)), np.array([0, 2, 1, 0, 1, 2, 2])


def network(loss="categorical_crossentropy", **options):
    return Network(4, [Dense(5, "tanh"), Dense(3, "softmax")], loss=loss, dtype="float64", **options)


def cost_and_gradient(net, rows, weights=None):
    return net.cost(X[rows], Y[rows], weights), net.gradient(X[rows], Y[rows], weights)


def assert_close(first, second):
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)


def scaled(pair, factor):
    return [factor * one for one in pair]


@pytest.mark.parametrize("loss", [name for name in LOSSES if "softmax" in LOSSES[name].outputs])
def test_a_weight_of_zero_leaves_the_example_out_and_still_divides_by_all(loss):
    net, left_out = network(loss), [0, 1, 3, 4, 6]
    weights = np.isin(np.arange(N), left_out).astype(float)
    expected = scaled(cost_and_gradient(net, left_out), len(left_out) / N)
    assert_close(cost_and_gradient(net, np.arange(N), weights), expected)


@pytest.mark.parametrize("loss", [name for name in LOSSES if "softmax" in LOSSES[name].outputs])
def test_a_weight_of_two_is_the_example_twice_and_still_divides_by_each_once(loss):
    net, twice = network(loss), [*range(N), 2, 5]
    weights = np.bincount(twice, minlength=N).astype(float)
    assert_close(cost_and_gradient(net, np.arange(N), weights), scaled(cost_and_gradient(net, twice), len(twice) / N))


def test_weights_of_one_change_nothing():
    net = network()
    assert_close(cost_and_gradient(net, np.arange(N), np.ones(N)), cost_and_gradient(net, np.arange(N)))


@given(st.lists(st.floats(0, 5), min_size=N, max_size=N), st.floats(0, 4))
def test_cost_and_gradient_are_linear_in_the_weights(weights, factor):
    net = network()
    one = cost_and_gradient(net, np.arange(N), np.array(weights))
    assert_close(cost_and_gradient(net, np.arange(N), factor * np.array(weights)), scaled(one, factor))


def test_weights_do_not_weigh_the_regularizer():
    net = network(l1=0.01, l2=0.1)
    penalty = 0.01 * sum(np.abs(W).sum() for W in net.parameters.weights)
    penalty += 0.1 * sum(np.square(W).sum() for W in net.parameters.weights)
    assert net.cost(X, Y, np.zeros(N)) == pytest.approx(penalty, rel=1e-14)


@pytest.mark.parametrize("batch_size", [3, N])
def test_training_weighs_each_step_by_the_weights_of_its_own_examples(batch_size):
    weights, order = RNG.uniform(0, 2, N), np.random.default_rng(1).permutation(N)
    trained, slow = (network(l2=0.01, optimizer=SGD(0.1)) for _ in range(2))
    trained.train_epoch(trained.prepare(X, Y, weights), order, batch_size)
    costs = []
    for start in range(0, N, batch_size):
        rows = order[start : start + batch_size]
        cost, gradient = cost_and_gradient(slow, rows, weights[rows])
        costs.append(cost)
        slow.parameters.vector[...] -= 0.1 * gradient
    np.testing.assert_allclose(trained.step_costs, costs, rtol=1e-12)
    np.testing.assert_allclose(trained.parameters.vector, slow.parameters.vector, rtol=1e-12)


def trained(**weights):
    net = network(optimizer=SGD(0.1))
    net.fit(X, Y, epochs=2, batch_size=3, **weights)
    return net.parameters.vector


def test_a_class_weight_is_the_weight_of_each_of_its_examples_and_a_class_left_out_has_one():
    by_class = trained(class_weight={0: 2.0, 2: 0.5})
    by_example = trained(sample_weight=np.choose(Y, [2.0, 1.0, 0.5]))
    np.testing.assert_array_equal(by_class, by_example)
    assert not np.array_equal(by_class, trained())


def test_both_weights_are_multiplied():
    weights = np.linspace(0.5, 1.5, N)
    both = trained(sample_weight=weights, class_weight={1: 3.0})
    np.testing.assert_array_equal(both, trained(sample_weight=np.where(Y == 1, 3.0 * weights, weights)))


def test_the_weights_handed_in_are_not_changed():
    weights = np.ones(N)
    network().prepare(X, Y, weights, {0: 5.0})
    np.testing.assert_array_equal(weights, 1.0)


@pytest.mark.parametrize("method", ["cost", "gradient", "evaluate", "fit"])
@pytest.mark.parametrize("weights", [np.ones((N, 1)), -np.ones(N), np.full(N, np.nan)], ids=["shape", "sign", "nan"])
def test_everything_that_takes_weights_refuses_the_same(method, weights):
    """A column of weights would otherwise be multiplied with the row of losses to a matrix, without a word."""
    with pytest.raises(ValueError, match=r"sample_weight has shape \(7, 1\)|sample_weight is (-1.0|nan) in row 0"):
        getattr(network(), method)(X, Y, sample_weight=weights)
