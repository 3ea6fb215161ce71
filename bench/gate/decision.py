"""Pass, fail, or not decidable: what the pairs of a cell say, with an error that holds however often one looks.

Fed by the log ratios of the pairs; feeds the gate, which goes on for as long as it is undecided.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.gate.anytime import MedianInterval, log_gain

Verdict = Literal["pass", "fail", "undecided"]


@dataclass(frozen=True)
class Rule:
    """What is asked of each cell.

    tolerance : a slowdown up to it passes; 0.03 is 3 %.
    alpha : probability at most of a failure where nothing is slower than the tolerance, and of a pass where something
        is; of all cells together.
    cells : how many are gated at once. Each fails at alpha / cells (Bonferroni); all must pass, each at alpha (an
        intersection-union test: Berger, Technometrics 24(4), 1982).
    """

    tolerance: float = 0.03
    alpha: float = 0.01
    cells: int = 1

    @property
    def limit(self) -> float:
        """ln(1 + tolerance)."""
        return math.log1p(self.tolerance)

    @property
    def fail_alpha(self) -> float:
        """Of one cell."""
        return self.alpha / self.cells


@dataclass(frozen=True)
class Effect:
    """How many times as long the new side takes: the median of the pairs' ratios and its interval; no unit.

    The ends are infinite (0 and ∞) for as long as nothing can be said. The interval holds at every look, each end with
    the error of the rule: it lies above 1 + tolerance exactly where the verdict is fail, below where it is pass.
    """

    ratio: float
    low: float
    high: float
    pairs: int


def decide(log_ratios: Sequence[float], rule: Rule) -> Verdict:
    """What these pairs, in their order, say; once it is pass or fail, no further pair is taken."""
    limit = rule.limit
    above, below = sum(value > limit for value in log_ratios), sum(value < limit for value in log_ratios)
    if log_gain(above, len(log_ratios)) >= -math.log(rule.fail_alpha):
        return "fail"
    return "pass" if log_gain(below, len(log_ratios)) >= -math.log(rule.alpha) else "undecided"


class Looks:
    """The effect after each pair of one cell, with the interval that belongs to the verdict."""

    def __init__(self, rule: Rule) -> None:
        self._interval, self._pairs = MedianInterval(rule.fail_alpha, rule.alpha), 0

    def add(self, log_ratio: float) -> Effect:
        """Look again, with one pair more."""
        self._interval.add(log_ratio)
        self._pairs += 1
        seen = self._interval
        return Effect(math.exp(seen.median), math.exp(seen.low), math.exp(seen.high), self._pairs)


def effects(log_ratios: Sequence[float], rule: Rule) -> list[Effect]:
    """The size of the difference after each of these pairs."""
    looks = Looks(rule)
    return [looks.add(log_ratio) for log_ratio in log_ratios]
