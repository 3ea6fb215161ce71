"""The gate on made-up luck: simulated comparisons whose right answer is known, and the clock that adds up."""

import math
import random

import made_comparisons as made
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.errors import UnusableError
from bench.gate.decision import Rule
from bench.gate_validation import sensitivity
from bench.gate_validation.comparison import compare
from bench.gate_validation.recording import FEWEST, Recording
from bench.gate_validation.scenarios import (
    COUNTS,
    LOADS,
    SCENARIOS,
    Scenario,
    Turn,
    asked_for,
    in_turns,
    load_from,
    seed_of,
)
from bench.gate_validation.simulated import SimulatedMachine, slowed

RULE = Rule()


@pytest.fixture(scope="module")
def recorded():
    return made.recording()


def verdicts(recording, scenario, count, budget=300.0, change=None):
    machine, found = SimulatedMachine(recording, change), []
    for number in range(1, count + 1):
        seed = seed_of(0, Turn(scenario, number))
        with machine.pairs(scenario, load_from(scenario.load, seed), seed) as source:
            found.append(compare(source, RULE, budget).verdict)
    return found


@pytest.mark.parametrize("load", LOADS)
def test_false_alarms_keep_to_alpha(recorded, load):
    assert verdicts(recorded, Scenario(load, 0.0), 150).count("fail") <= 1


def test_even_at_the_tolerance_failures_keep_to_alpha(recorded):
    """150 comparisons of which each fails with probability 0.01 at most: more than 5 in one of 100,000 such tests."""
    assert verdicts(recorded, Scenario("quiet", 3.0), 150, budget=150).count("fail") <= 5


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("percent", [10.0, 20.0])
def test_a_large_slowdown_is_found(recorded, load, percent):
    assert verdicts(recorded, Scenario(load, percent), 40) == ["fail"] * 40


def test_a_speed_up_passes(recorded):
    assert verdicts(recorded, Scenario("quiet", -5.0), 40) == ["pass"] * 40


@pytest.mark.parametrize("variant", sensitivity.VARIANTS, ids=lambda variant: variant.text)
def test_worse_machines_cost_power_but_no_false_alarms(recorded, variant):
    assert "fail" not in verdicts(recorded, Scenario("quiet", 0.0), 40, budget=100, change=variant.change)
    assert verdicts(recorded, Scenario("quiet", 20.0), 20, change=variant.change) == ["fail"] * 20


def test_the_same_seed_draws_the_same_pairs(recorded):
    machine, drawn = SimulatedMachine(recorded), []
    for seed in (1, 1, 2):
        with machine.pairs(Scenario("busy", 5.0), 1, seed) as source:
            drawn.append([source(number) for number in range(1, 6)])
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_load_of_a_simulated_comparison_starts_at_its_pair(recorded):
    with SimulatedMachine(recorded).pairs(Scenario("changing", 0.0), 4, 1) as source:
        walls = [source(number).wall_seconds for number in range(1, 8)]
    assert walls == [made.PAIR_SECONDS] * 3 + [2 * made.PAIR_SECONDS] * 4


def test_identical_sides_are_exchanged_half_of_the_time():
    lopsided = made.pair(old=(1.0,) * 4, new=(2.0,) * 4, order="ABBA BAAB")
    recording = Recording(made.recording(0, 0).origin, {"quiet": (lopsided,) * FEWEST, "busy": ()})
    with SimulatedMachine(recording).pairs(Scenario("quiet", 0.0), None, 1) as source:
        pairs = [source(number) for number in range(1, 401)]
    turned = [pair for pair in pairs if pair.old_seconds[0] == 2.0]
    assert 150 < len(turned) < 250
    assert {pair.order for pair in turned} == {"BAAB ABBA"}


