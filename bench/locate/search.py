"""Which mistakes of the library make the derivation's own code report what the subject reported."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bench.locate.compare import Comparison, Pair, Place, apart
from bench.locate.equations import REFERENCE
from bench.locate.mistakes.mistake import Mistake
from bench.locate.state import Equations

MOST_PAIRS = 40_000
PREFERENCE = {"convention": 0, "mistake": 1, "overflow": 2}


@dataclass(frozen=True)
class Cause:
    """Mistakes that explain the same numbers and cannot be told apart by them; usually one.

    before : the places that were off without it, first to last; `pair` is the first of them.
    pair, mended : the subject beside the equations without and with the mistake.
    distance : by how much the reproduced numbers differ from the subject's at most, over the largest.
    """

    mistakes: tuple[Mistake, ...]
    before: tuple[Place, ...]
    pair: Pair
    distance: float
    fixed: tuple[Place, ...]


@dataclass(frozen=True)
class Trial:
    """What is left wrong with one more mistake planted."""

    mistakes: tuple[Mistake, ...]
    equations: Equations
    pairs: dict[Place, Pair]
    left: list[Place]


class Search:
    """Mends one mistake after the other until nothing is off, or nothing in the library helps."""

    def __init__(self, comparison: Comparison, library: Sequence[Mistake]) -> None:
        self._comparison, self._library = comparison, library
        self.equations: Equations = REFERENCE
        self.pairs = comparison.pairs(REFERENCE)
        self.left = comparison.wrong(self.pairs)
        self.tried = 0

    def run(self) -> list[Cause]:
        """The causes, in the order in which they were found."""
        causes: list[Cause] = []
        while self.left:
            found = self._better([(mistake,) for mistake in self._library])
            if not found and len(self._library) ** 2 / 2 <= MOST_PAIRS:
                found = self._complete(combinations(self._candidates(), 2))
            if not found:
                break
            causes += self._accept(found)
        return causes

    def _candidates(self) -> list[Mistake]:
        """For pairs: what has a chance to change the first wrong number."""
        return [mistake for mistake in self._library if mistake.kind != "overflow"]

    def _better(self, changes: Iterable[tuple[Mistake, ...]]) -> list[Trial]:
        """The trials that leave least, none of which spoils what was right or leaves off what it changes."""
        trials = [trial for trial in map(self._trial, changes) if trial is not None]
        trials = [trial for trial in trials if self._is_clean(trial)]
        least = min((len(trial.left) for trial in trials), default=0)
        return [trial for trial in trials if len(trial.left) == least]

    def _complete(self, changes: Iterable[tuple[Mistake, ...]]) -> list[Trial]:
        """The pairs that leave nothing off in what they change, and mend the first wrong number."""
        return self._better(changes)

    def _trial(self, mistakes: tuple[Mistake, ...]) -> Trial | None:
        """Nothing where the first wrong tensor stays wrong: then the rest need not be computed."""
        equations = self.equations
        for mistake in mistakes:
            equations = mistake.plant(equations)
        self.tried += 1
        first = self.left[0]
        one = self._comparison.pairs(equations, first.trajectory)
        if one[first].wrong:
            return None
        pairs = self._comparison.pairs(equations)
        return Trial(mistakes, equations, pairs, self._comparison.wrong(pairs))

    def _is_clean(self, trial: Trial) -> bool:
        """Whether it mends something, spoils nothing, and leaves nothing off that it has changed."""
        before, left = set(self.left), set(trial.left)
        changed = {place for place, pair in trial.pairs.items() if not _equal(pair, self.pairs[place])}
        return left < before and not left & changed

    def _accept(self, found: list[Trial]) -> list[Cause]:
        """One cause for each of the mistakes of the best trial; equal numbers stand together."""
        found.sort(key=lambda trial: min(PREFERENCE[mistake.kind] for mistake in trial.mistakes))
        best = [trial for trial in found if len(trial.mistakes) == len(found[0].mistakes)]
        chosen = _simplest(best)
        fixed = [place for place in self.left if place not in set(chosen[0].left)]
        changed = [place for place in fixed if place in chosen[0].pairs]
        distance = max(apart(chosen[0].pairs[p].given, chosen[0].pairs[p].expected) for p in changed)
        first = self.pairs[self.left[0]]
        groups = zip(*(trial.mistakes for trial in chosen), strict=True)
        causes = [Cause(_distinct(group), tuple(self.left), first, distance, tuple(fixed)) for group in groups]
        self.equations, self.pairs, self.left = chosen[0].equations, chosen[0].pairs, chosen[0].left
        return causes


def _equal(one: Pair, other: Pair) -> bool:
    return bool(np.array_equal(one.expected, other.expected, equal_nan=True))


def _distinct(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    found: dict[str, Mistake] = {}
    for mistake in mistakes:
        found.setdefault(mistake.id, mistake)
    return tuple(found.values())


def _simplest(trials: list[Trial]) -> list[Trial]:
    """Of entries that were made for all layers and for the only one that shows, the first."""
    return trials
