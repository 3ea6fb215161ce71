"""The bet of the gate: its gain by integration, its error by simulation, and the interval that belongs to it."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.integrate import quad

from bench.gate.anytime import log_gain, medians, needed
from bench.gate.decision import Rule, decide, effects

LOG_RATIOS = st.lists(st.floats(-0.3, 0.3), min_size=1, max_size=40)


def interval(values, low_alpha, high_alpha):
    """After all these values."""
    *_, (_, low, high) = medians(values, low_alpha, high_alpha)
    return low, high


@pytest.mark.parametrize(("above", "pairs"), [(0, 0), (0, 5), (3, 5), (9, 9), (15, 17), (40, 70)])
def test_the_gain_is_the_integral_that_it_claims_to_be(above, pairs):
    integral, _ = quad(lambda p: 2 * (2 * p) ** above * (2 * (1 - p)) ** (pairs - above), 0.5, 1)
    assert log_gain(above, pairs) == pytest.approx(math.log(integral), abs=1e-9)


@pytest.mark.parametrize(("pairs", "above"), [(8, 9), (9, 9), (14, 13), (17, 15)])
def test_how_many_of_so_many_pairs_win_at_one_per_cent(pairs, above):
    assert needed(pairs, 0.01) == above


@pytest.mark.parametrize("pairs", range(1, 60))
def test_needed_is_the_smallest_number_that_wins(pairs):
    k = needed(pairs, 0.01)
    assert k > pairs or log_gain(k, pairs) >= math.log(100)
    assert log_gain(k - 1, pairs) < math.log(100)


@given(st.integers(0, 300))
def test_the_gain_of_the_next_pair_is_fair(pairs):
    """Where a pair is above with probability ½, the expected gain of one more is none: E is a martingale."""
    for above in range(pairs + 1):
        after = np.logaddexp(log_gain(above + 1, pairs + 1), log_gain(above, pairs + 1)) - math.log(2)
        assert after == pytest.approx(log_gain(above, pairs), abs=1e-6)


def test_looking_after_every_pair_does_not_raise_the_error():
    """2,000 comparisons right at the tolerance, each looked at 300 times: at 5 %, no more than 5 % fail."""
    rng, rule = np.random.default_rng(0), Rule(tolerance=0.03, alpha=0.05)
    above = np.cumsum(rng.random((2000, 300)) < 0.5, axis=1)
    wins = np.array([needed(n, rule.alpha) for n in range(1, 301)])
    failed = (above >= wins).any(axis=1).mean()
    assert 0.005 < failed <= 0.05


@given(LOG_RATIOS)
def test_the_verdict_is_where_the_interval_lies(log_ratios):
    rule = Rule()
    for count, shown in enumerate(effects(log_ratios, rule), 1):
        verdict = decide(log_ratios[:count], rule)
        if verdict == "fail":
            assert shown.low > 1 + rule.tolerance
        elif verdict == "pass":
            assert shown.high < 1 + rule.tolerance
        else:
            assert shown.low <= 1 + rule.tolerance * (1 + 1e-9)
            assert shown.high >= 1 + rule.tolerance * (1 - 1e-9)
        if verdict != "undecided":
            return


@given(LOG_RATIOS, st.floats(-0.1, 0.1))
def test_the_interval_moves_with_its_values_and_turns_with_their_sign(values, shift):
    low, high = interval(values, 0.01, 0.02)
    moved = interval([value + shift for value in values], 0.01, 0.02)
    assert moved == pytest.approx((low + shift, high + shift), abs=1e-12)
    assert interval([-value for value in values], 0.02, 0.01) == (-high, -low)


@given(LOG_RATIOS)
@example([0.3] * 9 + [-0.3] * 9)
def test_more_pairs_never_widen_the_interval(values):
    looks = medians(values, 0.01, 0.01)
    assert all(later[1] >= earlier[1] and later[2] <= earlier[2] for earlier, later in pairwise(looks))


def test_the_interval_of_heavy_tails_covers_the_median_at_every_look():
    """500 series of t with 2 degrees of freedom, each looked at 100 times: both ends together miss 2 % at most."""
    rng = np.random.default_rng(1)
    series = 0.02 * rng.standard_t(2, (500, 100))
    missed = sum(not low <= 0 <= high for low, high in (interval(values, 0.01, 0.01) for values in series))
    assert missed <= 10
