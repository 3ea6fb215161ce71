"""One source of initial parameters and order of examples, and fingerprints that notice every difference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.inputs.plan import Plan, batches, batches_fingerprint, parameters_fingerprint
from bench.spec import ArchitectureSpec, load_suite

SPEC = load_suite("quick").specs[0]


@given(seed=st.integers(0, 2**63 - 1), epoch=st.integers(1, 1000), examples=st.integers(1, 200))
def test_an_order_is_a_permutation_and_depends_on_seed_and_epoch_alone(seed, epoch, examples):
    order = Plan(SPEC, seed).order(epoch, examples)
    np.testing.assert_array_equal(np.sort(order), np.arange(examples))
    np.testing.assert_array_equal(order, Plan(SPEC.model_copy(update={"batch_size": 7}), seed).order(epoch, examples))


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = {tuple(Plan(SPEC, seed).order(epoch, 50)) for seed in (0, 1) for epoch in (1, 2, 3)}
    assert len(orders) == 6


def test_parameters_are_drawn_in_float64_and_rounded_once():
    in_float64 = Plan(SPEC.model_copy(update={"dtype": "float64"}), 3).initial_parameters()
    in_float32 = Plan(SPEC, 3).initial_parameters()
    for (W64, b64), (W32, b32) in zip(in_float64, in_float32, strict=True):
        assert (W64.dtype, W32.dtype) == ("float64", "float32")
        np.testing.assert_array_equal(W64.astype("float32"), W32)
        assert not b64.any()
        assert not b32.any()


@settings(max_examples=50)
@given(layer=st.integers(0, 1), which=st.integers(0, 1), position=st.floats(0, 1, exclude_max=True))
def test_the_last_bit_of_any_parameter_changes_the_fingerprint(layer, which, position):
    parameters = Plan(SPEC, 0).initial_parameters()
    before = parameters_fingerprint(parameters)
    array = parameters[layer][which].reshape(-1)
    index = int(position * array.size)
    array[index] = np.nextafter(array[index], np.float32(np.inf))
    assert parameters_fingerprint(parameters) != before


def test_a_fingerprint_depends_on_the_shape_and_not_on_the_memory_order():
    W, b = np.arange(6.0).reshape(2, 3), np.zeros(2)
    assert parameters_fingerprint([(np.asfortranarray(W), b)]) == parameters_fingerprint([(W, b)])
    assert parameters_fingerprint([(W.reshape(3, 2), b)]) != parameters_fingerprint([(W, b)]), "the same bytes"


DROPPING = SPEC.model_copy(
    update={
        "architecture": ArchitectureSpec(
            inputs=3,
            layers=[
                {"units": 50, "activation": "relu", "dropout": 0.5},
                {"units": 20, "activation": "relu"},
                {"units": 30, "activation": "relu", "dropout": 0.2},
                {"units": 10, "activation": "softmax"},
            ],
        )
    }
)


def test_masks_drop_at_the_layers_rates_and_anew_in_each_epoch():
    first, second = Plan(DROPPING, 0).dropout_masks(1, 400), Plan(DROPPING, 0).dropout_masks(2, 400)
    assert [mask.shape for mask in first] == [(400, 50), (400, 30)]
    for mask, rate in zip(first, (0.5, 0.2), strict=True):
        assert mask.mean() == pytest.approx(1 - rate, abs=0.02)
    assert (first[0] != second[0]).any()
    np.testing.assert_array_equal(first[0], Plan(DROPPING, 0).dropout_masks(1, 400)[0])
    assert Plan(SPEC, 0).dropout_masks(1, 400) == []


def test_weights_are_the_class_s_times_the_example_s_own():
    labels = np.arange(1000) % 2
    weighted = SPEC.model_copy(update={"class_weights": (1.0, 3.0), "sample_weight_range": (0.5, 1.5)})
    weights = Plan(weighted, 0).sample_weights(labels)
    assert weights.dtype == SPEC.dtype
    own = weights / np.where(labels, 3, 1)
    assert 0.5 <= own.min() < 0.51
    assert 1.49 < own.max() <= 1.5
    assert own[labels == 0].mean() == pytest.approx(own[labels == 1].mean(), abs=0.05)
    assert Plan(SPEC, 0).sample_weights(labels) is None


def test_weights_and_masks_are_part_of_the_fingerprint():
    order, weights, mask = np.arange(10), np.ones(10), np.ones((10, 3), bool)
    other_mask, other_weights = mask.copy(), weights.copy()
    other_mask[4, 1], other_weights[7] = False, 2.0
    prints = {
        batches_fingerprint(batches(X, Y, order, 4, w, masks))
        for w in (None, weights, other_weights)
        for masks in ([], [mask], [other_mask])
    }
    assert len(prints) == 9


X, Y = np.random.default_rng(0).normal(size=(10, 3)), np.eye(10)


def consumed(order, batch_size=4, x=X, y=Y):
    return batches_fingerprint(batches(x, y, np.asarray(order), batch_size))


def test_batches_cover_the_order_and_the_last_is_shorter():
    parts = [x for x, _ in batches(X, Y, np.arange(9, -1, -1), 4)]
    assert [len(part) for part in parts] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate(parts), X[::-1])


@pytest.mark.parametrize("pair", [(0, 1), (0, 9), (3, 4)])
def test_two_swapped_examples_change_the_fingerprint(pair):
    order = np.arange(10)
    swapped = order.copy()
    swapped[list(pair)] = swapped[list(pair[::-1])]
    assert consumed(swapped) != consumed(order)


def test_another_batch_size_another_pixel_and_another_label_change_the_fingerprint():
    x, y = X.copy(), Y.copy()
    x[5, 1] = np.nextafter(x[5, 1], 9)
    y[5] = Y[6]
    order = np.arange(10)
    assert len({consumed(order), consumed(order, 5), consumed(order, x=x), consumed(order, y=y)}) == 4
