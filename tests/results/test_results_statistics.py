"""Medians, means, intervals and ratios against hand-made arithmetic, SciPy and the laws they must keep."""

import math
from statistics import stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.core.statistics import Interval, mean_interval, median, ratio_interval, time_ratio

SECONDS = st.floats(1e-3, 1e3)
ROUNDS = st.dictionaries(st.integers(2, 20), st.tuples(SECONDS, SECONDS), min_size=1)


def split(rounds: dict[int, tuple[float, float]]) -> tuple[dict[int, float], dict[int, float]]:
    return {n: pair[0] for n, pair in rounds.items()}, {n: pair[1] for n, pair in rounds.items()}


def test_time_ratio_is_the_median_of_the_ratios_of_the_rounds():
    # 1/2 = 0.5, 3/4 = 0.75, 1/10 = 0.1: the median is 0.5, whereas the ratio of the medians would be 1/4.
    assert time_ratio({2: 1.0, 3: 3.0, 4: 1.0}, {2: 2.0, 3: 4.0, 4: 10.0}) == pytest.approx(0.5)


def test_time_ratio_of_two_rounds_is_their_geometric_mean():
    # ratios 1/4 and 1: √(1/4 · 1) = 1/2
    assert time_ratio({2: 1.0, 3: 2.0}, {2: 4.0, 3: 2.0}) == pytest.approx(0.5)


def test_time_ratio_uses_only_shared_rounds():
    assert time_ratio({2: 1.0, 3: 50.0}, {2: 4.0, 4: 1.0}) == pytest.approx(0.25)


@pytest.mark.parametrize("seconds", [{}, {3: 1.0}, {2: math.nan}, {2: 0.0}, {2: math.inf}])
def test_no_shared_finite_round_gives_no_ratio(seconds):
    assert time_ratio(seconds, {2: 1.0}) is None


@given(ROUNDS)
def test_ratio_to_itself_is_one(rounds):
    one, _ = split(rounds)
    assert time_ratio(one, one) == 1.0


@given(ROUNDS, st.floats(1e-3, 1e3))
def test_a_faster_machine_leaves_the_ratio(rounds, scale):
    one, other = split(rounds)
    scaled = [{n: scale * s for n, s in each.items()} for each in (one, other)]
    assert time_ratio(*scaled) == pytest.approx(time_ratio(one, other), rel=1e-9)


@given(ROUNDS)
def test_exchanging_the_two_gives_the_reciprocal(rounds):
    one, other = split(rounds)
    assert time_ratio(one, other) * time_ratio(other, one) == pytest.approx(1, rel=1e-9)


def test_mean_interval_by_hand():
    # mean 2, s = 1, n = 3, t(0.975, 2) = 4.302653: half-width 4.302653 / √3 = 2.484138
    interval = mean_interval([1.0, 2.0, 3.0])
    assert (interval.centre, interval.count) == (2.0, 3)
    assert interval.half_width == pytest.approx(2.484138, abs=1e-6)
    assert interval.low == pytest.approx(-0.484138, abs=1e-6)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_mean_interval_agrees_with_scipy(values):
    interval = mean_interval(values)
    half = stats.t.ppf(0.975, len(values) - 1) * stdev(values) / math.sqrt(len(values))
    assert interval.half_width == pytest.approx(half, rel=1e-6, abs=1e-12)


def test_ratio_interval_by_hand():
    # logarithms with L = ln 2: −L, −L, 2L; median −L; mean 0; s = √3 L; half-width 4.302653 · √3 L / √3
    interval = ratio_interval([0.5, 0.5, 4.0])
    assert interval.centre == pytest.approx(0.5)
    assert interval.high == pytest.approx(math.exp(4.302653 * math.log(2)), rel=1e-6)
    assert interval.low == pytest.approx(1 / interval.high)


@given(st.lists(st.floats(1e-2, 1e2), min_size=2, max_size=9))
def test_interval_of_reciprocals_is_the_reciprocal_interval(ratios):
    one, other = ratio_interval(ratios), ratio_interval([1 / ratio for ratio in ratios])
    assert other.low == pytest.approx(1 / one.high, rel=1e-6)
    assert other.centre == pytest.approx(1 / one.centre, rel=1e-6)


@pytest.mark.parametrize("interval_of", [mean_interval, ratio_interval])
def test_one_seed_has_no_interval(interval_of):
    assert interval_of([0.25]) == Interval(0.25, None, None, 1)
    assert interval_of([0.25]).half_width is None


@pytest.mark.parametrize("interval_of", [mean_interval, ratio_interval, median])
@pytest.mark.parametrize("values", [[], [math.nan], [None], [math.inf]])
def test_nothing_finite_gives_nothing(interval_of, values):
    assert interval_of(values) is None


def test_what_is_not_finite_is_left_out():
    assert median([3.0, math.nan, 1.0, None]) == 2.0
    assert mean_interval([0.5, math.nan]) == Interval(0.5, None, None, 1)


def test_two_seeds_far_apart_do_not_overflow():
    assert ratio_interval([1e-200, 1e200]).high == math.inf
