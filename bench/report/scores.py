"""The one figure that stands for how well a network predicts, accuracy or R², and how it is told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.core.text import MISSING, is_missing, percent
from bench.spec import Task


@dataclass(frozen=True)
class Score:
    """More is better.

    name : as in `test_NAME`, the column; title : in words; header : of a table's column; write : a value as text;
    factor : of a difference as it is told, in `unit` and with so many `digits`; same_within : the largest difference
    that is called none, in that unit.
    """

    name: str
    title: str
    header: str
    write: Callable[[Any], str]
    factor: float
    unit: str
    digits: int
    same_within: float

    @property
    def column(self) -> str:
        """Of the test examples."""
        return f"test_{self.name}"


def decimals(value: Any) -> str:
    """A value whose largest is 1, with four digits."""
    return MISSING if is_missing(value) else f"{value:.4f}"


ACCURACY = Score("accuracy", "accuracy", "accuracy, %", percent, 100.0, " points", 1, 0.3)
R2 = Score("r2_score", "R²", "R²", decimals, 1.0, "", 3, 0.003)


def score_of(task: Task) -> Score:
    """Of the task of a spec's data."""
    return R2 if task == "regression" else ACCURACY
