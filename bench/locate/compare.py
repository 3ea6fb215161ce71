"""Compares the subject with equations, tensor by tensor: with the reference's, or with those that hold a mistake."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bench.locate.bounds import Rounding
from bench.locate.equations import REFERENCE
from bench.locate.experiment import LARGE
from bench.locate.graph import sources
from bench.locate.net import Array
from bench.locate.state import Equations, Given, Key, Memory, Moment, State, step
from bench.locate.survey import Survey

ORDER = ("Z", "A", "cost", "delta", "dW", "db", "uW", "ub")
"""In which tensors are named: as they are computed."""

NEARER = 0.25
"""How much of the largest difference a cause may leave."""


class Place(NamedTuple):
    """A tensor at a moment of a trajectory; both are counted from 0."""

    trajectory: int
    moment: int
    key: Key


def rank(place: Place, depth: int) -> tuple[int, ...]:
    """As they are computed: forward from layer 1, cost, backward from layer L; then by moment."""
    key = place.key
    forward, cost = key.name in "ZA", key.name == "cost"
    layer = key.layer if forward else 0 if cost else depth - key.layer
    group = 0 if forward else 1 if cost else 2 if key.name in ("delta", "dW", "db") else 3
    return group, layer, ORDER.index(key.name), place.trajectory, place.moment


@dataclass(frozen=True)
class Pair:
    """What the subject reported, what was expected of it, and what rounding may make of it, element by element."""

    given: Array
    expected: Array
    bound: Array

    @property
    def wrong(self) -> bool:
        """Whether any element is further off than rounding explains."""
        return bool(np.any(self.off()))

    def off(self) -> Array:
        """For each element whether it is further off than rounding explains."""
        with np.errstate(all="ignore"):
            apart = np.abs(self.given - self.expected)
            same = (self.given == self.expected) | (np.isnan(self.given) & np.isnan(self.expected))
            beyond: Array = ~same & ~((apart <= self.bound) & np.isfinite(self.given))
            return beyond

    def is_nearer_than(self, other: "Pair") -> bool:
        """Whether it is much nearer to the subject where the other is off: bounds alone may allow both."""
        with np.errstate(all="ignore"):
            beyond = other.off()
            mine, its = (np.abs(pair.given - pair.expected)[beyond] for pair in (self, other))
        if not (np.isfinite(mine).all() and np.isfinite(its).all()):
            return True
        return float(np.max(mine, initial=0.0)) <= NEARER * float(np.max(its, initial=0.0))

    @property
    def worst(self) -> tuple[int, ...]:
        """Index of the element that is furthest off, from 0."""
        with np.errstate(all="ignore"):
            apart = np.abs(self.given - self.expected)
            apart = np.where(self.off() & ~np.isfinite(apart), np.inf, np.where(self.off(), apart, -1.0))
        return tuple(int(i) for i in np.unravel_index(int(np.argmax(apart)), self.given.shape))

    @property
    def deviation(self) -> float:
        """The largest difference over the largest expected number."""
        return apart(self.given, self.expected)


def apart(one: Array, other: Array, scale: float | None = None) -> float:
    """The largest difference over `scale`, else over the second's largest; infinite where one alone has no number."""
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    with np.errstate(all="ignore"):
        difference = float(np.max(np.where(same, 0.0, np.abs(one - other)), initial=0.0))
    if scale is None or not np.isfinite(scale):
        scale = float(np.max(np.abs(other), where=np.isfinite(other), initial=0.0))
    return difference / (scale or 1.0) if np.isfinite(difference) else np.inf


