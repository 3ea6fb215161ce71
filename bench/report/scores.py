"""The one number that says how well a network predicts, accuracy or R², and how it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.core.text import MISSING, is_missing, signed
from bench.spec import Task

ScoreName = Literal["accuracy", "r2"]
ErrorName = Literal["mae", "rmse"]


@dataclass(frozen=True)
class Score:
    """More is better.

    name : in documents, and as an option; column : of the tables; title : in words; unit : of a value as it is told,
    which is `factor` times the recorded one with so many `digits`; difference_unit : the same of a difference;
    same_within : the largest difference that is called none, in that unit; errors : name → column of what is told
    beside the score.
    """

    name: ScoreName
    column: str
    title: str
    unit: str
    difference_unit: str
    factor: float
    digits: int
    same_within: float
    errors: Mapping[ErrorName, str] = field(default_factory=dict)

    @property
    def header(self) -> str:
        """Of a table's column."""
        return f"{self.title}, {self.unit}" if self.unit else self.title

    @property
    def sign(self) -> str:
        """The shortest header."""
        return self.unit or self.title

    def value(self, value: Any) -> str:
        """A value as text."""
        return MISSING if is_missing(value) else f"{self.factor * value:.{self.digits}f}"

    def difference(self, difference: Any) -> str:
        """A difference as text, with its sign."""
        return MISSING if is_missing(difference) else signed(self.factor * difference, self.digits)

    def in_unit(self, difference: str) -> str:
        """The text of a difference with its unit, where it has one."""
        return f"{difference} {self.difference_unit}".rstrip()


ACCURACY = Score("accuracy", "test_accuracy", "accuracy", "%", "points", factor=100, digits=2, same_within=0.3)
R2 = Score(
    "r2",
    "test_r2_score",
    "R²",
    "",
    "",
    factor=1,
    digits=4,
    same_within=0.003,
    errors={"mae": "test_mean_absolute_error", "rmse": "test_root_mean_squared_error"},
)
SCORES: dict[ScoreName, Score] = {score.name: score for score in (ACCURACY, R2)}


def score_of(task: Task) -> Score:
    """Of the task of a spec's data."""
    return R2 if task == "regression" else ACCURACY
