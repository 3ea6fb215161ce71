"""Measures pairs of all cells in turn until the verdict is known or no further pair may begin."""

import random
from collections.abc import Callable, Mapping

from bench.gate.decision import Rule, decide
from bench.gate.pair import Pair, Source


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
