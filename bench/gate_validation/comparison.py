"""One comparison: pair after pair until the gate's own rule decides, or the budget ends.

Fed by a source of pairs, real or drawn from recorded ones; its clock is the seconds that the pairs themselves took.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.gate.decision import Rule, Verdict, decide
from bench.gate.pair import Pair

Source = Callable[[int], Pair]
"""Number of a pair, from 1, → a fresh pair."""

BUDGET_SECONDS = 300.0


@dataclass(frozen=True)
class Compared:
    """What one comparison came to, and the pairs that it took."""

    verdict: Verdict
    pairs: tuple[Pair, ...]


def compare(source: Source, rule: Rule, budget_seconds: float) -> Compared:
    """Pairs until the verdict is pass or fail; undecided where no further pair would end within the budget.

    A further pair is taken to last as long as the longest so far; the first is always taken.
    """
    pairs: list[Pair] = []
    log_ratios: list[float] = []
    verdict: Verdict = "undecided"
    for pair in _within(budget_seconds, source):
        pairs.append(pair)
        log_ratios.append(pair.log_ratio)
        verdict = decide(log_ratios, rule)
        if verdict != "undecided":
            break
    return Compared(verdict, tuple(pairs))


def _within(budget_seconds: float, source: Source) -> Iterator[Pair]:
    spent, longest, number = 0.0, 0.0, 1
    while number == 1 or spent + longest <= budget_seconds:
        pair = source(number)
        spent, longest, number = spent + pair.wall_seconds, max(longest, pair.wall_seconds), number + 1
        yield pair
