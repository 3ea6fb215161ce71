"""The columns that say how well networks predict. What a run trained decides which of them its tables have."""

from collections.abc import Mapping
from dataclasses import dataclass

ACCURACIES = ("train_accuracy", "validation_accuracy", "test_accuracy", "test_binary_accuracy")
ERRORS = (
    "train_r2_score",
    "validation_r2_score",
    "test_r2_score",
    "test_mean_absolute_error",
    "test_root_mean_squared_error",
)
POSITIVES = ("test_f1_score", "test_roc_auc")
OF_CLASSES = {*ACCURACIES, "test_accuracy_half_width", "test_precision", "test_recall"}
OF_NUMBERS = {*ERRORS, "test_r2_score_half_width"}


@dataclass(frozen=True)
class Kinds:
    """What a run has: accuracies of classes; errors of regressions; F1 and ROC AUC of two classes or several labels."""

    accuracies: bool
    errors: bool
    positives: bool

    def columns(self, every: Mapping[str, str]) -> dict[str, str]:
        """Column → type: those of a table that such a run has."""
        kinds = ((self.accuracies, OF_CLASSES), (self.errors, OF_NUMBERS), (self.positives, set(POSITIVES)))
        unused = set().union(*(columns for has, columns in kinds if not has))
        return {name: kind for name, kind in every.items() if name not in unused}