@given(slowdown=st.floats(-0.5, 2.0), seed=st.integers(0, 99))
def test_planted_work_changes_the_ratio_by_just_that(slowdown, seed):
    pair = made.lucky_pair(random.Random(seed))
    assert slowed(pair, slowdown).log_ratio - pair.log_ratio == pytest.approx(math.log1p(slowdown), abs=1e-9)
    assert slowed(pair, slowdown).wall_seconds >= pair.wall_seconds


def test_planted_work_is_in_what_went_by_as_well():
    pair = made.pair().model_copy(update={"old_elapsed": (0.06,) * 4, "new_elapsed": (0.07,) * 4})
    slower = slowed(pair, 0.5)
    assert slower.old_elapsed == pair.old_elapsed
    assert slower.new_elapsed == pytest.approx([0.105] * 4)


def test_drift_strikes_both_sides_of_a_block_alike():
    changed = sensitivity.drift(made.pair(order="BAAB ABBA"), random.Random(0))
    assert changed.log_ratio == pytest.approx(0, abs=1e-12)
    assert max(changed.old_seconds) > 1.05 * min(changed.old_seconds)


def test_too_few_recorded_pairs_are_refused_with_the_remedy():
    recording = made.recording(quiet=FEWEST, busy=FEWEST - 1)
    assert recording.of_state("quiet")
    with pytest.raises(UnusableError, match=r"29 recorded pairs of a busy machine.*needs 30.*--scenario busy:0"):
        recording.of_state("busy")


def test_the_budget_is_kept_by_the_seconds_of_the_pairs(recorded):
    slow = made.pair(wall=10.0)

    def undecided(number):
        ratio = 1.2 if number % 2 else 0.9
        return slow.model_copy(update={"new_seconds": (0.05 * ratio,) * 4}).as_pair(number, made.CELL)

    compared = compare(undecided, RULE, budget_seconds=95.0)
    assert (compared.verdict, len(compared.pairs)) == ("undecided", 9)
    assert [pair.number for pair in compared.pairs] == list(range(1, 10))
    assert len(compare(undecided, RULE, budget_seconds=1.0).pairs) == 1


@pytest.mark.parametrize(("ratio", "verdict"), [(1.1, "fail"), (1.0, "pass")])
def test_nine_of_nine_pairs_decide(ratio, verdict):
    compared = compare(lambda number: made.pair(new=(0.05 * ratio,) * 4).as_pair(number, made.CELL), RULE, 300.0)
    assert (compared.verdict, len(compared.pairs)) == (verdict, 9)


def test_a_part_of_all_comparisons_has_some_of_every_scenario():
    counts = {scenario: asked_for(scenario.percent) for scenario in SCENARIOS}
    turns = in_turns(counts, 0)
    assert len(turns) == len(set(turns)) == 3 * sum(COUNTS.values())
    part = [turn.scenario for turn in turns[: len(turns) // 10]]
    assert all(abs(part.count(scenario) - count / 10) <= 1 for scenario, count in counts.items())
    assert turns == in_turns(counts, 0) != in_turns(counts, 1)


def test_a_changing_load_starts_within_the_pairs_that_every_comparison_has():
    starts = {load_from("changing", seed) for seed in range(200)}
    assert starts == set(range(2, 10))
    assert {load_from("quiet", 1), load_from("busy", 1)} == {None, 1}


@pytest.mark.parametrize("text", ["quiet:0", "busy:2.5", "changing:-5"])
def test_a_scenario_is_read_as_it_is_written(text):
    assert str(Scenario.parse(text)) == text


@pytest.mark.parametrize("text", ["loud:5", "quiet", "quiet:", "quiet:nan", "quiet:1e9", "quiet:-60", "\x1b[31m", ""])
def test_an_unknown_scenario_names_what_is_allowed(text):
    with pytest.raises(UnusableError, match="allowed: quiet, busy, changing, then a colon"):
        Scenario.parse(text)


def test_no_slowdown_is_the_same_with_either_sign():
    assert str(Scenario.parse("quiet:-0")) == "quiet:0"
