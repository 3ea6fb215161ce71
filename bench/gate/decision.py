"""Pass, fail or undecided: what the pairs of a cell say, and the loop that measures pairs until that is known."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.gate.anytime import log_gain, medians
from bench.gate.pair import Pair, Source

Verdict = Literal["pass", "fail", "undecided"]


@dataclass(frozen=True)
class Rule:
    """What is asked of each cell.

    tolerance : a slowdown up to it passes; 0.03 is 3 %.
    alpha : largest probability of a wrong failure, and of a wrong pass, of all cells together.
    cells : how many there are. Each fails at alpha / cells (Bonferroni); all must pass, each at alpha (an
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

    The ends are 0 and ∞ while nothing can be said. Each end keeps its error at every look. The interval lies above
    1 + tolerance exactly where the verdict is fail, and below it exactly where the verdict is pass.
    """

    ratio: float
    low: float
    high: float
    pairs: int


def decide(log_ratios: Sequence[float], rule: Rule) -> Verdict:
    """What these pairs say; after pass or fail no further pair is measured."""
    limit = rule.limit
    above, below = sum(value > limit for value in log_ratios), sum(value < limit for value in log_ratios)
    if log_gain(above, len(log_ratios)) >= -math.log(rule.fail_alpha):
        return "fail"
    return "pass" if log_gain(below, len(log_ratios)) >= -math.log(rule.alpha) else "undecided"


def effects(log_ratios: Sequence[float], rule: Rule) -> list[Effect]:
    """The size of the difference after each of these pairs."""
    looks = medians(log_ratios, rule.fail_alpha, rule.alpha)
    exp = math.exp
    return [Effect(exp(mid), exp(low), exp(high), pairs) for pairs, (mid, low, high) in enumerate(looks, 1)]


def measure(
    sources: Mapping[str, Source], rule: Rule, may_begin: Callable[[], bool], keep: Callable[[Pair], None]
) -> None:
    """Measure pair after pair, cell by cell in random order; ask `may_begin` before each and hand each to `keep`.

    A cell that passed takes no further pair; the first cell that fails ends everything.
    """
    seen: dict[str, list[float]] = {name: [] for name in sources}
    while left := _undecided(seen, rule):
        for name in random.sample(left, len(left)):
            if not may_begin():
                return
            pair = sources[name](len(seen[name]) + 1)
            seen[name].append(pair.log_ratio)
            keep(pair)


def _undecided(seen: Mapping[str, list[float]], rule: Rule) -> list[str]:
    verdicts = {name: decide(log_ratios, rule) for name, log_ratios in seen.items()}
    if "fail" in verdicts.values():
        return []
    return [name for name, verdict in verdicts.items() if verdict == "undecided"]
