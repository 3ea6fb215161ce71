"""How good predictions are: accuracy, precision and recall.

Fed by outputs as rows (N, n_L) and labels (N,); used alike for every network, whoever trained it.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]
Average = Literal["macro", "micro"] | None


def predicted_classes(outputs: Array, threshold: float = 0.5) -> Labels:
    """The class of the largest output of each row; with one output, 1 where it exceeds `threshold`, equation (8)."""
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > threshold).astype(np.int64)
    classes: Labels = np.argmax(outputs, axis=1)
    return classes


def accuracy(predicted: Labels, labels: Labels) -> float:
    """Share of examples whose predicted class is the true one. No examples: NaN."""
    return float(np.mean(predicted == labels)) if len(labels) else float("nan")


def binary_accuracy(outputs: Array, labels: Labels, threshold: float = 0.5) -> float:
    """Share of all N · n_L outputs on the right side of `threshold` (Keras's BinaryAccuracy).

    With one-hot targets the n_L − 1 zeros of each example count as much as its one: it flatters.
    """
    targets = labels[:, None] == np.arange(outputs.shape[1]) if outputs.shape[1] > 1 else labels[:, None] == 1
    return float(np.mean((outputs > threshold) == targets)) if len(labels) else float("nan")


def confusion_matrix(predicted: Labels, labels: Labels, classes: int) -> NDArray[np.int64]:
    """(classes, classes) counts: row = true class, column = predicted class."""
    pairs = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return pairs.reshape(classes, classes)


def precision(predicted: Labels, labels: Labels, classes: int, average: Average = None) -> Any:
    """True positives / (true positives + false positives); 0 where nothing was predicted as the class.

    average : None gives one value a class, (classes,); "macro" their mean; "micro" counts all classes together.
    """
    counts = confusion_matrix(predicted, labels, classes)
    return _averaged(np.diag(counts), counts.sum(axis=0), average)


def recall(predicted: Labels, labels: Labels, classes: int, average: Average = None) -> Any:
    """True positives / (true positives + false negatives); 0 where the class has no example.

    average : as in `precision`.
    """
    counts = confusion_matrix(predicted, labels, classes)
    return _averaged(np.diag(counts), counts.sum(axis=1), average)


def _averaged(hits: NDArray[np.int64], totals: NDArray[np.int64], average: Average) -> Any:
    if average == "micro":
        return float(hits.sum() / max(int(totals.sum()), 1))
    shares = hits / np.maximum(totals, 1)
    return float(shares.mean()) if average == "macro" else shares
