"""Pairs of all cells in turn, until the verdict is reached or no further pair may begin.

Fed by a source of pairs for each cell; feeds the outcome, and the validation, which runs this very loop.
"""

import random
from collections.abc import Callable, Mapping

from bench.gate.decision import Rule, decide
from bench.gate.pair import Pair
from bench.gate.tree_pairs import Source

Seen = dict[str, list[float]]
"""Cell → log ratio of each pair."""


def measure(
    sources: Mapping[str, Source], rule: Rule, may_begin: Callable[[], bool], keep: Callable[[Pair], None]
) -> None:
    """Measure pair after pair, cell by cell in random order; `may_begin` is asked before each, `keep` is given each.

    A cell that passed takes no further pair; the first that fails ends it all.
    """
    seen: Seen = {name: [] for name in sources}
    while left := _undecided(seen, rule):
        for name in random.sample(left, len(left)):
            if not may_begin():
                return
            pair = sources[name](len(seen[name]) + 1)
            seen[name].append(pair.log_ratio)
            keep(pair)


def _undecided(seen: Seen, rule: Rule) -> list[str]:
    verdicts = {name: decide(log_ratios, rule) for name, log_ratios in seen.items()}
    if "fail" in verdicts.values():
        return []
    return [name for name, verdict in verdicts.items() if verdict == "undecided"]
