"""Differences, intervals, equivalence and the seeds it takes: against SciPy and statsmodels, by laws, by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_ind, ttost_paired

from bench.compare.equivalence import Evidence, paired_difference, seeds_needed, welch_difference
from bench.compare.rows import holm

FINE = 1e-12
MARGIN = 0.005
PAIRS = 400

accuracies = st.lists(st.integers(9000, 9900).map(lambda right: right / 10_000), min_size=2, max_size=8)


def rng(seed=0):
    return np.random.default_rng(seed)


def drawn(seed, size, shift=0.0, spread=0.002):
    return list(0.95 + shift + spread * rng(seed).standard_normal(size))


def test_a_difference_by_hand():
    # differences 1, 2, 3: mean 2, s = 1, error 1/√3 = 0.57735, t(0.975, 2) = 4.30265, half width 2.48414
    interval = paired_difference([0, 0, 0], [1, 2, 3], FINE).interval
    assert (interval.centre, interval.count) == (2.0, 3)
    assert [interval.low, interval.high] == pytest.approx([2 - 2.48414, 2 + 2.48414], abs=1e-5)


@pytest.mark.parametrize("size", [2, 3, 10])
def test_paired_interval_and_equivalence_are_those_of_scipy_and_statsmodels(size):
    a, b = drawn(1, size), drawn(2, size)
    found = paired_difference(a, b, FINE)
    expected = stats.ttest_rel(b, a).confidence_interval(0.95)
    assert [found.interval.low, found.interval.high] == pytest.approx([expected.low, expected.high])
    assert Evidence(found, MARGIN).p_equivalent == pytest.approx(
        ttost_paired(np.array(b), np.array(a), -MARGIN, MARGIN)[0]
    )
    assert found.p_below(0) == pytest.approx(stats.ttest_rel(b, a, alternative="less").pvalue)


@pytest.mark.parametrize("sizes", [(2, 2), (3, 7), (10, 4)])
def test_welchs_interval_and_equivalence_are_those_of_scipy_and_statsmodels(sizes):
    a, b = drawn(1, sizes[0]), drawn(2, sizes[1], spread=0.004)
    found = welch_difference(a, b, FINE)
    expected = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert [found.interval.low, found.interval.high] == pytest.approx([expected.low, expected.high])
    assert Evidence(found, MARGIN).p_equivalent == pytest.approx(ttost_ind(b, a, -MARGIN, MARGIN, "unequal")[0])


@settings(deadline=None)
@given(accuracies, accuracies)
def test_exchanging_the_sides_negates_the_difference(a, b):
    for make in (welch_difference, paired_difference):
        one, other = (a[: len(b)], b[: len(a)]) if make is paired_difference else (a, b)
        forth, back = make(one, other, 1e-4), make(other, one, 1e-4)
        assert forth.interval.centre == pytest.approx(-back.interval.centre, abs=1e-12)
        assert [forth.interval.low, forth.interval.high] == pytest.approx(
            [-back.interval.high, -back.interval.low], abs=1e-12
        )
        assert forth.p_above(-MARGIN) == pytest.approx(back.p_below(MARGIN), abs=1e-9)


@settings(deadline=None)
@given(accuracies, accuracies, st.randoms())
def test_the_order_of_seeds_changes_nothing(a, b, random):
    pairs = list(zip(a, b, strict=False))
    shuffled = random.sample(pairs, len(pairs))
    before, after = (paired_difference(*map(list, zip(*each, strict=True)), 1e-4) for each in (pairs, shuffled))
    assert (after.centre, after.error) == pytest.approx((before.centre, before.error), abs=1e-12)
    one, two = welch_difference(a, b, 1e-4), welch_difference(random.sample(a, len(a)), b, 1e-4)
    assert (two.centre, two.error, two.freedom) == pytest.approx((one.centre, one.error, one.freedom), abs=1e-9)


def test_seeds_that_tie_are_no_proof_of_no_spread():
    coarse, fine = (paired_difference([0.9, 0.9, 0.9], [0.9, 0.9, 0.9], 1 / n) for n in (30, 10_000))
    assert Evidence(coarse, MARGIN).decision(1.0) == "undecided"
    assert Evidence(fine, MARGIN).decision(1.0) == "equivalent"
    assert fine.interval.high > 0


def test_one_seed_has_no_interval_and_decides_nothing():
    for found in (paired_difference([0.9], [0.5], 1e-4), welch_difference([0.9], [0.5, 0.6], 1e-4)):
        assert (found.interval.low, found.interval.high) == (None, None)
        evidence = Evidence(found, MARGIN)
        assert evidence.decision(evidence.p_worse) == "undecided"
        assert seeds_needed(evidence) is None


@pytest.mark.parametrize(
    ("shift", "decision"), [(0.0, "equivalent"), (-0.02, "worse"), (0.02, "better"), (-0.005, "undecided")]
)
def test_decisions(shift, decision):
    a = drawn(3, 8)
    b = [value + shift + wobble for value, wobble in zip(a, drawn(4, 8, -0.95, 0.0005), strict=True)]
    evidence = Evidence(paired_difference(a, b, 1e-4), MARGIN)
    assert evidence.decision(evidence.p_worse) == decision


def decisions(shift, seeds=5, spread=0.002):
    for pair in range(PAIRS):
        a, b = drawn(2 * pair, seeds, 0, spread), drawn(2 * pair + 1, seeds, shift, spread)
        evidence = Evidence(paired_difference(a, b, 1e-4), MARGIN)
        yield evidence.decision(evidence.p_worse)


def test_the_same_distribution_is_not_called_worse():
    assert list(decisions(0.0)).count("worse") == 0


def test_false_alarms_at_the_margin_itself_stay_at_the_level():
    # 400 pairs at 5 %: 20 expected, 20 + 3 · √(400 · 0.05 · 0.95) = 33 at most
    assert list(decisions(-MARGIN)).count("worse") <= 33


@pytest.mark.parametrize("shift", [-MARGIN, MARGIN])
def test_a_difference_as_large_as_the_margin_is_rarely_called_equivalent(shift):
    assert list(decisions(shift)).count("equivalent") <= 33


def test_what_is_equivalent_is_found_to_be_so_with_enough_seeds():
    found = list(decisions(0.0, seeds=20))
    assert found.count("equivalent") >= 0.95 * PAIRS


def test_many_rows_together_raise_a_false_alarm_no_more_often_than_one():
    rows, comparisons, alarms = 20, 100, 0
    for comparison in range(comparisons):
        b = 0.002 * rng(comparison).standard_normal((rows, 5)) - MARGIN
        p = [Evidence(paired_difference([0.0] * 5, list(row), 1e-4), MARGIN).p_worse for row in b]
        alarms += min(holm(p)) <= 0.05
    assert alarms <= 11  # 5 expected, 5 + 3 · √(100 · 0.05 · 0.95)


def test_holm_by_hand_and_by_statsmodels():
    # sorted 0.01, 0.02, 0.04: times 3, 2, 1, never less than the one before
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([]) == []
    p = list(rng().uniform(size=30))
    assert holm(p) == pytest.approx(list(multipletests(p, method="holm")[1]))


@pytest.mark.parametrize(
    ("shift", "make"), [(0.0, paired_difference), (-0.008, paired_difference), (0.0, welch_difference)]
)
def test_as_many_seeds_as_are_asked_for_decide_in_four_of_five(shift, make):
    spread = 0.006
    seen = make([0.0] * 4, [shift + spread * z for z in (-1.224745, 0, 0, 1.224745)], FINE)  # s = spread exactly
    needed = seeds_needed(Evidence(seen, MARGIN))
    decided = 0
    for pair in range(PAIRS):
        b = shift + seen.spread * rng(pair).standard_normal(needed)
        a = np.zeros(needed) if seen.paired else seen.spread * rng(PAIRS + pair).standard_normal(needed)
        evidence = Evidence(make(list(a), list(b), FINE), MARGIN)
        decided += evidence.decision(evidence.p_worse) != "undecided"
    assert 0.75 * PAIRS <= decided <= 0.95 * PAIRS


def test_too_many_seeds_are_not_promised():
    at_the_margin = paired_difference([0.0] * 4, [0.0049, 0.0051, 0.0048, 0.0051], 1e-4)
    far_too_noisy = paired_difference([0.0] * 4, [-0.9, 0.9, 0.5, -0.5], 1e-4)
    assert seeds_needed(Evidence(far_too_noisy, MARGIN)) is None
    assert seeds_needed(Evidence(at_the_margin, MARGIN)) > 4
