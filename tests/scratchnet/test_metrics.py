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


def test_precision_by_hand():
    # class 0: 2 of 3 predicted right; class 1: 2 of 3; class 2: never predicted
    np.testing.assert_allclose(metrics.precision(PREDICTED, LABELS, 3), [2 / 3, 2 / 3, 0.0])
    assert metrics.precision(PREDICTED, LABELS, 3, "macro") == pytest.approx(4 / 9)


def test_recall_by_hand():
    # class 0: 2 of 3 found; class 1: 2 of 2; class 2: 0 of 1
    np.testing.assert_allclose(metrics.recall(PREDICTED, LABELS, 3), [2 / 3, 1.0, 0.0])
    assert metrics.recall(PREDICTED, LABELS, 3, "macro") == pytest.approx(5 / 9)


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
