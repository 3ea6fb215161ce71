"""How well a network predicts, by the task of its data: what a worker reports after each epoch and at the end."""

import base64
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.inputs.plan import Floats
from bench.inputs.splits import Inputs, Split
from bench.spec import Task, TrainingSpec
from scratchnet import metrics

OutputsOf = Callable[[Split], Floats]
Figures = dict[str, Any]
Labels = NDArray[Any]


class Judge(ABC):
    """What is reported of a network, whose outputs (N, n_L) of a split a function gives."""

    SCORE: str

    def __init__(self, inputs: Inputs, threshold: float) -> None:
        self._inputs, self._threshold = inputs, threshold

    def of_epoch(self, outputs_of: OutputsOf) -> Figures:
        """Fields of the epoch's record."""
        splits = {"train": self._inputs.train, "validation": self._inputs.validation}
        scores = {
            f"{name}_{self.SCORE}": self._score(outputs_of(split), split.labels) if len(split.labels) else None
            for name, split in splits.items()
        }
        return scores | self._of_test(outputs_of(self._inputs.test), self._inputs.test.labels)

    def at_the_end(self, outputs_of: OutputsOf) -> Figures:
        """Fields of the result's record, of the test examples."""
        return self._of_result(outputs_of(self._inputs.test), self._inputs.test.labels)

    @abstractmethod
    def _score(self, outputs: Floats, labels: Labels) -> float:
        """How good outputs are: more is better."""

    @abstractmethod
    def _of_test(self, outputs: Floats, labels: Labels) -> Figures:
        """What an epoch's record has of the test examples."""

    @abstractmethod
    def _of_result(self, outputs: Floats, labels: Labels) -> Figures:
        """What the result's record has of the test examples."""


class Classification(Judge):
    """Accuracy, precision and recall. With two classes they are about the second; otherwise they are macro averages."""

    SCORE = "accuracy"

    def _score(self, outputs: Floats, labels: Labels) -> float:
        return metrics.accuracy(self._predicted(outputs), labels)

    def _of_test(self, outputs: Floats, labels: Labels) -> Figures:
        binary = metrics.binary_accuracy(outputs, labels)
        return {"test_accuracy": self._score(outputs, labels), "test_binary_accuracy": binary}

    def _of_result(self, outputs: Floats, labels: Labels) -> Figures:
        predicted, classes = self._predicted(outputs), max(self._inputs.outputs, 2)
        if classes == 2:
            return {**_of_positives(outputs[:, -1], predicted, labels), "test_predictions": packed(predicted)}
        return {
            "test_precision": metrics.precision(predicted, labels, classes, "macro"),
            "test_recall": metrics.recall(predicted, labels, classes, "macro"),
            "test_predictions": packed(predicted),
        }

    def _predicted(self, outputs: Floats) -> Labels:
        return metrics.predicted_classes(outputs, self._threshold)


class MultiLabel(Judge):
    """Accuracy is the share of examples with all labels right; all else is the mean over the labels."""

    SCORE = "accuracy"

    def _score(self, outputs: Floats, labels: Labels) -> float:
        return float(np.mean(((outputs > self._threshold) == labels).all(axis=1)))

    def _of_test(self, outputs: Floats, labels: Labels) -> Figures:
        binary = float(np.mean((outputs > 0.5) == labels))
        return {"test_accuracy": self._score(outputs, labels), "test_binary_accuracy": binary}

    def _of_result(self, outputs: Floats, labels: Labels) -> Figures:
        predicted = (outputs > self._threshold).astype(np.int64)
        columns = zip(outputs.T, predicted.T, labels.T.astype(np.int64), strict=True)
        each = [_of_positives(*column) for column in columns]
        means = {name: float(np.mean([of_label[name] for of_label in each])) for name in each[0]}
        return {**means, "test_predictions": packed(predicted)}


class Regression(Judge):
    """R² and errors, in the units of the targets."""

    SCORE = "r2_score"

    def _score(self, outputs: Floats, labels: Labels) -> float:
        return metrics.r2_score(self._inputs.in_units(outputs), labels)

    def _of_test(self, outputs: Floats, labels: Labels) -> Figures:
        predicted = self._inputs.in_units(outputs)
        return {f"test_{name}": metric(predicted, labels) for name, metric in metrics.REGRESSION.items()}

    def _of_result(self, outputs: Floats, labels: Labels) -> Figures:
        return {}


JUDGES: dict[Task, type[Judge]] = {
    "classification": Classification,
    "multi_label": MultiLabel,
    "regression": Regression,
}


def judge_of(spec: TrainingSpec, inputs: Inputs) -> Judge:
    """The judge of that spec's task."""
    return JUDGES[spec.data.task](inputs, spec.threshold)


def packed(classes: Labels) -> str:
    """Predicted classes or labels as text: two bytes each, example by example, compressed."""
    return base64.b64encode(zlib.compress(classes.astype("<u2").tobytes(), 9)).decode()


def _of_positives(scores: Floats, predicted: Labels, labels: Labels) -> Figures:
    """Precision, recall and F1 of the class 1, and the area under its ROC curve, of (N,) each."""
    return {
        "test_precision": float(metrics.precision(predicted, labels, 2)[1]),
        "test_recall": float(metrics.recall(predicted, labels, 2)[1]),
        "test_f1_score": float(metrics.f1_score(predicted, labels, 2)[1]),
        "test_roc_auc": metrics.roc_auc(scores, labels == 1),
    }
