"""What is compared how often: planted slowdowns, times what else the machine does meanwhile.

Feeds the measuring, which takes the scenarios in turns, and the targets, which ask for so many comparisons of each.
"""

import math
import random
import zlib
from collections.abc import Mapping
from typing import Literal, NamedTuple, Self, get_args

from bench.core.errors import UnusableError
from bench.core.text import one_line

Load = Literal["quiet", "busy", "changing"]
LOADS: tuple[Load, ...] = get_args(Load)

LOAD_TEXTS: dict[Load, str] = {
    "quiet": "nothing else on the machine",
    "busy": "another process loads every core half of the time",
    "changing": "that load starts in the middle of the comparison",
}
COUNTS: dict[float, int] = {0: 200, 2: 100, 3: 100, 5: 100, 10: 100, 20: 100, -5: 50}
"""Planted slowdown, in per cent → comparisons; below 0 it is a speed-up."""
OTHER_COUNT = 100
LOWEST, HIGHEST = -50.0, 200.0
FEWEST_PAIRS = 9
"""No comparison is decided by fewer: the gate's bet needs nine of nine at α = 1 %."""
CHANGES_AT = (2, FEWEST_PAIRS)
"""Pairs before one of which the load starts, the ends included."""


class Scenario(NamedTuple):
    """A planted slowdown in per cent, and what else the machine does. Written `quiet:5`."""

    load: Load
    percent: float

    def __str__(self) -> str:
        return f"{self.load}:{self.percent:g}"

    @property
    def slowdown(self) -> float:
        """As a share: 0.05 for 5 %."""
        return self.percent / 100

    @classmethod
    def parse(cls, text: str) -> Self:
        """The scenario that is written so.

        Raises
        ------
        UnusableError
            Names what is allowed.
        """
        name, _, number = text.strip().partition(":")
        load, percent = next((one for one in LOADS if one == name), None), _number(number)
        if load is None or not LOWEST <= percent <= HIGHEST:
            allowed = f"{', '.join(LOADS)}, then a colon and the per cent of slowdown, {LOWEST:g} to {HIGHEST:g}"
            raise UnusableError(f"scenario {one_line(text, 60)!r}; allowed: {allowed}, such as quiet:5")
        return cls(load, percent + 0.0)  # -0 is 0


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


SCENARIOS: tuple[Scenario, ...] = tuple(Scenario(load, percent) for load in LOADS for percent in COUNTS)


class Turn(NamedTuple):
    """One comparison to be made: number `number` of its scenario, from 1."""

    scenario: Scenario
    number: int


def asked_for(percent: float) -> int:
    """Comparisons that the proof asks for at that slowdown, under each load."""
    return COUNTS.get(percent, OTHER_COUNT)


def in_turns(counts: Mapping[Scenario, int], seed: int) -> list[Turn]:
    """Every comparison, the scenarios mixed: number k of n comes at about k/n of the way, and a part has some of each.

    Within its n-th part a comparison's place is random, so that no scenario always follows the same other one.
    """
    rng = random.Random(seed)
    turns = [
        ((number - rng.random()) / count, Turn(scenario, number))
        for scenario, count in counts.items()
        for number in range(1, count + 1)
    ]
    return [turn for _, turn in sorted(turns, key=lambda item: item[0])]


def seed_of(seed: int, turn: Turn) -> int:
    """The seed of one comparison: the same whatever else is compared, in whatever order."""
    return zlib.crc32(f"{seed} {turn.scenario} {turn.number}".encode())


def load_from(load: Load, seed: int) -> int | None:
    """Number of the pair before which the load starts in the comparison of that seed; None: never."""
    starts: dict[Load, int | None] = {
        "quiet": None,
        "busy": 1,
        "changing": random.Random(seed).randint(*CHANGES_AT),
    }
    return starts[load]