class Comparison:
    """The bounds of one survey, and comparisons of it with any equations."""

    def __init__(self, survey: Survey, dtype: str | None = None) -> None:
        self.survey, self.net = survey, survey.net
        self._dtype = dtype or survey.dtype
        self._bounds: dict[Place, Array] = {}
        self._sizes: dict[Place, float] = {}
        for number, states in enumerate(self._all(REFERENCE)):
            self._keep(number, states)

    def _all(self, equations: Equations) -> Iterator[list[State]]:
        return (self._states(number, equations) for number in range(len(self.survey.seen)))

    def _states(self, number: int, equations: Equations, last: int | None = None) -> list[State]:
        """The states along a trajectory, up to one; what the optimizer remembers goes from one to the next."""
        seen, states, memory = self.survey.seen[number], list[State](), dict[Key, tuple[Array, ...]]()
        pairs = list(zip(seen.trajectory.moments, seen.given, strict=True))
        for t, (moment, given) in enumerate(pairs if last is None else pairs[: last + 1], start=1):
            states.append(step(self.net, equations, moment, given, dict(memory), t))
            memory |= states[-1].remembered
        return states

    def _keep(self, number: int, states: Sequence[State]) -> None:
        remembered: Memory = {}
        for index, state in enumerate(states):
            rounding = Rounding(state, self._dtype, remembered)
            remembered = {**remembered, **rounding.remembered}
            for key in state.given:
                place = Place(number, index, key)
                bound = rounding.of[key]
                self._bounds[place] = np.where(np.isnan(bound), np.inf, bound)
                self._sizes[place] = float(np.max(np.abs(state.expected[key]), initial=0.0))

    def pairs(self, equations: Equations) -> dict[Place, Pair]:
        """Every tensor that was reported beside what these equations say of it."""
        return {
            place: pair
            for number, states in enumerate(self._all(equations))
            for index, state in enumerate(states)
            for place, pair in self._of(number, index, state)
        }

    def pair(self, equations: Equations, place: Place) -> Pair:
        """One tensor of them."""
        state = self._states(place.trajectory, equations, place.moment)[-1]
        return next(pair for at, pair in self._of(place.trajectory, place.moment, state) if at == place)

    def _of(self, number: int, index: int, state: State) -> Iterator[tuple[Place, Pair]]:
        for key, given in state.given.items():
            place, expected = Place(number, index, key), state.expected[key]
            yield place, Pair(given, expected, self._bound(place, state) * self._growth(place, expected))

    def _bound(self, place: Place, state: State) -> Array:
        """Where a mistake is planted, numbers may stand where the reference has 0 and rounds nothing: the largest."""
        bound = self._bounds[place]
        if state.equations is REFERENCE or self.is_large(place):
            return bound
        widest: Array = np.maximum(bound, np.max(bound, where=np.isfinite(bound), initial=0.0))
        return widest

    def _growth(self, place: Place, expected: Array) -> float:
        """Larger numbers have larger roundings."""
        size = float(np.max(np.abs(expected), initial=0.0))
        return max(1.0, size / self._sizes[place]) if self._sizes[place] and np.isfinite(size) else 1.0

    def reference_state(self, label: str) -> State:
        """The first state of a trajectory as the reference alone has it, fed with nothing."""
        seen = next(one for one in self.survey.seen if one.trajectory.label == label)
        return step(self.net, REFERENCE, seen.trajectory.moments[0], {}, {}, 1)

    def wrong(self, pairs: dict[Place, Pair]) -> list[Place]:
        """The places that are off, in the order in which they are computed; large numbers come last."""
        found = (place for place, pair in pairs.items() if pair.wrong and not self._follows(place))
        return sorted(found, key=lambda place: (self.is_large(place), *rank(place, self.net.depth)))

    def _follows(self, place: Place) -> bool:
        """Whether it is no number since what it was computed from is none."""
        given = self.given(place)
        if np.isfinite(given[place.key]).all():
            return False
        return any(not np.isfinite(given[key]).all() for key in sources(place.key, given, self.net.depth))

    def is_large(self, place: Place) -> bool:
        """Whether it is of the trajectory with large numbers, which overflow where nothing else is wrong."""
        return self.label(place) == LARGE

    def label(self, place: Place) -> str:
        """That of its trajectory."""
        return self.survey.seen[place.trajectory].trajectory.label

    def moment(self, place: Place) -> Moment:
        """What the subject was asked there."""
        return self.survey.seen[place.trajectory].trajectory.moments[place.moment]

    def given(self, place: Place) -> Given:
        """What the subject reported there."""
        return self.survey.seen[place.trajectory].given[place.moment]
