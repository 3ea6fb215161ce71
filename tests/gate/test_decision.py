"""Pass, fail, undecided: of one cell and of several."""

import math

import numpy as np
import pytest

from bench.core.errors import UnusableError
from bench.gate.decision import Rule, decide, measure
from bench.gate.no_verdict import WorkChangedError
from bench.gate.outcome import CellResult, Outcome, result_of
from bench.gate.pair import Pair, Source, single
from bench.gate.tolerances import Tolerances
from bench.gate.work import check_costs


def pair(ratio, number=1, cell="c"):
    return Pair(number=number, cell=cell, order="AB", old_seconds=(1.0,), new_seconds=(ratio,), wall_seconds=1.0)


@pytest.mark.parametrize(
    ("ratio", "pairs", "verdict"),
    [
        (1.10, 8, "undecided"),
        (1.10, 9, "fail"),
        (1.031, 9, "fail"),
        (1.03, 40, "undecided"),  # right at the tolerance nothing is slower than it, and nothing is faster
        (1.029, 9, "pass"),
        (1.0, 9, "pass"),
        (0.5, 9, "pass"),
    ],
)
def test_nine_pairs_that_agree_are_a_verdict(ratio, pairs, verdict):
    ratios = [math.log1p(Rule().tolerance) if ratio == 1.03 else math.log(ratio)] * pairs
    assert decide(ratios, Rule()) == verdict


def test_the_more_cells_the_more_pairs_a_failure_needs_and_a_pass_as_many():
    slow, fast = [math.log(1.1)] * 9, [0.0] * 9
    assert decide(slow, Rule(cells=3)) == "undecided"
    assert decide(slow + slow[:3], Rule(cells=3)) == "fail"
    assert decide(fast, Rule(cells=3)) == "pass"


def test_one_of_many_equal_cells_fails_no_more_often_than_one_alone():
    """1,000 gates of five cells right at the tolerance at 5 %: the error is that of the whole gate."""
    rng, rule = np.random.default_rng(2), Rule(alpha=0.05, cells=5)
    failed = 0
    for _ in range(1000):
        signs = np.where(rng.random((5, 60)) < 0.5, 1, -1) * 0.01 + rule.limit
        failed += any(decide(list(row[:count]), rule) == "fail" for row in signs for count in (10, 20, 30, 40, 50, 60))
    assert failed / 1000 <= 0.05


def test_the_ratio_of_a_pair_is_the_median_over_its_blocks():
    seconds = {"old_seconds": (1.0, 1.0, 2.0, 2.0, 1.0, 4.0), "new_seconds": (1.1, 1.1, 2.0, 2.88, 9.0, 9.0)}
    one = Pair(number=1, cell="c", order="ABBA BAAB ABBA", wall_seconds=1, **seconds)
    assert math.exp(one.log_ratio) == pytest.approx(1.2)


@pytest.mark.parametrize(("old", "new"), [((0.5, 0.4), (0.5, 0.41)), ((0.5, 0.4), (0.5,)), ((math.nan,), (math.nan,))])
def test_costs_that_differ_end_early_or_are_no_numbers_are_other_work(old, new):
    with pytest.raises(WorkChangedError, match=rf"^c, pair 1: cost of epoch {len(old)} is"):
        check_costs(pair(1.0).model_copy(update={"old_costs": old, "new_costs": new}))


def measured(*sources, most=100, **rules):
    kept = []
    measure(sources, rules, lambda _: len(kept) < most, kept.append)
    return kept


def of(ratio, name):
    return single(name, lambda number: pair(ratio(number), number, name))


def test_a_case_that_has_its_verdict_takes_no_further_pair():
    rule = Rule(cells=2)
    kept = measured(of(lambda _: 1.2, "slow"), of(lambda at: 1.2 - at % 2 / 2, "either"), slow=rule, either=rule)
    counts = [[one.cell for one in kept].count(name) for name in ("slow", "either")]
    assert counts == [11, 89]


def test_a_source_of_several_cases_is_asked_for_those_that_are_undecided():
    asked = []

    def both(number, names):
        asked.append((number, tuple(names)))
        return [pair({"same": 1.0, "either": 1.2 - number % 2 / 2}[name], number, name) for name in names]

    rule = Rule(cells=2)
    measured(Source(("same", "either"), both), same=rule, either=rule, most=30)
    assert asked[:10] == [*((at, ("same", "either")) for at in range(1, 10)), (10, ("either",))]
    assert all(names == ("either",) for _, names in asked[10:])


