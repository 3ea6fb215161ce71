"""Comparisons without processes: pairs drawn from recorded ones, whole and with replacement, and a clock that adds up.

Fed by a recording of identical sides; a planted slowdown is put on by multiplying, which is exact for extra work that
takes a share of every epoch. It takes pairs to be independent of each other: a slow drift over minutes is not in it.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.gate.pair import Pair
from bench.gate.tree_pairs import Source
from bench.gate_validation.recording import Recording
from bench.gate_validation.records import RecordedPair, State
from bench.gate_validation.scenarios import Scenario

Change = Callable[[RecordedPair, random.Random], RecordedPair]
"""A pair as it was recorded → as it might have been on a worse machine."""
OTHER_SIDE = str.maketrans("AB", "BA")


class SimulatedMachine:
    """Where the pairs of a simulated comparison come from."""

    def __init__(self, recording: Recording, change: Change | None = None) -> None:
        self._recording, self._change = recording, change

    @contextmanager
    def pairs(self, scenario: Scenario, load_from: int | None, seed: int) -> Iterator[Source]:
        """The pairs of one comparison: the same from the same seed.

        Raises
        ------
        UnusableError
            Where too few pairs of the state that it needs were recorded.
        """
        rng, cell = random.Random(f"pairs {seed}"), self._recording.origin.cell
        drawn_from = {state: self._recording.of_state(state) for state in _states(load_from)}

        def draw(number: int) -> Pair:
            state: State = "busy" if load_from is not None and number >= load_from else "quiet"
            pair = _either_way(rng.choice(drawn_from[state]), rng)
            pair = self._change(pair, rng) if self._change else pair
            return slowed(pair, scenario.slowdown).as_pair(number, cell)

        yield draw


def _states(load_from: int | None) -> tuple[State, ...]:
    if load_from is None:
        return ("quiet",)
    return ("busy",) if load_from == 1 else ("quiet", "busy")


def _either_way(pair: RecordedPair, rng: random.Random) -> RecordedPair:
    """The sides exchanged, half of the time: they were identical, and a recording's median is 0 by chance only."""
    if rng.random() < 0.5:
        return pair
    sides = {"old_seconds": pair.new_seconds, "new_seconds": pair.old_seconds}
    went_by = {"old_elapsed": pair.new_elapsed, "new_elapsed": pair.old_elapsed}
    return pair.model_copy(update={**sides, **went_by, "order": pair.order.translate(OTHER_SIDE)})


def slowed(pair: RecordedPair, slowdown: float) -> RecordedPair:
    """The pair with work planted: on the new side, or below 0 on the old side, so that new / old is 1 + `slowdown`."""
    if slowdown == 0:
        return pair
    if slowdown > 0:
        return with_factors(pair, (1.0,) * len(pair.old_seconds), (1 + slowdown,) * len(pair.new_seconds))
    return with_factors(pair, (1 / (1 + slowdown),) * len(pair.old_seconds), (1.0,) * len(pair.new_seconds))


def with_factors(pair: RecordedPair, old: tuple[float, ...], new: tuple[float, ...]) -> RecordedPair:
    """The pair with its seconds multiplied, epoch by epoch; the whole pair takes as much longer as its epochs do."""
    factors = {"old_seconds": old, "new_seconds": new, "old_elapsed": old, "new_elapsed": new}
    changed = {name: _product(getattr(pair, name), factor) for name, factor in factors.items()}
    before, after = (sum(of["old_seconds"]) + sum(of["new_seconds"]) for of in (dict(pair), changed))
    return pair.model_copy(update={**changed, "wall_seconds": pair.wall_seconds + after - before})


def _product(seconds: tuple[float, ...], factors: tuple[float, ...]) -> tuple[float, ...]:
    """Nothing of nothing: what went by need not be known."""
    return tuple(one * factor for one, factor in zip(seconds, factors, strict=True)) if seconds else ()
