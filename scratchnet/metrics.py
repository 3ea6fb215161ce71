"""How good predictions are: accuracy, precision, recall, F1 and the ROC curve for classes, errors for real numbers.

Outputs are rows (N, n_L), labels (N,). Arrays of different shapes are a ValueError: NumPy would broadcast them.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from scratchnet.arrays import Array

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
    _same_shape(predicted, labels)
    return _mean(predicted == labels)


def binary_accuracy(outputs: Array, labels: Labels, threshold: float = 0.5) -> float:
    """Share of all N · n_L outputs on the right side of `threshold` (Keras's BinaryAccuracy).

    With one-hot targets the n_L − 1 zeros of each example count as much as its one: it flatters.
    """
    _same_shape(outputs[:, 0], labels)
    targets = labels[:, None] == np.arange(outputs.shape[1]) if outputs.shape[1] > 1 else labels[:, None] == 1
    return _mean((outputs > threshold) == targets)


def top_k_categorical_accuracy(outputs: Array, labels: Labels, k: int = 5) -> float:
    """Share of examples whose true class is among the k largest outputs; a class of equal output does not push it out.

    A k that is not in [1, n_L] is a ValueError.
    """
    if not 1 <= k <= outputs.shape[1]:
        raise ValueError(f"k is {k}; allowed: 1 to {outputs.shape[1]}")
    _same_shape(outputs[:, 0], labels)
    of_true = np.take_along_axis(outputs, labels[:, None], axis=1)
    return _mean(np.sum(outputs > of_true, axis=1) < k)


def confusion_matrix(predicted: Labels, labels: Labels, classes: int) -> NDArray[np.int64]:
    """(classes, classes) counts: row = true class, column = predicted class; one not in [0, classes) is refused."""
    _same_shape(predicted, labels)
    for name, given in (("predicted", predicted), ("labels", labels)):
        if len(given) and (given.min() < 0 or given.max() >= classes):
            raise ValueError(f"{name} has classes {given.min()} to {given.max()}; allowed: 0 to {classes - 1}")
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


def f1_score(predicted: Labels, labels: Labels, classes: int, average: Average = None) -> Any:
    """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN); 0 where the class is neither true nor predicted.

    average : as in `precision`; "macro" is the mean of the classes' F1, as in Keras's `F1Score`.
    """
    counts = confusion_matrix(predicted, labels, classes)
    return _averaged(2 * np.diag(counts), counts.sum(axis=0) + counts.sum(axis=1), average)


def roc_auc(scores: Array, positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve, exactly: the chance that a positive outscores a negative, ties counted half.

    scores : (N,); positive : (N,) true or false. One kind missing: NaN. Mann & Whitney 1947; Keras's `AUC` approaches
    it with 200 thresholds.
    """
    _same_shape(scores, positive)
    positives, negatives = int(np.sum(positive)), int(np.sum(~positive))
    if not positives or not negatives:
        return float("nan")
    _, ranks, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2.0
    above = float(np.sum(mean_rank[ranks][positive])) - positives * (positives + 1) / 2.0
    return above / (positives * negatives)


def precision_recall_curve(scores: Array, positive: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """Thresholds, precision and recall: entry i is of predicting scores ≥ thresholds[i]; thresholds rise.

    scores : (N,), positive : (N,) true or false, one of them true at least. In the strict sense of equation (8),
    scores ≥ thresholds[i] is scores > any threshold between the score below and this one.
    """
    _same_shape(scores, positive)
    thresholds, first = np.unique(np.sort(scores), return_index=True)
    hits = np.cumsum(positive[np.argsort(scores, kind="stable")][::-1])[::-1][first]
    return thresholds, hits / (len(scores) - first), hits / np.sum(positive)


def mean_absolute_error(outputs: Array, targets: Array) -> float:
    """Mean of |a_i − y_i| over all examples and outputs, both (N, n_L)."""
    return float(np.mean(np.abs(_errors(outputs, targets))))


def root_mean_squared_error(outputs: Array, targets: Array) -> float:
    """Root of the mean of (a_i − y_i)² over all examples and outputs, both (N, n_L)."""
    return float(np.sqrt(np.mean(np.square(_errors(outputs, targets)))))


def r2_score(outputs: Array, targets: Array) -> float:
    """R² = 1 − Σ (a − y)² / Σ (y − ȳ)² of each output, then their mean (Keras's `R2Score`); 1 is perfect.

    NaN where a target is the same in all examples: R² compares with the mean of the targets, which is perfect there.
    """
    residual = np.sum(np.square(_errors(outputs, targets)), axis=0)
    total = np.sum(np.square(targets - np.mean(targets, axis=0, dtype=np.float64)), axis=0)
    return float(np.mean(1.0 - residual / total)) if (total > 0).all() else float("nan")


def of_classes(outputs: Array, labels: Labels) -> dict[str, float]:
    """What `Network.evaluate` reports of a classification; precision, recall and F1 are macro averages."""
    predicted, classes = predicted_classes(outputs), max(outputs.shape[1], 2)
    of_each_class = {"precision": precision, "recall": recall, "f1_score": f1_score}
    averages = {name: metric(predicted, labels, classes, "macro") for name, metric in of_each_class.items()}
    return {"accuracy": accuracy(predicted, labels), **averages}


def of_numbers(outputs: Array, targets: Array) -> dict[str, float]:
    """What `Network.evaluate` reports of a regression."""
    return {name: metric(outputs, targets) for name, metric in REGRESSION.items()}


CLASSIFICATION = ("accuracy", "precision", "recall", "f1_score")
REGRESSION: dict[str, Callable[[Array, Array], float]] = {
    "mean_absolute_error": mean_absolute_error,
    "root_mean_squared_error": root_mean_squared_error,
    "r2_score": r2_score,
}
LESS_IS_BETTER = ("cost", "mean_absolute_error", "root_mean_squared_error")


def _mean(hits: NDArray[np.bool_]) -> float:
    return float(np.mean(hits)) if len(hits) else float("nan")


def _errors(outputs: Array, targets: Array) -> Array:
    _same_shape(outputs, targets)
    return np.subtract(outputs, targets, dtype=np.float64)


def _same_shape(first: NDArray[Any], second: NDArray[Any]) -> None:
    if np.shape(first) != np.shape(second):
        raise ValueError(f"shapes {np.shape(first)} and {np.shape(second)} given; allowed: the same shape")


def _averaged(hits: NDArray[np.int64], totals: NDArray[np.int64], average: Average) -> Any:
    if average == "micro":
        return float(hits.sum() / max(int(totals.sum()), 1))
    shares = hits / np.maximum(totals, 1)
    return float(shares.mean()) if average == "macro" else shares
