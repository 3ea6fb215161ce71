"""How well a network predicts, by the task of its data: what a worker reports after each epoch and at the end."""

import base64
import zlib
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bench.inputs.plan import Floats
from bench.inputs.splits import Inputs, Split
from bench.spec import Task, TrainingSpec
from scratchnet import metrics

OutputsOf = Callable[[Split], Floats]
Figures = dict[str, Any]


class Judge(Protocol):
    """What is reported of a network whose outputs (N, n_L) of a split a function gives."""

    def __init__(self, inputs: Inputs, threshold: float) -> None:
        """Keep what it is compared with."""

    def of_epoch(self, outputs_of: OutputsOf) -> Figures:
        """Fields of the epoch's record."""

    def at_the_end(self, outputs_of: OutputsOf) -> Figures:
        """Fields of the result's record, of the test examples."""


class Classification:
    """Accuracy, precision and recall. With two classes they are about the second; otherwise they are macro averages."""

    def __init__(self, inputs: Inputs, threshold: float) -> None:
        self._inputs, self._threshold = inputs, threshold

    def of_epoch(self, outputs_of: OutputsOf) -> Figures:
        test, outputs = self._inputs.test, outputs_of(self._inputs.test)
        return {
            "train_accuracy": self._accuracy(outputs_of, self._inputs.train),
            "validation_accuracy": self._accuracy(outputs_of, self._inputs.validation),
            "test_accuracy": metrics.accuracy(self._predicted(outputs), test.labels),
            "test_binary_accuracy": metrics.binary_accuracy(outputs, test.labels),
        }

    def at_the_end(self, outputs_of: OutputsOf) -> Figures:
        outputs, labels = outputs_of(self._inputs.test), self._inputs.test.labels
        predicted, classes = self._predicted(outputs), max(self._inputs.outputs, 2)
        if classes == 2:
            return {**_of_positives(outputs[:, -1], predicted, labels), "test_predictions": packed(predicted)}
        return {
            "test_precision": metrics.precision(predicted, labels, classes, "macro"),
            "test_recall": metrics.recall(predicted, labels, classes, "macro"),
            "test_predictions": packed(predicted),
        }

    def _predicted(self, outputs: Floats) -> NDArray[Any]:
        return metrics.predicted_classes(outputs, self._threshold)

    def _accuracy(self, outputs_of: OutputsOf, split: Split) -> float | None:
        if not len(split.labels):
            return None
        return metrics.accuracy(self._predicted(outputs_of(split)), split.labels)


class MultiLabel:
    """Accuracy is the share of examples with all labels right; all else is the mean over the labels."""

    def __init__(self, inputs: Inputs, threshold: float) -> None:
        self._inputs, self._threshold = inputs, threshold

    def of_epoch(self, outputs_of: OutputsOf) -> Figures:
        test, outputs = self._inputs.test, outputs_of(self._inputs.test)
        return {
            "train_accuracy": self._accuracy(outputs_of, self._inputs.train),
            "validation_accuracy": self._accuracy(outputs_of, self._inputs.validation),
            "test_accuracy": self._all_right(outputs, test),
            "test_binary_accuracy": float(np.mean((outputs > 0.5) == test.labels)),
        }

    def at_the_end(self, outputs_of: OutputsOf) -> Figures:
        outputs, labels = outputs_of(self._inputs.test), self._inputs.test.labels
        predicted = (outputs > self._threshold).astype(np.int64)
        columns = zip(outputs.T, predicted.T, labels.T.astype(np.int64), strict=True)
        each = [_of_positives(*column) for column in columns]
        means = {name: float(np.mean([of_label[name] for of_label in each])) for name in each[0]}
        return {**means, "test_predictions": packed(predicted)}

    def _all_right(self, outputs: Floats, split: Split) -> float:
        return float(np.mean(((outputs > self._threshold) == split.labels).all(axis=1)))

    def _accuracy(self, outputs_of: OutputsOf, split: Split) -> float | None:
        return self._all_right(outputs_of(split), split) if len(split.labels) else None


class Regression:
    """R² and errors, in the units of the targets."""

    def __init__(self, inputs: Inputs, threshold: float) -> None:
        self._inputs = inputs

    def of_epoch(self, outputs_of: OutputsOf) -> Figures:
        test = self._inputs.test
        outputs = self._inputs.in_units(outputs_of(test))
        return {
            "train_r2_score": self._r2(outputs_of, self._inputs.train),
            "validation_r2_score": self._r2(outputs_of, self._inputs.validation),
            **{f"test_{name}": metric(outputs, test.labels) for name, metric in metrics.REGRESSION.items()},
        }

    def at_the_end(self, outputs_of: OutputsOf) -> Figures:
        return {}

    def _r2(self, outputs_of: OutputsOf, split: Split) -> float | None:
        if not len(split.labels):
            return None
        return metrics.r2_score(self._inputs.in_units(outputs_of(split)), split.labels)


JUDGES: dict[Task, type[Judge]] = {
    "classification": Classification,
    "multi_label": MultiLabel,
    "regression": Regression,
}


def judge_of(spec: TrainingSpec, inputs: Inputs) -> Judge:
    """The judge of that spec's task."""
    return JUDGES[spec.data.task](inputs, spec.threshold)


def packed(classes: NDArray[np.integer[Any]]) -> str:
    """Predicted classes or labels as text: two bytes each, example by example, compressed."""
    return base64.b64encode(zlib.compress(classes.astype("<u2").tobytes(), 9)).decode()


def _of_positives(scores: Floats, predicted: NDArray[Any], labels: NDArray[Any]) -> Figures:
    """Precision, recall and F1 of the class 1, and the area under its ROC curve, of (N,) each."""
    return {
        "test_precision": float(metrics.precision(predicted, labels, 2)[1]),
        "test_recall": float(metrics.recall(predicted, labels, 2)[1]),
        "test_f1_score": float(metrics.f1_score(predicted, labels, 2)[1]),
        "test_roc_auc": metrics.roc_auc(scores, labels == 1),
    }
