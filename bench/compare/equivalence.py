"""Whether B is worse, better or equivalent: tests of a mean difference against a margin, and the seeds needed.

The interval over seeds covers the randomness of training (initial parameters, order of examples, the process), on
these test examples. McNemar's test (`bench.compare.predictions`) covers the choice of the test examples.

Sources: two one-sided tests, Schuirmann, "A comparison of the two one-sided tests procedure and the power approach",
J. Pharmacokinet. Biopharm. 15(6), 1987; unequal variances, Welch, "The generalization of Student's problem", Biometrika
34, 1947; power of the two one-sided tests by noncentral t, Phillips, "Power of the two one-sided tests procedure in
bioequivalence", J. Pharmacokinet. Biopharm. 18(2), 1990, here as the lower bound p₁ + p₂ − 1.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit
from statsmodels.stats.power import TTestIndPower, TTestPower

from bench.compare.document import RowDecision
from bench.core.statistics import CONFIDENCE, Interval

LEVEL = 0.05
"""Of each one-sided test: equivalence is shown where the 90 % interval lies within the margins."""
POWER = 0.8
MOST_SEEDS = 1000
"""A spec may have no more."""
_LARGEST_EFFECT = 50.0
"""In standard deviations: two seeds decide beyond, and noncentral t has digits up to here."""


@dataclass(frozen=True)
class Difference:
    """A mean difference B − A in the unit of its values.

    `error` is its standard error with `freedom` degrees of freedom, `spread` the standard deviation of one pair's
    difference (paired) or of one seed (not paired), None with one seed on a side. `count` is the number of pairs, or
    the seeds of the smaller side.
    """

    centre: float
    count: int
    paired: bool
    spread: float | None = None
    error: float = math.nan
    freedom: float = math.nan

    @property
    def interval(self) -> Interval:
        """The 95 % interval, centre ± t(0.975, freedom) · error; None, None with one seed on a side."""
        if self.spread is None:
            return Interval(self.centre, None, None, self.count)
        half = float(stdtrit(self.freedom, (1 + CONFIDENCE) / 2)) * self.error
        return Interval(self.centre, self.centre - half, self.centre + half, self.count)

    def p_below(self, limit: float) -> float | None:
        """One-sided p of "the true difference is `limit` or more": small where it is shown to be less."""
        return None if self.spread is None else float(stdtr(self.freedom, (self.centre - limit) / self.error))

    def p_above(self, limit: float) -> float | None:
        """One-sided p of "the true difference is `limit` or less": small where it is shown to be more."""
        return None if self.spread is None else float(stdtr(self.freedom, (limit - self.centre) / self.error))


def paired_difference(a: Sequence[float], b: Sequence[float], resolution: float) -> Difference:
    """Mean of b[i] − a[i], one pair a seed.

    Parameters
    ----------
    a, b
        One value a seed, the same seeds in the same order; at least one.
    resolution
        The smallest step that a value can show, > 0, in its unit: one test example in accuracy. Equal seeds do
        not prove that there is no spread, so the standard deviation is at least what rounding gives:
        resolution / √12 for a value, √2 times that for a difference.
    """
    differences = np.subtract(b, a)
    if differences.size < 2:
        return Difference(float(differences.mean()), differences.size, True)
    spread = max(float(differences.std(ddof=1)), resolution / math.sqrt(6))
    error = spread / math.sqrt(differences.size)
    return Difference(float(differences.mean()), differences.size, True, spread, error, differences.size - 1)


def welch_difference(a: Sequence[float], b: Sequence[float], resolution: float) -> Difference:
    """Mean of b − mean of a, of seeds that are not the same; variances may differ. Arguments as above."""
    count, centre = min(len(a), len(b)), float(np.mean(b) - np.mean(a))
    if count < 2:
        return Difference(centre, count, False)
    floor = resolution**2 / 12
    variances = [max(float(np.var(values, ddof=1)), floor) for values in (a, b)]
    parts = [variance / len(values) for variance, values in zip(variances, (a, b), strict=True)]
    freedom = sum(parts) ** 2 / sum(part**2 / (len(v) - 1) for part, v in zip(parts, (a, b), strict=True))
    return Difference(centre, count, False, math.sqrt(sum(variances) / 2), math.sqrt(sum(parts)), freedom)


@dataclass(frozen=True)
class Evidence:
    """The evidence about one quantity of one row; a larger `gain` is better for B.

    `identical`: equal bit by bit, so no test is needed. `incomplete`: a seed of one side failed, so the others do not
    represent it. `weak`: measured in a way that allows no decision.
    """

    gain: Difference | None
    margin: float
    identical: bool = False
    incomplete: bool = False
    weak: bool = False

    @property
    def p_worse(self) -> float:
        """One-sided p of "B is worse by less than the margin"; 1 where nothing can be shown."""
        if self.gain is None or self.identical or self.weak:
            return 1.0
        return _or_one(self.gain.p_below(-self.margin))

    @property
    def p_better(self) -> float:
        """One-sided p of "B is no better"; 1 where nothing can be shown."""
        return 1.0 if self.gain is None or self.weak else _or_one(self.gain.p_above(0.0))

    @property
    def p_equivalent(self) -> float | None:
        """The larger p of the two one-sided tests; None where there is none."""
        if self.gain is None or self.gain.spread is None or self.identical or self.weak:
            return None
        return max(_or_one(self.gain.p_above(-self.margin)), _or_one(self.gain.p_below(self.margin)))

    def decision(self, p_worse: float) -> RowDecision:
        """Worse by more than the margin, equivalent within it, better by any amount, or undecided.

        `p_worse` is corrected for all tests of "worse". Equivalent and better are tested at 5 % each, uncorrected,
        because the verdict needs all of them at once (an intersection-union test).
        """
        if p_worse <= LEVEL:
            return "worse"
        if self.identical:
            return "equivalent"
        if self.incomplete:
            return "undecided"
        if self.p_equivalent is not None and self.p_equivalent <= LEVEL:
            return "equivalent"
        return "better" if self.p_better <= LEVEL else "undecided"


def seeds_needed(evidence: Evidence) -> int | None:
    """How many seeds per side would decide with 80 % power, if spread and difference are as observed.

    None if there is only one seed, if more seeds would not help, or if 1000 are too few.
    """
    gain = evidence.gain
    if gain is None or gain.spread is None or evidence.incomplete or evidence.weak:
        return None
    place = bisect_left(range(2, MOST_SEEDS + 1), POWER, key=lambda n: _power(gain, evidence.margin, n))
    return None if place + 2 > MOST_SEEDS else max(place + 2, gain.count + 1)


def _power(gain: Difference, margin: float, seeds: int) -> float:
    """Power of the deciding test, if the observed difference is the true one."""
    if gain.centre < -margin:
        return _one_sided(gain, -margin - gain.centre, seeds)
    if gain.centre > margin:
        return _one_sided(gain, gain.centre, seeds)
    return _one_sided(gain, gain.centre + margin, seeds) + _one_sided(gain, margin - gain.centre, seeds) - 1


def _one_sided(gain: Difference, distance: float, seeds: int) -> float:
    effect = min(distance / (gain.spread or math.inf), _LARGEST_EFFECT)
    test = TTestPower() if gain.paired else TTestIndPower()
    return float(test.power(effect, seeds, LEVEL, alternative="larger"))


def _or_one(p: float | None) -> float:
    return 1.0 if p is None else p
