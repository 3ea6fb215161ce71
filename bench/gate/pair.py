"""A pair: two fresh processes, one of each side, that took turns. It is the gate's unit of observation.

Fed by whoever starts the processes; feeds the decision and the records. Why a pair and no epoch: a process is lucky or
unlucky by some per cent for its whole life, so more epochs of the same two processes prove nothing.
"""

import math
from statistics import median
from typing import Annotated

from pydantic import Field

from bench.core.models import FiniteRecord, NotNegative, Positive

BLOCK = 2
"""Turns of a side in a block: A B B A holds two of each, so that a steady drift strikes both alike."""

Cost = Annotated[float, Field(allow_inf_nan=True)]
"""Of a training, which may diverge; the gate refuses a pair whose costs differ."""


class Pair(FiniteRecord):
    """Seconds of both sides' turns, in the order in which they happened; warm-ups are not among them.

    A in `order` is the old side, B the new one: "ABBA BAAB" are two blocks.
    """

    number: int = Field(ge=1)
    cell: str
    order: str
    old_seconds: tuple[Positive, ...] = Field(min_length=1)
    new_seconds: tuple[Positive, ...] = Field(min_length=1)
    old_elapsed: tuple[Positive, ...] = Field(
        default=(), description="the same turns with other programs' share in them"
    )
    new_elapsed: tuple[Positive, ...] = ()
    old_cpu: tuple[NotNegative, ...] = Field(default=(), description="CPU seconds of the same turns of a command")
    new_cpu: tuple[NotNegative, ...] = ()
    wall_seconds: NotNegative = Field(description="all that the pair took, the start of its processes included")
    old_costs: tuple[Cost, ...] = Field(default=(), description="of the warm-up epoch and each turn")
    new_costs: tuple[Cost, ...] = ()
    old_steps: str = Field(default="", description="compiled (Numba) or NumPy; empty where not known")
    new_steps: str = ""

    @property
    def log_ratio(self) -> float:
        """Median over blocks of ln(new / old), each block's the mean over its turns."""
        return median(_block(self.old_seconds, self.new_seconds, start) for start in range(0, self._turns, BLOCK))

    @property
    def _turns(self) -> int:
        return min(len(self.old_seconds), len(self.new_seconds))


def _block(old: tuple[float, ...], new: tuple[float, ...], start: int) -> float:
    turns = range(start, min(start + BLOCK, len(old), len(new)))
    return sum(math.log(new[turn] / old[turn]) for turn in turns) / len(turns)
