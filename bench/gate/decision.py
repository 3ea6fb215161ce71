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
    """What is asked of a case.

    tolerance : a slowdown up to it passes; 0.03 is 3 %.
    alpha : largest probability of a wrong failure, and of a wrong pass, of all cases together.
    cells : how many cases there are. Each fails at alpha / cells (Bonferroni); all must pass, each at alpha (an
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
        """Of one case."""
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
    sources: Sequence[Source],
    rules: Mapping[str, Rule],
    may_begin: Callable[[Sequence[str]], bool],
    keep: Callable[[Pair], None],
) -> None:
    """Measure pair after pair, source by source in random order, and hand each to `keep`.

    Before each `may_begin` is asked, for the cases that it would be of: if it refuses, their source is done.

    A case that has its verdict takes no further pair, so the time goes to those that are undecided.
    """
    seen: dict[str, list[float]] = {name: [] for source in sources for name in source.cases}
    left = list(sources)
    while left:
        for source in random.sample(left, len(left)):
            asked = _undecided({name: seen[name] for name in source.cases}, rules)
            if not (asked and may_begin(asked)):
                left.remove(source)
                continue
            for pair in source.measure(len(seen[asked[0]]) + 1, asked):
                seen[pair.cell].append(pair.log_ratio)
                keep(pair)


def _undecided(seen: Mapping[str, list[float]], rules: Mapping[str, Rule]) -> list[str]:
    return [name for name, log_ratios in seen.items() if decide(log_ratios, rules[name]) == "undecided"]
