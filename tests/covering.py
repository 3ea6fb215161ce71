"""Few cells in place of a whole product: every pair of values of two factors stands together in at least one cell.

A mistake that shows where two values meet is found by such a selection (Kuhn et al., "Software fault interactions",
IEEE TSE 30(6), 2004). SCRATCHNET_TESTS=all gives the whole product; the weekly workflow runs that.
"""

import os
import random
from collections.abc import Callable, Iterable
from itertools import combinations, product
from typing import Any

import pytest

ALL = os.environ.get("SCRATCHNET_TESTS") == "all"
CANDIDATES = 10
Cell = tuple[Any, ...]
Places = tuple[int, ...]
Pair = tuple[tuple[int, int], tuple[int, int]]
"""(factor, place of its value), twice."""


def covering(*factors: Iterable[Any], where: Callable[..., bool] = lambda *cell: True) -> list[Cell]:
    """Cells, each with a value of every factor, that cover each pair of values which some allowed cell has."""
    if ALL:
        return [cell for cell in product(*map(list, factors)) if where(*cell)]
    return fewest(*factors, where=where)


def fewest(*factors: Iterable[Any], where: Callable[..., bool] = lambda *cell: True) -> list[Cell]:
    """As `covering`, also where all is tested: for tests that take seconds a cell."""
    values = [list(factor) for factor in factors]
    return [_cell(values, places) for places in _covering(values, lambda places: where(*_cell(values, places)))]


def weekly(*values: Any) -> list[Any]:
    """Values of a parametrised test that are left out unless all is tested: others like them always are."""
    return [pytest.param(*(v if isinstance(v, tuple) else (v,)), marks=pytest.mark.weekly) for v in values]


def some(values: Iterable[Any], count: int) -> list[Any]:
    """So many of the values, drawn once for all; the others are left out unless all is tested."""
    every = list(values)
    chosen = sorted(random.Random(0).sample(range(len(every)), min(count, len(every))))
    return [
        *(every[place] for place in chosen),
        *weekly(*(one for place, one in enumerate(every) if place not in chosen)),
    ]


def _covering(values: list[list[Any]], allowed: Callable[[Places], bool]) -> list[Places]:
    rng, chosen = random.Random(0), []
    places = [[(factor, place) for place in range(len(one))] for factor, one in enumerate(values)]
    missing = {pair for one, other in combinations(places, 2) for pair in product(one, other)}
    while missing:
        first = min(missing)
        candidates = filter(allowed, [_completed(first, values, missing, rng) for _ in range(CANDIDATES)])
        best = max(candidates, key=lambda places: len(missing & _pairs(places)), default=None)
        missing.discard(first)
        if best is not None:
            chosen.append(best)
            missing -= _pairs(best)
    return chosen


def _completed(pair: Pair, values: list[list[Any]], missing: set[Pair], rng: random.Random) -> Places:
    """A cell with that pair: the other factors, in random order, take what adds most pairs, now and then anything."""
    places = dict(pair)
    for factor in rng.sample(range(len(values)), len(values)):
        if factor not in places:
            options = rng.sample(range(len(values[factor])), len(values[factor]))
            new = [sum(_pair(factor, option, *one) in missing for one in places.items()) for option in options]
            places[factor] = options[new.index(max(new))] if rng.random() < 0.8 else options[0]
    return tuple(places[factor] for factor in range(len(values)))


def _pair(factor: int, place: int, other: int, other_place: int) -> Pair:
    one, two = sorted([(factor, place), (other, other_place)])
    return one, two


def _pairs(places: Places) -> set[Pair]:
    return set(combinations(enumerate(places), 2))


def _cell(values: list[list[Any]], places: Places) -> Cell:
    return tuple(one[place] for one, place in zip(values, places, strict=True))
