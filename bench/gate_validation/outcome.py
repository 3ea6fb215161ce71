"""What the comparisons of each scenario came to: verdicts, seconds and pairs until a decision.

Fed by the records; feeds targets, tables and plot.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from bench.gate.decision import Verdict
from bench.gate_validation.proportions import Share, Spread
from bench.gate_validation.records import ComparisonRecord, Records
from bench.gate_validation.scenarios import FEWEST_PAIRS, Load, Scenario


@dataclass(frozen=True)
class Outcome:
    """Some comparisons, taken together."""

    comparisons: tuple[ComparisonRecord, ...]

    def share(self, verdict: Verdict) -> Share:
        """How many ended with that verdict."""
        return Share.where(one.verdict == verdict for one in self.comparisons)

    @property
    def slowdown(self) -> Spread | None:
        """What the pairs themselves say was planted: new / old − 1, of the first pairs of each comparison.

        As many of each as none has fewer of when it is decided, so that when it ended has no say in them.
        """
        pairs = [pair for one in self.comparisons for pair in one.pairs[:FEWEST_PAIRS]]
        return Spread.of([math.expm1(pair.log_ratio) for pair in pairs])

    @property
    def seconds(self) -> Spread | None:
        """Until the verdict, or until the budget ended; s."""
        return Spread.of([one.seconds for one in self.comparisons])

    @property
    def pairs(self) -> Spread | None:
        """Pairs that were taken."""
        return Spread.of([float(len(one.pairs)) for one in self.comparisons])


@dataclass(frozen=True)
class Outcomes:
    """Scenario → its outcome, for every scenario that was asked for, in the order in which it was."""

    by_scenario: dict[Scenario, Outcome]

    @classmethod
    def of(cls, records: Records) -> Self:
        """The outcomes of a run's finished comparisons."""
        return cls({scenario: Outcome(tuple(records.of(scenario))) for scenario in records.run.counts})

    @property
    def loads(self) -> list[Load]:
        """The loads of the scenarios."""
        return list(dict.fromkeys(scenario.load for scenario in self.by_scenario))

    @property
    def percents(self) -> list[float]:
        """The slowdowns of the scenarios, ascending; per cent."""
        return sorted({scenario.percent for scenario in self.by_scenario})

    def together(self, loads: Sequence[Load], percents: Iterable[float]) -> Outcome:
        """All comparisons of those loads and slowdowns."""
        wanted, some = set(percents), set(loads)
        chosen = [one for key, one in self.by_scenario.items() if key.load in some and key.percent in wanted]
        return Outcome(tuple(comparison for one in chosen for comparison in one.comparisons))
