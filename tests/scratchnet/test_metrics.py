"""Metrics against hand counts, and the laws that tie them together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import metrics

CLASSES = 4
PAIRS = st.lists(st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES - 1)), min_size=1, max_size=40)

# true      0 0 0 1 1 2
# predicted 0 0 1 1 1 0
LABELS, PREDICTED = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0])


def test_confusion_matrix_by_hand():
    np.testing.assert_array_equal(metrics.confusion_matrix(PREDICTED, LABELS, 3), [[2, 1, 0], [0, 2, 0], [1, 0, 0]])


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (metrics.precision, [2 / 3, 2 / 3, 0.0]),  # class 0: 2 of 3 predicted right; 1: 2 of 3; 2: never predicted
        (metrics.recall, [2 / 3, 1.0, 0.0]),  # class 0: 2 of 3 found; 1: 2 of 2; 2: 0 of 1
        (metrics.f1_score, [4 / 6, 4 / 5, 0.0]),  # class 0: 2·2 / (2·2 + 1 + 1); 1: 2·2 / (2·2 + 1 + 0); 2: none right
    ],
)
def test_a_metric_of_each_class_by_hand(metric, expected):
    np.testing.assert_allclose(metric(PREDICTED, LABELS, 3), expected)
    assert metric(PREDICTED, LABELS, 3, "macro") == pytest.approx(sum(expected) / 3)


@given(PAIRS)
def test_micro_averages_of_single_label_data_are_the_accuracy(pairs):
    predicted, labels = (np.array(column) for column in zip(*pairs, strict=True))
    expected = metrics.accuracy(predicted, labels)
    assert metrics.precision(predicted, labels, CLASSES, "micro") == pytest.approx(expected)
    assert metrics.recall(predicted, labels, CLASSES, "micro") == pytest.approx(expected)


@given(PAIRS)
def test_exchanging_prediction_and_truth_exchanges_precision_and_recall(pairs):
    predicted, labels = (np.array(column) for column in zip(*pairs, strict=True))
    np.testing.assert_array_equal(
        metrics.precision(predicted, labels, CLASSES), metrics.recall(labels, predicted, CLASSES)
    )


def test_binary_accuracy_counts_every_output_alone():
    outputs = np.array([[0.9, 0.2, 0.1], [0.4, 0.3, 0.3]])
    # first row right in 3 of 3 outputs; second row, class 0, misses its one and is right about two zeros
    assert metrics.binary_accuracy(outputs, np.array([0, 0])) == pytest.approx(5 / 6)


def test_one_output_is_decided_by_the_threshold():
    outputs = np.array([[0.5], [0.51], [0.2]])
    np.testing.assert_array_equal(metrics.predicted_classes(outputs), [0, 1, 0])
    np.testing.assert_array_equal(metrics.predicted_classes(outputs, threshold=0.1), [1, 1, 1])


def test_no_examples_have_no_accuracy():
    assert np.isnan(metrics.accuracy(np.array([], int), np.array([], int)))


@given(PAIRS)
def test_f1_is_the_harmonic_mean_of_precision_and_recall(pairs):
    predicted, labels = (np.array(column) for column in zip(*pairs, strict=True))
    p, r = (metric(predicted, labels, CLASSES) for metric in (metrics.precision, metrics.recall))
    expected = [2 * a * b / (a + b) if a + b else 0.0 for a, b in zip(p, r, strict=True)]
    np.testing.assert_allclose(metrics.f1_score(predicted, labels, CLASSES), expected, rtol=1e-14)
    accuracy = metrics.accuracy(predicted, labels)
    assert metrics.f1_score(predicted, labels, CLASSES, "micro") == pytest.approx(accuracy)


def test_top_k_by_hand():
    outputs, labels = np.array([[0.1, 0.6, 0.3], [0.5, 0.2, 0.3], [0.2, 0.2, 0.6]]), np.array([2, 1, 0])
    # the true class is second, third, and second together with another
    assert metrics.top_k_categorical_accuracy(outputs, labels, 1) == 0.0
    assert metrics.top_k_categorical_accuracy(outputs, labels, 2) == pytest.approx(2 / 3)
    assert metrics.top_k_categorical_accuracy(outputs, labels, 3) == 1.0


@given(st.lists(st.permutations(range(CLASSES)), min_size=1, max_size=10), st.data())
def test_top_k_is_the_share_of_true_classes_of_rank_k_or_better(rows, data):
    labels = np.array(data.draw(st.lists(st.integers(0, CLASSES - 1), min_size=len(rows), max_size=len(rows))))
    outputs = np.array(rows, float)
    ranks = [sorted(row, reverse=True).index(row[label]) for row, label in zip(rows, labels, strict=True)]
    for k in range(1, CLASSES + 1):
        assert metrics.top_k_categorical_accuracy(outputs, labels, k) == np.mean([rank < k for rank in ranks])
    first = metrics.top_k_categorical_accuracy(outputs, labels, 1)
    assert first == metrics.accuracy(metrics.predicted_classes(outputs), labels)


@pytest.mark.parametrize("k", [0, 4])
def test_top_k_refuses_a_k_that_is_no_rank(k):
    with pytest.raises(ValueError, match=rf"k is {k}; allowed: 1 to 3"):
        metrics.top_k_categorical_accuracy(np.ones((2, 3)), np.array([0, 1]), k)


SCORES = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=30)
"""Few different scores, so that ties are common, within a kind and across."""


def scores_of(pairs):
    return np.array([score / 6 for score, _ in pairs]), np.array([positive for _, positive in pairs])


@given(SCORES)
def test_the_area_under_the_roc_curve_is_the_chance_that_a_positive_outscores_a_negative(pairs):
    scores, positive = scores_of(pairs)
    wins = [(score > other) + 0.5 * (score == other) for score in scores[positive] for other in scores[~positive]]
    result = metrics.roc_auc(scores, positive)
    assert np.isnan(result) if not wins else result == pytest.approx(np.mean(wins), rel=1e-14)


@given(SCORES)
def test_the_area_under_the_roc_curve_is_the_area_of_its_trapezoids(pairs):
    scores, positive = scores_of(pairs)
    if positive.all() or not positive.any():
        return
    thresholds = [*sorted(set(scores), reverse=True)]
    hits = [0.0, *(np.mean(scores[positive] >= t) for t in thresholds)]
    alarms = [0.0, *(np.mean(scores[~positive] >= t) for t in thresholds)]
    assert metrics.roc_auc(scores, positive) == pytest.approx(np.trapezoid(hits, alarms), abs=1e-14)


@given(SCORES)
def test_turning_scores_round_turns_the_area_round_and_a_rising_function_leaves_it(pairs):
    scores, positive = scores_of(pairs)
    area = metrics.roc_auc(scores, positive)
    assert np.isnan(area) or metrics.roc_auc(-scores, positive) == pytest.approx(1 - area, abs=1e-14)
    np.testing.assert_equal(metrics.roc_auc(np.exp(scores), positive), area)


@given(SCORES)
def test_the_precision_recall_curve_is_equation_8_at_each_threshold(pairs):
    """Entry i is of the classes that (8) decides with any threshold just below thresholds[i]."""
    scores, positive = scores_of(pairs)
    if not positive.any():
        return
    thresholds, precision, recall = metrics.precision_recall_curve(scores, positive)
    assert thresholds.tolist() == sorted(set(scores))
    for t, p, r in zip(thresholds, precision, recall, strict=True):
        predicted = metrics.predicted_classes(scores[:, None], np.nextafter(t, -1.0))
        labels = positive.astype(int)
        assert p == pytest.approx(metrics.precision(predicted, labels, 2)[1])
        assert r == pytest.approx(metrics.recall(predicted, labels, 2)[1])


@given(SCORES)
def test_recall_falls_as_the_threshold_rises_from_one(pairs):
    scores, positive = scores_of(pairs)
    if not positive.any():
        return
    _, precision, recall = metrics.precision_recall_curve(scores, positive)
    assert (recall[0], precision[0]) == (1.0, np.mean(positive))
    assert (np.diff(recall) <= 0).all()
