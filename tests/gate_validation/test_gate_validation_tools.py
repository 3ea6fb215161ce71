"""Each usual tool answers as its own source would: hand-made timings, beside figures that its own code gave."""

import random

import made_comparisons as made
import numpy as np
import pytest
from pytest_benchmark.utils import parse_compare_fail
from scipy.stats import mannwhitneyu

from bench.gate_validation import usual_tools
from bench.gate_validation.usual_tools import TOOLS, bootstrap_p, said_slower

OLD = (1.00, 1.02, 1.01, 1.03, 0.99, 1.04, 0.98, 1.05)
APART = tuple(1.12 * seconds for seconds in OLD)
MIXED = (1.12, 1.14, 1.11, 1.15, 1.10, 1.025, 1.16, 1.17)
MORE_MIXED = (1.12, 1.14, 1.11, 1.15, 1.10, 1.025, 0.995, 1.17)


def answer(rule, old, new):
    (said,) = rule(np.array([old]), np.array([new]))
    return bool(said)


@pytest.mark.parametrize(("field", "rule"), [("mean", usual_tools.mean_above), ("min", usual_tools.min_above)])
@pytest.mark.parametrize("factor", [0.9, 1.0, 1.049, 1.051, 1.06, 1.2])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_pytest_benchmark_itself_would_have_said_the_same(field, rule, factor, noise):
    rng = random.Random(factor)
    old, new = ([scale * rng.uniform(1, 1 + noise) for _ in range(5)] for scale in (1.0, factor))
    statistics = ({"mean": float(np.mean(side)), "min": min(side)} for side in (new, old))
    check = parse_compare_fail(f"{field}:5%")
    assert answer(rule, old, new) == bool(check.fails(*statistics))


@pytest.mark.parametrize(
    ("new", "p"),  # what asv 0.6.6's `asv._stats.mann_whitney_u` gives
    [(APART, 0.00015540015540043773), (MIXED, 0.0010878010878012877), (MORE_MIXED, 0.014763014763014939)],
)
def test_the_u_test_is_asvs(new, p):
    assert mannwhitneyu(OLD, new, method="exact").pvalue == pytest.approx(p)
    assert answer(usual_tools.asv_worse, OLD, new) == (p < 0.002 and np.median(new) > 1.1 * np.median(OLD))


def test_asv_asks_for_a_tenth_however_sure_the_test_is():
    nine_percent = [1.09 * seconds for seconds in OLD]
    assert mannwhitneyu(OLD, nine_percent).pvalue < 0.002
    assert not answer(usual_tools.asv_worse, OLD, nine_percent)
    assert answer(usual_tools.asv_worse, OLD, [1.15 * seconds for seconds in OLD])


def test_asvs_test_of_many_timings_is_the_normal_approximation():
    rng = random.Random(0)
    old = [1 + rng.gauss(0, 0.02) for _ in range(25)]
    new = [1.015 + rng.gauss(0, 0.02) for _ in range(25)]
    p = mannwhitneyu(old, new, method="asymptotic", use_continuity=False).pvalue
    assert p == pytest.approx(0.003287085639999025)  # asv 0.6.6
    assert not answer(usual_tools.asv_worse, old, [1.2 * seconds for seconds in new[:5]] + new[5:])


def test_six_timings_are_the_fewest_with_which_asvs_test_can_find_anything():
    assert usual_tools.ASV_TIMINGS == 6
    assert mannwhitneyu(range(6), range(10, 16)).pvalue < 0.0022 < mannwhitneyu(range(5), range(10, 15)).pvalue


def test_criterion_finds_what_is_beyond_its_threshold_only():
    assert answer(usual_tools.criterion_regressed, OLD, APART)
    assert not answer(usual_tools.criterion_regressed, APART, OLD)
    assert not answer(usual_tools.criterion_regressed, OLD, OLD)
    steady = [1 + 1e-4 * place for place in range(8)]
    half_a_percent = [1.005 * seconds for seconds in steady]
    assert bootstrap_p(np.array([steady]), np.array([half_a_percent]))[0] < 0.05
    assert not answer(usual_tools.criterion_regressed, steady, half_a_percent)


def test_criterions_p_is_that_of_a_plain_loop_over_resamples():
    old, new = np.array(OLD), 1.03 * np.array(OLD)

    def t(a, b):
        return (a.mean() - b.mean()) / np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))

    rng, both = np.random.default_rng(3), np.concatenate([new, old])
    drawn = [rng.choice(both, 16) for _ in range(4000)]
    below = np.mean([t(one[:8], one[8:]) < t(new, old) for one in drawn])
    assert bootstrap_p(old[None], new[None])[0] == pytest.approx(2 * min(below, 1 - below), abs=0.02)


def test_criterions_answers_do_not_depend_on_what_else_is_asked():
    old, new = np.array([OLD] * 130), np.array([MIXED] * 65 + [OLD] * 65)
    assert usual_tools.criterion_regressed(old, new).tolist() == [True] * 65 + [False] * 65


@pytest.mark.parametrize(("factor", "slower"), [(1.03, True), (1.02, False), (0.9, False)])
def test_welchs_test_looks_at_the_direction_too(factor, slower):
    assert answer(usual_tools.welch_slower, OLD, [factor * seconds for seconds in OLD]) is slower


@pytest.mark.parametrize("name", TOOLS)
def test_equal_timings_are_slower_to_nobody(name):
    assert not answer(TOOLS[name].slower, (0.05,) * 8, (0.05,) * 8)


def test_the_two_runs_are_an_early_old_process_and_a_later_new_one():
    pairs = tuple(made.pair(old=(float(number),) * 4, new=(100.0 + number,) * 4) for number in range(1, 12))
    comparison, seen = made.comparison().model_copy(update={"pairs": pairs}), {}

    def look(old, new):
        seen["old"], seen["new"] = old.tolist(), new.tolist()
        return np.array([True])

    tool = usual_tools.Tool(look, "", "")
    assert said_slower(tool, [comparison]).count == 1
    assert seen == {"old": [[1.0] * 4], "new": [[109.0] * 4]}
    said_slower(usual_tools.Tool(look, "", "", processes=2, fewest_timings=6), [comparison])
    assert seen == {"old": [[1.0] * 4 + [2.0] * 4], "new": [[108.0] * 4 + [109.0] * 4]}


def test_tools_see_what_went_by_on_the_clock():
    went_by = {"old_elapsed": (0.05,) * 4, "new_elapsed": (0.08,) * 4}
    pairs = (made.pair().model_copy(update=went_by),) * 9
    comparison = made.comparison().model_copy(update={"pairs": pairs})
    tool = TOOLS["pytest-benchmark mean:5%"]
    assert (said_slower(tool, [comparison]).count, said_slower(tool, [made.comparison()]).count) == (1, 0)


def test_a_comparison_of_too_few_pairs_is_not_among_them():
    share = said_slower(TOOLS["Welch's t test"], [made.comparison(pairs=8), made.comparison(pairs=9)])
    assert (share.count, share.of) == (0, 1)
