"""Finds the mistakes of the library that make the derivation's own code report what the subject reported."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice, product

import numpy as np

from bench.locate.compare import Comparison, Pair, Place, apart
from bench.locate.equations import REFERENCE
from bench.locate.graph import concerns, span
from bench.locate.mistakes.mistake import Mistake
from bench.locate.state import Equations, Given, Key

SMALL = 1e-2
"""A convention that changes a tensor by no more than that share hides a mistake in it, and is searched for with it."""
MOST_PAIRS, MOST_WORK = 3000, 20_000_000
"""Pairs that are tried at most, and parameters times pairs: a few seconds."""
PREFERENCE = {"mistake": 0, "convention": 1, "overflow": 2}
COMMON = (
    "gradient-mean-missing",
    "gradient-mean-twice",
    "output-sign",
    "ascent",
    "activation-missing",
    "slope-missing",
    "error-zero",
)
"""Of mistakes that make the same numbers, these are named first."""

Mistakes = tuple[Mistake, ...]


@dataclass(frozen=True)
class Cause:
    """Mistakes that explain the same numbers and cannot be told apart by them; usually one.

    first : the first place that was off without it; `pair` is what stood there.
    fixed : the places that it explains, first to last.
    distance : by how much the reproduced numbers differ from the subject's at most, over the largest.
    """

    mistakes: Mistakes
    first: Place
    pair: Pair
    fixed: tuple[Place, ...]
    distance: float


@dataclass(frozen=True)
class Trial:
    """What is left wrong with more mistakes planted."""

    mistakes: Mistakes
    equations: Equations
    pairs: dict[Place, Pair]
    left: list[Place]


class Search:
    """Mends one mistake after the other until nothing is off, or nothing in the library helps."""

    def __init__(self, comparison: Comparison, library: Sequence[Mistake], equations: Equations = REFERENCE) -> None:
        self._comparison, self._library = comparison, library
        self._excused: set[Place] = set()
        self.equations = equations
        self.pairs = comparison.pairs(equations)
        self.left = comparison.wrong(self.pairs)
        self.tried = 0

    def next(self) -> list[Cause]:
        """The next mistake; two together where one does not help, or where two explain all and one does not."""
        singles = list(self._trials((mistake,) for mistake in self._near()))
        found = self._best(singles)
        if self._may_be_two() and (not found or (self._goes_on(found[0]) and not self._is_local())):
            together = self._best(self._pairs(singles))
            found = together if not found or (together and not together[0].left) else found
        found = self._convention_beside(singles, found) or found
        return self._accept(found) if found else []

    def _goes_on(self, trial: Trial) -> bool:
        """Whether it leaves more than what happens with large numbers."""
        return any(not self._comparison.is_large(place) for place in trial.left)

    def _convention_beside(self, singles: Sequence[Trial], found: Sequence[Trial]) -> list[Trial]:
        """A convention that mends all of that and more, though it changes what stays wrong: a mistake stands beside it.

        Where nothing else was found it must be small.
        """
        left = set(found[0].left if found else self.left)
        more = [one for one in singles if one.mistakes[0].kind == "convention" and set(one.left) < left]
        return sorted((one for one in more if found or self._is_small(one.mistakes[0])), key=lambda one: len(one.left))[
            :1
        ]

    def _may_be_two(self) -> bool:
        """Two mistakes make no NaN, and what happens with large numbers is told, not searched for."""
        place = self.left[0]
        return bool(np.isfinite(self.pairs[place].given).all()) and not self._comparison.is_large(place)

    def would_explain_all(self) -> bool:
        """Whether nothing is off with all causes that `next` finds; nothing is mended here."""
        other = Search(self._comparison, self._library)
        while other.left and other.next():
            pass
        return not other.left

    def try_these(self, mistakes: Sequence[Mistake]) -> list[Cause]:
        """As `next`, with other mistakes than the library's."""
        found = self._best(self._trials((mistake,) for mistake in mistakes))
        return self._accept(found) if found else []

    def of_steps(self) -> tuple[Comparison, list[Cause]]:
        """What explains all updates if they need not be made of the reported gradients; and beside what."""
        survey = self._comparison.survey
        seen = tuple(replace(one, given=tuple(map(_updates, one.given))) for one in survey.seen)
        alone = Comparison(replace(survey, seen=seen))
        of_step = {Key("uW", 1)}
        library = sorted(self._library, key=lambda mistake: not concerns(mistake, of_step))  # the gradient is right
        other = Search(alone, library, self.equations)
        causes = other.next() if other.left else []
        self.tried += other.tried
        return alone, [] if other.left else causes

    def excuse(self, places: Iterable[Place]) -> None:
        """Leave out what nothing explains, and go on with the rest."""
        self._excused |= set(places)
        self.left = [place for place in self.left if place not in self._excused]

    def _pairs(self, singles: Sequence[Trial]) -> Iterator[Trial]:
        """Where one mends the first wrong tensor and another one the rest; then where the first tensor needs both."""
        size = sum(W.size for W, _ in self._comparison.survey.seen[0].trajectory.moments[0].parameters)
        most = min(MOST_PAIRS, MOST_WORK // size)
        seconds = islice(product(singles, self._library), most)
        yield from self._trials((*one.mistakes, other) for one, other in seconds if self._mends(one, other))
        if not singles:
            yield from self._trials(islice(self._changes_of_first(), most))

    def _mends(self, one: Trial, other: Mistake) -> bool:
        """Whether another mistake explains what is off first after the one."""
        self.tried += 1
        return bool(one.left) and not self._comparison.pair(other.plant(one.equations), one.left[0]).wrong

    def _changes_of_first(self) -> Iterator[Mistakes]:
        """Two that make the first wrong tensor together."""
        near = [one for one in self._near() if self._changes(one, self.left[0])]
        mistakes = [one for one in near if one.kind == "mistake"]
        yield from product([one for one in near if self._is_small(one)], mistakes)
        yield from () if self._is_local() else combinations(mistakes, 2)

    def _is_small(self, convention: Mistake) -> bool:
        """Whether it is a convention that changes the first wrong tensor by little."""
        if convention.kind != "convention":
            return False
        pair, place = self._comparison.pair(convention.plant(self.equations), self.left[0]), self.left[0]
        return apart(pair.expected, self.pairs[place].expected) < SMALL

    def _near(self) -> list[Mistake]:
        """Those that change an equation by which the first wrong tensor was computed from what was reported."""
        place = self.left[0]
        given = self._comparison.given(place)
        keys = span(place.key, given, self._comparison.net.depth)
        return [mistake for mistake in self._library if concerns(mistake, keys)]

    def _is_local(self) -> bool:
        """Whether all that the first wrong tensor is made of was reported: then it needs no two mistakes."""
        place = self.left[0]
        given = self._comparison.given(place)
        return place.key.name[0] != "u" and bool({"delta", "dW"} & {key.name for key in given})

    def _changes(self, mistake: Mistake, place: Place) -> bool:
        pair = self._comparison.pair(mistake.plant(self.equations), place)
        return not _equal(pair, self.pairs[place])

    def _trials(self, changes: Iterable[Mistakes]) -> Iterator[Trial]:
        """Those after which the first wrong tensor is right."""
        for mistakes in changes:
            equations = self.equations
            for mistake in mistakes:
                equations = mistake.plant(equations)
            self.tried += 1
            pair = self._comparison.pair(equations, self.left[0])
            if not pair.wrong and pair.is_nearer_than(self.pairs[self.left[0]]):
                pairs = self._comparison.pairs(equations)
                left = [place for place in self._comparison.wrong(pairs) if place not in self._excused]
                yield Trial(mistakes, equations, pairs, left)

    def _best(self, trials: Iterable[Trial]) -> list[Trial]:
        """The trials that leave least, none of which spoils what was right or leaves off what it changes."""
        clean = [trial for trial in trials if self._is_clean(trial)]
        least = min((len(trial.left) for trial in clean), default=0)
        best = [trial for trial in clean if len(trial.left) == least]
        return sorted(best, key=lambda trial: [_preference(mistake) for mistake in trial.mistakes])

    def _is_clean(self, trial: Trial) -> bool:
        """Whether it mends something, spoils nothing, and leaves nothing off that it has changed."""
        before, left, large = set(self.left), set(trial.left), self._comparison.is_large
        changed = {place for place in left if not _equal(trial.pairs[place], self.pairs[place])}
        if not large(self.left[0]):  # what overflows besides comes later
            changed = {place for place in changed if not large(place)}
        return left < before and not changed

    def _accept(self, found: list[Trial]) -> list[Cause]:
        """A cause for each place of the best trials' mistakes; those of equal numbers stand together."""
        first, left = found[0], set(found[0].left)
        fixed = tuple(place for place in self.left if place not in left)
        distance = max(_distance(first.pairs[place], self.pairs[place]) for place in fixed)
        groups = list(zip(*(trial.mistakes for trial in found), strict=True))
        causes = [self._cause(_distinct(group), fixed, distance, len(groups) == 1) for group in groups]
        self.equations, self.pairs, self.left = first.equations, first.pairs, first.left
        return causes

    def _cause(self, mistakes: Mistakes, fixed: tuple[Place, ...], distance: float, alone: bool) -> Cause:
        """Of two mistakes that were found together, each is shown where it changes something."""
        own = fixed if alone else tuple(place for place in fixed if self._changes(mistakes[0], place))
        shown = own or fixed
        return Cause(mistakes, shown[0], self.pairs[shown[0]], shown, distance)


def _updates(given: Given) -> Given:
    return {key: value for key, value in given.items() if key.name[0] == "u"}


def _preference(mistake: Mistake) -> tuple[int, bool]:
    return PREFERENCE[mistake.kind], mistake.id.partition("@")[0] not in COMMON


def _distance(pair: Pair, before: Pair) -> float:
    """How far a cause's numbers are from the subject's, over the largest of the tensor; a mistake may make it 0."""
    scale = max(float(np.max(np.abs(one.expected), initial=0.0)) for one in (pair, before))
    return apart(pair.given, pair.expected, scale)


def _equal(one: Pair, other: Pair) -> bool:
    return bool(np.array_equal(one.expected, other.expected, equal_nan=True))


def _distinct(mistakes: Iterable[Mistake]) -> Mistakes:
    """Each once; a mistake of one layer gives way to the same one of all layers, which leaves no more."""
    found: dict[str, Mistake] = {}
    for mistake in mistakes:
        found.setdefault(mistake.id, mistake)
    whole = {id for id in found if "@" not in id}
    return tuple(one for id, one in found.items() if id in whole or id.partition("@")[0] not in whole)
