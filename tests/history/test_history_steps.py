"""The step finder: laws that hold for every history, and how often it is wrong, measured with fixed seeds."""

import math

import numpy as np
import pytest
from history_steps import NOISES, SD
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bench.history.steps import FEWEST, SHORTEST, find_steps, noise_of, penalty

RUNS, HISTORIES = 30, 200
RATIOS = st.lists(st.floats(0.1, 10), min_size=FEWEST, max_size=25)


def indices(ratios) -> list[int]:
    return [step.index for step in find_steps(ratios).steps]


def histories(kind, factor=1.0):
    rng = np.random.default_rng(20261124)
    for _ in range(HISTORIES):
        logarithms = NOISES[kind](rng, RUNS)
        logarithms[RUNS // 2 :] += math.log(factor)
        yield np.exp(logarithms)


@pytest.mark.parametrize("kind", NOISES)
def test_a_history_without_a_step_has_none_in_95_of_100_cases(kind):
    false = sum(bool(indices(ratios)) for ratios in histories(kind))
    assert false <= 0.05 * HISTORIES


@pytest.mark.parametrize("kind", NOISES)
def test_a_step_of_10_per_cent_is_found_where_it_is_in_95_of_100_cases(kind):
    found = sum(any(abs(index - RUNS // 2) <= 2 for index in indices(r)) for r in histories(kind, 1.1))
    assert found >= 0.95 * HISTORIES


@settings(deadline=None)
@given(st.integers(SHORTEST, 20), st.integers(SHORTEST, 20), st.floats(1.02, 3), st.booleans())
def test_a_step_without_noise_is_found_at_its_run_with_its_levels(before, after, factor, down):
    assume(before + after >= FEWEST)
    factor = 1 / factor if down else factor
    (step,) = find_steps([0.2] * before + [0.2 * factor] * after).steps
    assert step.index == before
    assert (step.before, step.after) == (pytest.approx(0.2), pytest.approx(0.2 * factor))
    assert step.factor == pytest.approx(factor)


@settings(deadline=None)
@given(RATIOS, st.floats(1e-3, 1e3))
def test_the_unit_of_the_ratios_moves_no_step(ratios, factor):
    assume(len(set(ratios)) == len(ratios))
    assert noise_of(np.log(ratios)) == pytest.approx(noise_of(np.log(ratios) + math.log(factor)))
    found = find_steps(ratios)
    scaled = find_steps([ratio * factor for ratio in ratios])
    assert cost(ratios, scaled) == pytest.approx(cost(ratios, found), abs=1e-9)


def cost(ratios, found) -> float:
    """What the method minimises, without the penalty of a change: equal costs may be had by unequal steps."""
    logarithms = np.log(ratios)
    parts = (logarithms[first:end] for first, end, _ in found.levels)
    return sum(float(np.abs(part - np.median(part)).sum()) for part in parts)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(FEWEST, 24), st.lists(st.floats(0.8, 1.25), max_size=3))
@example(289, 17, [0.884765625, 1.125, 1.25])
def test_no_other_levels_cost_less_with_a_penalty_for_each_change(seed, count, factors):
    rng = np.random.default_rng(seed)
    logarithms = rng.normal(0, SD, count)
    for factor in factors:
        logarithms[rng.integers(count) :] += math.log(factor)
    found = find_steps(np.exp(logarithms))
    each = penalty(found.noise, count)
    assert cost(np.exp(logarithms), found) + each * len(found.steps) == pytest.approx(least(logarithms, each), abs=1e-9)


def least(logarithms, each) -> float:
    """The least cost of all levels of SHORTEST runs or more, by going through all of them."""
    best = {0: -each}
    for end in range(SHORTEST, len(logarithms) + 1):
        starts = [start for start in best if start <= end - SHORTEST]
        parts = {start: logarithms[start:end] for start in starts}
        best[end] = min(best[s] + each + float(np.abs(part - np.median(part)).sum()) for s, part in parts.items())
    return best[len(logarithms)]


@settings(deadline=None)
@given(st.integers(0, 29), st.floats(1.5, 100))
def test_one_wild_run_is_no_step(place, factor):
    ratios = np.exp(np.random.default_rng(3).normal(0, SD, RUNS))
    ratios[place] *= factor
    assert indices(ratios) == []


def test_two_steps_are_two_steps():
    rng = np.random.default_rng(5)
    logarithms = rng.normal(0, SD, 30) + np.repeat([0, math.log(1.2), math.log(1.05)], 10)
    assert indices(np.exp(logarithms)) == pytest.approx([10, 20], abs=1)


@pytest.mark.parametrize("count", [1, 2, FEWEST - 1])
def test_too_few_runs_are_not_searched_however_far_apart_they_are(count):
    found = find_steps([1.0] * (count // 2) + [9.0] * (count - count // 2))
    assert found.steps == ()
    assert found.noise is None
    assert f"{count} run" in found.reason
    assert f"too few to look for steps ({FEWEST} are needed)" in found.reason


def test_equal_ratios_have_no_step_and_the_least_noise():
    found = find_steps([0.5] * FEWEST)
    assert (found.steps, found.levels) == ((), ((0, FEWEST, pytest.approx(0.5)),))
