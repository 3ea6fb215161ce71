"""The mutants that the proof counts: each is another one, and those that change nothing are told by 80-bit numbers."""

import numpy as np
import pytest
from handwritten import HandWritten
from mutants import LAYOUTS, SAME, distance, network_of, numbers, sorted_out
from plants import Plant, other
from problems import PROBLEMS

from bench.locate.run import locate_one

SPEC = PROBLEMS["relu"]


@pytest.fixture(scope="module")
def right():
    return numbers(HandWritten, SPEC)


def test_the_numbers_have_more_digits_than_float64(right):
    assert np.finfo(np.longdouble).eps < SAME
    assert all(value.dtype == np.longdouble for value in right.values())


def plant(name, wrong, layer=1):
    return Plant(name, "BP2.2", "relu", other("hidden_delta", wrong, layer), layer)


def back(s, l, d, z):
    return d.dot(s.weights[l + 1].T) * (z > 0)


def test_the_same_mathematics_in_another_way_changes_nothing(right):
    squared = plant("squared", lambda s, l, d, z, a: back(s, l, d, z) * (z > 0) ** 2)
    mean = Plant("mean", "BP4.2", "relu", {"bias_gradient": lambda s, l, d: d.mean(axis=0)})
    for one in (squared, mean):
        assert distance(numbers(one.network(), SPEC), right) <= SAME


@pytest.mark.parametrize("factor", [1 + 1e-14, 1 + 1e-9, 2])
def test_a_factor_that_float64_hardly_shows_is_a_change(right, factor):
    scaled = plant("scaled", lambda s, l, d, z, a: back(s, l, d, z) * factor)
    assert distance(numbers(scaled.network(), SPEC), right) > SAME


def test_repeated_mutants_and_those_that_change_nothing_are_sorted_out():
    same = plant("same", lambda s, l, d, z, a: back(s, l, d, z) * 1)
    half = plant("half", lambda s, l, d, z, a: back(s, l, d, z) / 2)
    again = plant("again", lambda s, l, d, z, a: 0.5 * back(s, l, d, z))
    distinct, nothing, repeated = sorted_out([same, half, again])
    assert [one.id for one in distinct] == ["half"]
    assert [name for name, _ in nothing] == ["same@1-relu"]
    assert repeated == 1


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_mutant_is_the_same_mistake_in_every_layout(layout):
    half = plant("error-half", lambda s, l, d, z, a: back(s, l, d, z) / 2)
    (finding,) = locate_one(network_of([half], layout), SPEC, "Half").document.mistakes
    assert (finding.equation, finding.layer, finding.causes[0].cause) == ("BP2.2", 1, "a factor 1/2 too many")
