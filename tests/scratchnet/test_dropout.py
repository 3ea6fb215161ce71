"""Dropout: what a mask takes away, in the forward and the backward pass, and that prediction knows nothing of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import SGD, Dense, Network
from scratchnet.activations import ACTIVATIONS
from scratchnet.dropout import Dropout
from scratchnet.dropout import masks_of as drawn

WIDTH, EXAMPLES = 6, 8


def network(rate=0.5, hidden="tanh", **options):
    layers = [Dense(WIDTH, hidden, dropout=rate), Dense(WIDTH, hidden, dropout=rate), Dense(3, "softmax")]
    return Network(4, layers, dtype="float64", **options)


def data(count=EXAMPLES):
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, 4)), rng.integers(0, 3, count)


def masks_of(seed=1, count=EXAMPLES):
    return drawn(np.random.default_rng(seed), [Dense(WIDTH, "relu", dropout=0.5)] * 2, count)


@pytest.mark.parametrize("hidden", ACTIVATIONS)
def test_a_layer_with_masks_is_the_activation_times_mask_over_one_minus_rate(hidden):
    rng = np.random.default_rng(0)
    Z, mask = rng.normal(size=(WIDTH, EXAMPLES)), rng.random((EXAMPLES, WIDTH)) > 0.25
    plain, A, dropped = ACTIVATIONS[hidden](Z.shape, Z.dtype), np.empty_like(Z), np.empty_like(Z)
    plain.forward(Z, A)
    dropout = Dropout(ACTIVATIONS[hidden](Z.shape, Z.dtype), 0.25, Z.shape, Z.dtype)
    dropout.keep(mask)
    dropout.forward(Z, dropped)
    np.testing.assert_allclose(dropped, np.where(mask.T, A / 0.75, 0.0), rtol=1e-15)


def test_neurons_dropped_in_every_example_get_no_gradient_and_send_none_on():
    (X, y), masks = data(), masks_of()
    masks[0][:, [1, 4]] = False
    net = network()
    gradient = net.parameters.zeros_like()
    gradient.vector[...] = net.gradient(X, y, masks=masks)
    incoming, outgoing = gradient.augmented[0], gradient.weights[1]
    assert not incoming[[1, 4]].any()
    assert not outgoing[:, [1, 4]].any()
    assert incoming[[0, 2, 3, 5]].all()
    assert outgoing[:, [0, 2, 3, 5]].any(axis=0).all()


def test_a_mask_drops_in_its_own_example_alone():
    """The gradient of a batch is the mean of its examples' gradients, each under its own row of the masks."""
    (X, y), masks, net = data(), masks_of(), network()
    one_by_one = [
        net.gradient(X[i : i + 1], y[i : i + 1], masks=[mask[i : i + 1] for mask in masks]) for i in range(EXAMPLES)
    ]
    np.testing.assert_allclose(net.gradient(X, y, masks=masks), np.mean(one_by_one, axis=0), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("batch_size", [3, 8])
def test_training_reads_row_i_of_the_masks_for_position_i_of_the_order(batch_size):
    (X, y), masks, order = data(), masks_of(), np.random.default_rng(2).permutation(EXAMPLES)
    trained, slow = network(optimizer=SGD(0.1), l2=0.01), network(l2=0.01)
    trained.train_epoch(trained.prepare(X, y), order, batch_size, masks)
    costs = []
    for start in range(0, EXAMPLES, batch_size):
        rows, kept = order[start : start + batch_size], [mask[start : start + batch_size] for mask in masks]
        costs.append(slow.cost(X[rows], y[rows], masks=kept))
        slow.parameters.vector[...] -= 0.1 * slow.gradient(X[rows], y[rows], masks=kept)
    np.testing.assert_allclose(trained.parameters.vector, slow.parameters.vector, rtol=1e-12)
    np.testing.assert_allclose(trained.step_costs, costs, rtol=1e-12)


@pytest.mark.parametrize("rows", [EXAMPLES, EXAMPLES + 3])
def test_prediction_drops_nothing_right_after_training_even_with_batches_of_its_own_size(rows):
    X, y = data(rows)
    net, plain = network(), network(rate=0.0)
    net.train_epoch(net.prepare(X[:EXAMPLES], y[:EXAMPLES]), np.arange(EXAMPLES), EXAMPLES, masks_of())
    plain.parameters.vector[...] = net.parameters.vector
    np.testing.assert_array_equal(net.predict(X), plain.predict(X))
    assert net.evaluate(X, y) == plain.evaluate(X, y)
    np.testing.assert_array_equal(net.gradient(X, y), plain.gradient(X, y))


def test_masks_that_keep_everything_scale_all_the_same():
    (X, y), net = data(), network(rate=0.5)
    everything = [np.ones((EXAMPLES, WIDTH), bool)] * 2
    assert net.cost(X, y, masks=everything) != net.cost(X, y)
    scaled = network(rate=0.0)
    for W in scaled.parameters.weights[1:]:
        W *= 2.0
    assert net.cost(X, y, masks=everything) == pytest.approx(scaled.cost(X, y), rel=1e-14)


def test_a_rate_of_zero_is_no_dropout():
    X, y = data()
    without = Network(4, [Dense(WIDTH, "tanh"), Dense(WIDTH, "tanh"), Dense(3, "softmax")], dtype="float64")
    with_zero = network(rate=0.0)
    histories = [net.fit(X, y, epochs=3, batch_size=3) for net in (without, with_zero)]
    assert histories[0] == histories[1]
    np.testing.assert_array_equal(without.parameters.vector, with_zero.parameters.vector)


def test_fit_drops_out_in_training():
    X, y = data()
    costs = [network(rate).fit(X, y)[0].cost for rate in (0.0, 0.5)]
    assert costs[0] != costs[1]


@given(st.sampled_from([0.1, 0.5, 0.8]), st.integers(0, 50))
def test_masks_keep_the_share_that_the_rate_leaves(rate, seed):
    (mask,) = drawn(np.random.default_rng(seed), [Dense(50, "relu", dropout=rate)], 200)
    assert (mask.shape, mask.dtype) == ((200, 50), bool)
    assert np.mean(mask) == pytest.approx(1 - rate, abs=5 * np.sqrt(rate * (1 - rate) / mask.size))


def test_masks_are_asked_for_where_there_is_dropout_and_nowhere_else():
    X, y = data()
    for net, masks, count in ((network(), (), 2), (network(), masks_of()[:1], 2), (network(0.0), masks_of(), 0)):
        with pytest.raises(ValueError, match=rf"masks of {len(masks)} layers given; the network drops out in {count}"):
            net.train_epoch(net.prepare(X, y), np.arange(EXAMPLES), 4, masks)
