"""A pair: two fresh processes, one of each side, that took turns. It is the gate's unit of observation.

Why a pair and not an epoch: a process is lucky or unlucky by some per cent for its whole life, so more epochs of the
same two processes prove nothing.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Annotated, NamedTuple

from pydantic import Field

from bench.core.models import FiniteRecord, NotNegative, Positive

SIDES = ("old", "new")
BLOCK = 2
"""Turns of a side in a block: A B B A holds two of each, so a steady drift affects both alike."""

Cost = Annotated[float, Field(allow_inf_nan=True)]
"""Of a training, which may diverge; the gate refuses a pair whose costs differ."""


class Pair(FiniteRecord):
    """Seconds of both sides' turns, in the order in which they happened, without warm-ups.

    In `order` A is the old side and B the new one: "ABBA BAAB" are two blocks.
    """

    number: int = Field(ge=1)
    cell: str
    order: str
    old_seconds: tuple[Positive, ...] = Field(min_length=1)
    new_seconds: tuple[Positive, ...] = Field(min_length=1)
    old_elapsed: tuple[Positive, ...] = Field(default=(), description="wall time of the same turns")
    new_elapsed: tuple[Positive, ...] = ()
    old_cpu: tuple[NotNegative, ...] = Field(default=(), description="CPU seconds of the same turns of a command")
    new_cpu: tuple[NotNegative, ...] = ()
    old_amounts: tuple[Positive, ...] = Field(
        default=(), description="compared in place of seconds: bytes, instructions"
    )
    new_amounts: tuple[Positive, ...] = ()
    wall_seconds: NotNegative = Field(description="of the whole pair, with the start of its processes")
    old_costs: tuple[Cost, ...] = Field(default=(), description="of the warm-up epoch and each turn")
    new_costs: tuple[Cost, ...] = ()
    old_steps: str = Field(default="", description="compiled (Numba) or NumPy; empty if not known")
    new_steps: str = ""

    @property
    def log_ratio(self) -> float:
        """Median over blocks of ln(new / old); of each block the mean over its turns."""
        compared = (self.old_amounts or self.old_seconds, self.new_amounts or self.new_seconds)
        turns = [math.log(new / old) for old, new in zip(*compared, strict=False)]
        blocks = [turns[start : start + BLOCK] for start in range(0, len(turns), BLOCK)]
        return median(sum(block) / len(block) for block in blocks)


class Source(NamedTuple):
    """What measures pairs: its cases, and a function of the pair's number, from 1, and of the cases asked for.

    One pair of fresh processes serves all cases that are asked for; the function gives a `Pair` for each.
    """

    cases: tuple[str, ...]
    measure: Callable[[int, Sequence[str]], Iterable[Pair]]


def single(case: str, measure: Callable[[int], Pair]) -> Source:
    """The source of one case: number of a pair → the pair, measured now."""
    return Source((case,), lambda number, _: (measure(number),))
