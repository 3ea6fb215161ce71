"""The document of a comparison: what `--format json` prints and every other format is made from.

Schema history: 1, the first.
"""

from typing import Any, Literal, cast

from pydantic import Field

from bench.core.errors import EXIT_OK, EXIT_UNDECIDED, EXIT_WORSE
from bench.core.models import FrozenRecord
from bench.core.statistics import Interval
from bench.report.scores import ErrorName, ScoreName

SCHEMA_VERSION: Literal[1] = 1

Decision = Literal["within_tolerance", "worse", "undecided"]
RowDecision = Literal["equivalent", "worse", "better", "undecided"]
QuantityDecision = Literal["within_tolerance", "worse", "better", "undecided"]

EXIT_CODES: dict[Decision, int] = {
    "within_tolerance": EXIT_OK,
    "worse": EXIT_WORSE,
    "undecided": EXIT_UNDECIDED,
}


class Margins(FrozenRecord):
    """How much worse B may be: points of test accuracy, relative final cost, ratio of training time; of a regression
    R², and relative mean absolute and root mean squared error."""

    accuracy_points: float = 0.5
    cost: float = 0.02
    time_ratio: float = 1.05
    r2: float = 0.01
    mae: float = 0.02
    rmse: float = 0.02


class DocumentSide(FrozenRecord):
    """One of the two: where it lies, what it is, where it ran."""

    path: str
    title: str
    started: str
    git_revision: str | None
    threads: int
    environment: dict[str, Any]


class Equivalence(FrozenRecord):
    """Accuracy or R² against the margin (a fraction); `p` of the two one-sided tests, null where none was needed."""

    decision: RowDecision
    margin: float
    p: float | None
    seeds_needed: int | None


class McNemar(FrozenRecord):
    """One seed: how many test examples only A gets right, how many only B; exact two-sided p."""

    seed: int
    only_a: int
    only_b: int
    p: float


class Confusion(FrozenRecord):
    """Summed over the seeds; rows the true class, columns the predicted."""

    classes: tuple[str, ...]
    a: tuple[tuple[int, ...], ...]
    b: tuple[tuple[int, ...], ...]


class OnlyOneRight(FrozenRecord):
    """A test example that one side gets right: its place in the test split, its label, both answers."""

    index: int
    label: int
    a: int
    b: int
    seed: int


class Curves(FrozenRecord):
    """Seed → value by epoch, from the first epoch on; null where it is not finite."""

    a: dict[int, tuple[float | None, ...]]
    b: dict[int, tuple[float | None, ...]]


class Parts(FrozenRecord):
    """Where the mean cost curves part: first epoch beyond the tolerance, and (B − A) / A there.

    Where they never part `epoch` is null, and `relative` is that of the last epoch that both have (null: none).
    `largest_relative` is the largest |B − A| / A of any epoch.
    """

    epoch: int | None
    relative: float | None
    largest_relative: float | None


class Speed(FrozenRecord):
    """Training time of B / that of A; `reason` says why there is no ratio, or why it is weak evidence."""

    ratio: Interval | None
    reason: str


class ErrorOfBoth(FrozenRecord):
    """One error of a regression on the test examples, in the units of the targets; means over the seeds."""

    a: Interval
    b: Interval
    decision: QuantityDecision


class Row(FrozenRecord):
    """One (spec, backend) of both sides. Accuracies are fractions; `difference` is B − A of accuracy or R².

    `score` says which of the two it is; the other one is null.
    """

    spec: str
    backend: str
    seeds_a: tuple[int, ...]
    seeds_b: tuple[int, ...]
    paired: bool
    score: ScoreName = "accuracy"
    accuracy_a: Interval | None = None
    accuracy_b: Interval | None = None
    r2_a: Interval | None = None
    r2_b: Interval | None = None
    errors: dict[ErrorName, ErrorOfBoth] = Field(default_factory=dict)
    difference: Interval
    equivalence: Equivalence
    mcnemar: tuple[McNemar, ...]
    confusion: Confusion | None
    only_one_right: tuple[OnlyOneRight, ...]
    curves: dict[str, Curves]
    cost_parts_at: Parts
    cost_decision: QuantityDecision
    speed: Speed
    speed_decision: QuantityDecision | None

    @property
    def score_a(self) -> Interval:
        """Accuracy or R² of A."""
        return cast(Interval, getattr(self, f"{self.score}_a"))

    @property
    def score_b(self) -> Interval:
        """Accuracy or R² of B."""
        return cast(Interval, getattr(self, f"{self.score}_b"))


class Document(FrozenRecord):
    """The whole comparison; the verdict stands first everywhere."""

    schema_version: Literal[1] = SCHEMA_VERSION
    verdict: str
    decision: Decision
    seeds_needed: int | None
    margins: Margins
    fail_on: tuple[str, ...]
    a: DocumentSide
    b: DocumentSide
    differences: tuple[str, ...]
    rows: tuple[Row, ...]
