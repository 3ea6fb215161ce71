"""Early stopping: the rule on sequences of values, and what `fit` does with it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import SGD, Dense, EarlyStopping, Network

VALUES = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=12)
"""Numbers of float32, in which values are compared: two that differ there only are equal."""
PATIENCE, MIN_DELTA = st.integers(0, 4), st.sampled_from([0.0, 0.05, 0.3])


def epochs_until_stop(rule, values):
    """Number of the epoch at which the rule stops, or None."""
    return next((epoch for epoch, value in enumerate(values, 1) if rule.update(value)), None)


def test_a_rise_is_waited_out_for_as_long_as_patience_says():
    values = [1.0, 0.8, 0.9, 0.85, 0.7, 0.75, 0.7, 0.71]
    # the best so far: epochs 1, 2, 5; then 0.75, 0.70 (equal, so no improvement), 0.71
    assert epochs_until_stop(EarlyStopping(patience=1), values) == 3
    assert epochs_until_stop(EarlyStopping(patience=2), values) == 4
    rule = EarlyStopping(patience=3)
    assert epochs_until_stop(rule, values) == 8
    assert rule.best_epoch == 5


def test_patience_of_zero_and_one_stop_at_the_first_epoch_without_improvement():
    for patience in (0, 1):
        assert epochs_until_stop(EarlyStopping(patience=patience), [3.0, 2.0, 2.0]) == 3


def test_an_improvement_counts_only_beyond_min_delta():
    assert epochs_until_stop(EarlyStopping(min_delta=0.1), [1.0, 0.95]) == 2
    assert epochs_until_stop(EarlyStopping(min_delta=0.1), [1.0, 0.85, 0.8]) == 3


@pytest.mark.parametrize(("monitor", "sign"), [("train_cost", -1), ("validation_accuracy", 1)])
@pytest.mark.parametrize("gain", [0.1, 0.2, 0.3, 0.01, 0.05])
def test_a_gain_that_equals_min_delta_but_for_rounding_is_none(monitor, sign, gain):
    """0.8 - 0.7 is 0.1000...1 in float64: whether it counts must not hang on where the two values lie."""
    for start in np.arange(10) / 10:
        rule = EarlyStopping(monitor, patience=9, min_delta=gain)
        assert epochs_until_stop(rule, [start, start + sign * gain]) is None
        assert rule.best_epoch == 1
        assert epochs_until_stop(rule, [start + sign * 1.001 * gain]) is None
        assert rule.best_epoch == 3


def test_of_an_accuracy_more_is_better():
    rising = [0.1, 0.2, 0.3]
    assert epochs_until_stop(EarlyStopping("validation_accuracy"), rising) is None
    assert epochs_until_stop(EarlyStopping("train_cost"), rising) == 2


def test_a_value_that_is_no_number_is_no_improvement():
    assert epochs_until_stop(EarlyStopping(patience=2), [1.0, np.nan, np.nan, 0.5]) == 3


@given(VALUES, PATIENCE, MIN_DELTA)
def test_it_never_stops_at_the_best_epoch_nor_at_the_first(values, patience, min_delta):
    rule = EarlyStopping(patience=patience, min_delta=min_delta)
    stop = epochs_until_stop(rule, values)
    assert 1 <= rule.best_epoch <= len(values)
    if stop is not None:
        assert stop - rule.best_epoch == max(patience, 1)


@given(VALUES, PATIENCE)
def test_without_min_delta_the_best_epoch_is_the_first_lowest_seen(values, patience):
    rule = EarlyStopping(patience=patience)
    stop = epochs_until_stop(rule, values)
    assert rule.best_epoch == 1 + int(np.argmin(values[:stop]))


@given(VALUES, PATIENCE)
def test_more_patience_never_stops_earlier(values, patience):
    sooner, later = (epochs_until_stop(EarlyStopping(patience=p), values) for p in (patience, patience + 1))
    assert (later or np.inf) >= (sooner or np.inf)


@given(VALUES, PATIENCE, MIN_DELTA)
def test_after_a_reset_it_begins_anew(values, patience, min_delta):
    rule = EarlyStopping(patience=patience, min_delta=min_delta)
    first = epochs_until_stop(rule, values)
    rule.reset()
    assert epochs_until_stop(rule, values) == first


def overfitting(and_then=lambda epoch: None, **options):
    """A network on labels that nothing can be learned from: the validation cost soon rises."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 5)), rng.integers(0, 2, 40)
    net = Network(5, [Dense(30, "tanh"), Dense(2, "softmax")], optimizer=SGD(0.5), dtype="float64", seed=1)
    vectors = []
    history = net.fit(
        X[:20],
        y[:20],
        epochs=60,
        batch_size=5,
        validation_data=(X[20:], y[20:]),
        on_epoch=lambda epoch: (vectors.append(net.parameters.vector.copy()), and_then(epoch)),
        **options,
    )
    return net, history, vectors


def test_fit_stops_where_the_rule_says_and_keeps_the_last_parameters():
    net, history, vectors = overfitting(early_stopping=EarlyStopping(patience=3))
    rule = EarlyStopping(patience=3)
    assert 3 < len(history) < 60
    assert epochs_until_stop(rule, [epoch.validation["cost"] for epoch in history]) == len(history)
    np.testing.assert_array_equal(net.parameters.vector, vectors[-1])


@pytest.mark.parametrize("patience", [3, 1000])
def test_fit_puts_the_best_back_also_where_the_epochs_run_out(patience):
    rule = EarlyStopping(patience=patience, restore_best=True)
    net, history, vectors = overfitting(early_stopping=rule)
    assert len(history) == min(60, rule.best_epoch + patience)
    assert rule.best_epoch < 60
    np.testing.assert_array_equal(net.parameters.vector, vectors[rule.best_epoch - 1])


def test_a_rule_that_never_stops_changes_nothing():
    watched, plain = overfitting(early_stopping=EarlyStopping("train_cost", patience=1000)), overfitting()
    np.testing.assert_array_equal(watched[0].parameters.vector, plain[0].parameters.vector)
    assert watched[1] == plain[1]


def test_the_same_rule_serves_a_second_fit():
    rule = EarlyStopping(patience=3)
    first, second = (len(overfitting(early_stopping=rule)[1]) for _ in range(2))
    assert first == second


def test_a_rule_that_another_training_uses_meanwhile_decides_as_if_it_were_alone():
    options = {"patience": 3, "restore_best": True}
    net, history, _ = overfitting(early_stopping=EarlyStopping(**options))
    shared, others = EarlyStopping(**options), []

    def train_another(epoch):
        if epoch.number % 2:
            others.append(len(overfitting(early_stopping=shared)[1]))

    beside, meanwhile, _ = overfitting(early_stopping=shared, and_then=train_another)
    assert len(meanwhile) == len(history)
    assert others == [len(history)] * len(others)
    assert others
    np.testing.assert_array_equal(beside.parameters.vector, net.parameters.vector)
    assert shared.best_epoch == len(history) - 3
