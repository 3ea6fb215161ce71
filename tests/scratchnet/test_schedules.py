"""Schedules against their formulas in plain numbers, and at their limits."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.schedules import (
    SCHEDULES,
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)

RATE, PERIOD, STEP = st.floats(1e-4, 1.0), st.integers(1, 50), st.integers(0, 200)
DECAYS = {
    "exponential_decay": ExponentialDecay(0.1, 10, 0.5),
    "inverse_time_decay": InverseTimeDecay(0.1, 10, 0.5),
    "polynomial_decay": PolynomialDecay(0.1, 10, end_learning_rate=0.01, power=2.0),
    "cosine_decay": CosineDecay(0.1, 10, alpha=0.1),
    "piecewise_constant_decay": PiecewiseConstantDecay((3, 6), (0.1, 0.05, 0.01)),
}


def test_every_schedule_of_the_table_is_tested_here():
    assert {name: type(decay) for name, decay in DECAYS.items()} == SCHEDULES


@pytest.mark.parametrize("name", DECAYS)
def test_a_decay_starts_at_its_first_rate_never_rises_and_stays_positive(name):
    rates = [DECAYS[name](step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1, rel=1e-15)
    assert all(later <= sooner for sooner, later in pairwise(rates))
    assert rates[-1] > 0
    assert all(type(rate) is float for rate in rates)


@given(RATE, PERIOD, st.floats(0.1, 1.0), STEP, st.booleans())
def test_exponential_decay_is_its_formula(rate, period, factor, step, staircase):
    periods = step // period if staircase else step / period
    schedule = ExponentialDecay(rate, period, factor, staircase)
    assert schedule(step) == pytest.approx(rate * math.exp(periods * math.log(factor)), rel=1e-12)


@given(RATE, PERIOD, st.floats(0.0, 5.0), STEP, st.booleans())
def test_inverse_time_decay_is_its_formula(rate, period, factor, step, staircase):
    periods = step // period if staircase else step / period
    assert InverseTimeDecay(rate, period, factor, staircase)(step) == pytest.approx(rate / (1 + factor * periods))


@given(RATE, PERIOD, st.floats(1e-4, 0.1), st.sampled_from([0.5, 1.0, 2.0]), STEP)
def test_polynomial_decay_is_its_formula_and_ends_at_its_end(rate, period, end, power, step):
    schedule = PolynomialDecay(rate, period, end, power)
    part = max(0.0, (period - step) / period)
    assert schedule(step) == pytest.approx(end + (rate - end) * part**power, rel=1e-12)
    assert schedule(period) == schedule(10 * period) == pytest.approx(end)


@given(PERIOD, STEP)
def test_a_cycle_of_polynomial_decay_takes_the_next_multiple_of_its_period(period, step):
    schedule, multiple = PolynomialDecay(1.0, period, 0.1, cycle=True), period
    while step > multiple:
        multiple += period
    assert schedule(step) == pytest.approx(0.1 + 0.9 * (1 - step / multiple))


@given(RATE, PERIOD, st.floats(0.0, 1.0), STEP)
def test_cosine_decay_is_its_formula_and_ends_at_alpha(rate, period, alpha, step):
    schedule = CosineDecay(rate, period, alpha)
    # (1 + cos x) / 2 = cos²(x/2)
    half_wave = math.cos(0.5 * math.pi * min(1.0, step / period)) ** 2
    assert schedule(step) == pytest.approx(rate * (alpha + (1 - alpha) * half_wave), abs=1e-15)
    assert schedule(period) == schedule(10 * period) == pytest.approx(alpha * rate, abs=1e-15)


@given(RATE, RATE, PERIOD, PERIOD)
def test_warm_up_is_a_line_to_its_target_and_the_decay_begins_there(start, target, warmup, period):
    schedule = CosineDecay(start, period, 0.0, warmup_target=target, warmup_steps=warmup)
    assert schedule(0) == pytest.approx(start)
    assert schedule(warmup) == pytest.approx(target)
    for step in range(warmup):
        assert schedule(step) == pytest.approx(start + (target - start) * step / warmup)
    for step in range(period):
        assert schedule(warmup + step) == CosineDecay(target, period)(step)


def test_piecewise_constant_decay_changes_after_its_boundary():
    schedule = PiecewiseConstantDecay((3, 6), (0.1, 0.05, 0.01))
    assert [schedule(step) for step in (0, 3, 4, 6, 7, 100)] == [0.1, 0.1, 0.05, 0.05, 0.01, 0.01]
