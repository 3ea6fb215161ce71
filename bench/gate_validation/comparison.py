"""One comparison: pair after pair until the gate's own rule decides, or the budget ends.

Fed by a source of pairs, real or drawn from recorded ones; its clock is the seconds that the pairs themselves took.
"""

from dataclasses import dataclass

from bench.gate.decision import Rule, Verdict, decide
from bench.gate.loop import measure
from bench.gate.pair import Pair
from bench.gate.tree_pairs import Source

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

    def may_begin() -> bool:
        seconds = [pair.wall_seconds for pair in pairs]
        return not seconds or sum(seconds) + max(seconds) <= budget_seconds

    measure({"": source}, rule, may_begin, pairs.append)
    return Compared(decide([pair.log_ratio for pair in pairs], rule), tuple(pairs))
