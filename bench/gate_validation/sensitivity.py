"""What would become of the gate's errors on a worse machine: recorded pairs, changed, compared in simulation.

Fed by a recording of a quiet machine; feeds a table of the report.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from bench.gate.decision import Rule
from bench.gate_validation.comparison import Compared, compare
from bench.gate_validation.proportions import Share
from bench.gate_validation.recording import Recording
from bench.gate_validation.records import RecordedPair
from bench.gate_validation.scenarios import Scenario, Turn, seed_of
from bench.gate_validation.simulated import Change, SimulatedMachine, with_factors

COMPARISONS = 100
BUDGET_SECONDS = 100.0
"""Less than the gate has: these are many comparisons, and those at the tolerance are undecided for all of it."""
FOUND_AT = (5.0, 10.0)
TAIL, LONGEST_TAIL = 0.03, 100.0
DRIFT = 1.01
BURST, BURSTS = 1.5, 0.25
UNLUCKY, UNLUCKY_SHARE = 1.05, 0.25


def heavy_tails(pair: RecordedPair, rng: random.Random) -> RecordedPair:
    """Each process faster or slower for its whole life by 3 % times Student's t with two degrees of freedom."""
    old, new = (math.exp(TAIL * _student(rng)) for _ in range(2))
    return with_factors(pair, (old,) * len(pair.old_seconds), (new,) * len(pair.new_seconds))


def _student(rng: random.Random) -> float:
    """t with two degrees of freedom: Z / √(χ²₂ / 2), where χ²₂ / 2 is exponential. Its variance is infinite."""
    value = rng.gauss(0, 1) / math.sqrt(max(rng.expovariate(1), 1e-12))
    return max(-LONGEST_TAIL, min(LONGEST_TAIL, value))


def unlucky_processes(pair: RecordedPair, rng: random.Random) -> RecordedPair:
    """Every fourth process 5 % slower for its whole life."""
    old, new = (UNLUCKY if rng.random() < UNLUCKY_SHARE else 1.0 for _ in range(2))
    return with_factors(pair, (old,) * len(pair.old_seconds), (new,) * len(pair.new_seconds))


def drift(pair: RecordedPair, rng: random.Random) -> RecordedPair:
    """Each epoch of the pair 1 % slower than the one before it, whichever side's turn it is."""
    turns = pair.order.replace(" ", "")
    old, new = (tuple(DRIFT**place for place, side in enumerate(turns) if side == letter) for letter in "AB")
    return with_factors(pair, old, new)


def bursts(pair: RecordedPair, rng: random.Random) -> RecordedPair:
    """In every fourth pair one epoch, of either side, takes half as long again."""
    struck = rng.randrange(2 * len(pair.old_seconds)) if rng.random() < BURSTS else None
    places = range(len(pair.old_seconds))
    old, new = (tuple(BURST if 2 * place + side == struck else 1.0 for place in places) for side in (0, 1))
    return with_factors(pair, old, new)


@dataclass(frozen=True)
class Variant:
    """A way in which a machine could be worse."""

    text: str
    change: Change | None


VARIANTS: tuple[Variant, ...] = (
    Variant("as recorded", None),
    Variant("luck of a process with heavy tails (3 % times Student's t, two degrees of freedom)", heavy_tails),
    Variant("every fourth process 5 % slower for its whole life", unlucky_processes),
    Variant("each epoch 1 % slower than the one before", drift),
    Variant("in every fourth pair one epoch takes half as long again", bursts),
)


@dataclass(frozen=True)
class Sensitivity:
    """One variant: failures by planted slowdown (per cent)."""

    text: str
    failed: dict[float, Share]


def sensitivity(recording: Recording, rule: Rule, seed: int) -> Iterator[Sensitivity]:
    """Every variant at no slowdown, at the tolerance itself, where a failure is still false, and at some above it."""
    percents = (0.0, 100 * rule.tolerance, *FOUND_AT)
    for variant in VARIANTS:
        machine = SimulatedMachine(recording, variant.change)
        failed = {}
        for percent in percents:
            turns = [Turn(Scenario("quiet", percent), number) for number in range(1, COMPARISONS + 1)]
            compared = [_compare(machine, turn, rule, seed) for turn in turns]
            failed[percent] = Share.where(one.verdict == "fail" for one in compared)
        yield Sensitivity(variant.text, failed)


def _compare(machine: SimulatedMachine, turn: Turn, rule: Rule, seed: int) -> Compared:
    with machine.pairs(turn.scenario, None, seed_of(seed, turn)) as source:
        return compare(source, rule, BUDGET_SECONDS)