def test_each_case_has_the_tolerance_of_its_own():
    kept = measured(of(lambda _: 1.04, "strict"), of(lambda _: 1.04, "lax"), strict=Rule(), lax=Rule(tolerance=0.05))
    verdicts = {
        name: decide([one.log_ratio for one in kept if one.cell == name], rule)
        for name, rule in {"strict": Rule(), "lax": Rule(tolerance=0.05)}.items()
    }
    assert verdicts == {"strict": "fail", "lax": "pass"}


def test_a_pattern_stands_for_any_text_and_brackets_for_themselves():
    tolerances = Tolerances(0.03, {"test_a.py::*": 0.05, "test_a.py::test[x-1]": 0.1})
    names = ["test_a.py::test[x-1]", "test_a.py::test[x-2]", "test_b.py::test"]
    assert {name: rule.tolerance for name, rule in tolerances.rules(names, 0.01).items()} == dict(
        zip(names, (0.1, 0.05, 0.03), strict=True)
    )


def test_a_pattern_that_fits_no_case_is_refused_with_the_cases():
    with pytest.raises(UnusableError, match=r"--tolerance c=…: fits no case; cases: a, b; \* fits any text"):
        Tolerances(0.03, {"c": 0.05}).rules(["a", "b"], 0.01)


def test_exchanging_the_sides_turns_the_ratio_of_a_pair_over():
    one = Pair(number=1, cell="c", order="ABBA", old_seconds=(1.0, 2.0), new_seconds=(3.0, 5.0), wall_seconds=1)
    other = one.model_copy(update={"old_seconds": one.new_seconds, "new_seconds": one.old_seconds})
    assert other.log_ratio == pytest.approx(-one.log_ratio)


def outcome(*ratios_of_cells, broken=""):
    rule = Rule(cells=len(ratios_of_cells))
    results = tuple(
        result_of(f"cell {at}", [pair(ratio, number) for number, ratio in enumerate(ratios, 1)], rule)
        for at, ratios in enumerate(ratios_of_cells)
    )
    return Outcome("main", "the work tree", rule, results, broken)


@pytest.mark.parametrize(
    ("cells", "verdict", "code"),
    [
        (([1.0] * 9,), "pass", 0),
        (([1.2] * 9,), "fail", 1),
        (([1.0] * 5,), "undecided", 3),
        (([1.0] * 12, [1.0] * 5), "undecided", 3),
        (([1.0] * 12, [1.0] * 12), "pass", 0),
        (([1.0] * 12, [1.2] * 12), "fail", 1),
        (([],), "undecided", 3),
    ],
)
def test_the_gate_is_as_its_cells(cells, verdict, code):
    made = outcome(*cells)
    assert (made.verdict, made.exit_code) == (verdict, code)


def test_the_sentence_names_sides_ratio_interval_pairs_and_tolerance():
    said = outcome([1.2] * 9).sentence
    assert said.startswith(
        "FAIL: the work tree takes 1.200 times as long as main (98 % interval 1.200 to 1.200, 9 pairs"
    )
    assert said.endswith("slower than the tolerance of 3 %")


def test_the_sentence_of_several_cells_names_the_worst_that_failed():
    said = outcome([1.2] * 12, [1.0] * 12, [1.4] * 12).sentence
    assert said.startswith("FAIL: 2 of 3 benchmarks; highest ratio in cell 2: the work tree takes 1.400 times as long")


def test_what_was_never_measured_is_not_decidable():
    assert (
        outcome([]).sentence
        == "NOT DECIDABLE: the work tree was not measured once beside main; allow more time: --minutes"
    )


def test_a_broken_side_is_no_verdict_whatever_its_seconds():
    made = outcome([1.2] * 12, broken="broken, not slower: the new side crashed")
    assert (made.verdict, made.exit_code) == ("no verdict", 4)
    assert made.sentence == "NO VERDICT: broken, not slower: the new side crashed"


def test_json_has_no_infinity_where_nothing_can_be_said():
    cells = outcome([1.0, 1.1]).as_json({})["cells"]
    assert (cells[0]["low"], cells[0]["high"]) == (None, None)
    assert isinstance(outcome([1.0]).cells[0], CellResult)
