"""What is recorded of how well a network predicts; the tasks of a run's data decide which columns its tables have."""

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
OF_POSITIVES = ("test_f1_score", "test_roc_auc")

_INSTEAD: dict[str, tuple[str, ...]] = {
    "train_accuracy": ("train_r2_score",),
    "validation_accuracy": ("validation_r2_score",),
    "test_accuracy": ("test_r2_score",),
    "test_accuracy_half_width": ("test_r2_score_half_width",),
    "test_binary_accuracy": ("test_mean_absolute_error", "test_root_mean_squared_error"),
    "test_precision": (),
    "test_recall": (),
}
"""Column of a classification → what a regression has in its place."""


@dataclass(frozen=True)
class Kinds:
    """What a run records: accuracies; errors of a regression; F1 and ROC of two classes or of several labels."""

    accuracies: bool = True
    errors: bool = False
    positives: bool = False

    def columns(self, of_classification: Mapping[str, str], before_positives: str = "") -> dict[str, str]:
        """Column → type of a run's table, where that of a classification is given.

        before_positives : the column behind which F1 and ROC AUC stand.
        """
        found: dict[str, str] = {}
        for name, kind in of_classification.items():
            if self.accuracies or name not in _INSTEAD:
                found[name] = kind
            if self.errors:
                found |= dict.fromkeys(_INSTEAD.get(name, ()), "float64")
            if self.positives and name == before_positives:
                found |= dict.fromkeys(OF_POSITIVES, "float64")
        return found
