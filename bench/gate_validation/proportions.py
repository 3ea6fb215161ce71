"""How many of how many, with the exact 95 % interval; and how values spread.

Fed by verdicts and seconds of comparisons; feeds targets, tables and plot.

Source: Clopper & Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
Biometrika 26(4), 1934.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.stats import binomtest, quantile_test

from bench.core.statistics import CONFIDENCE


@dataclass(frozen=True)
class Share:
    """`count` of `of`."""

    count: int
    of: int

    @classmethod
    def where(cls, answers: Iterable[bool]) -> Self:
        """How many of the answers are yes."""
        every = list(answers)
        return cls(sum(every), len(every))

    @property
    def rate(self) -> float | None:
        """From 0 to 1; None of nothing."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Clopper and Pearson's; everything from 0 to 1 where there is nothing."""
        if not self.of:
            return 0.0, 1.0
        ends = binomtest(self.count, self.of).proportion_ci(CONFIDENCE, method="exact")
        return float(ends.low), float(ends.high)


@dataclass(frozen=True)
class Spread:
    """Median, 90th percentile and largest of some values, in their unit; `low` and `high`: the median's 95 % interval.

    The interval asks for no distribution (Conover, "Practical Nonparametric Statistics", 1999, section 3.2); its ends
    are infinite where the values are too few for one.
    """

    median: float
    ninth: float
    largest: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self | None:
        """The spread of the values; None of none."""
        if not values:
            return None
        ends: Any = quantile_test(values, p=0.5).confidence_interval(CONFIDENCE)
        low = float(ends.low) if np.isfinite(ends.low) else -np.inf
        high = float(ends.high) if np.isfinite(ends.high) else np.inf
        median, ninth = np.quantile(values, [0.5, 0.9])
        return cls(float(median), float(ninth), float(max(values)), low, high)
