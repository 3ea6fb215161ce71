"""Pairs of one command that runs in two trees: the gate for any project, in any language.

Every run is a fresh process, so one run of each side is a pair.
"""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.gate.commands import Command, Place
from bench.gate.cores import children_on, draw
from bench.gate.no_verdict import WorkChangedError
from bench.gate.pair import SIDES, Pair
from bench.gate.turns import shuffled


@dataclass(frozen=True)
class CommandPairs:
    """The source of pairs of a command."""

    command: Command
    places: Mapping[str, Place]
    order: random.Random = field(default_factory=random.Random)

    def __call__(self, number: int) -> Pair:
        """Run the command in both trees, in random order.

        Raises NoVerdictError: if a run fails, or the outputs differ though they must not.
        """
        started = time.perf_counter()
        sides = shuffled(self.order)
        with children_on(draw(self.command.threads or 0, self.order)):
            turns = {side: self.command.run(self.places[side], f"in pair {number}") for side in sides}
        old, new = (turns[side] for side in SIDES)
        if self.command.same_output and old.output.strip() != new.output.strip():
            raise WorkChangedError(f"the sides did not print the same in pair {number}")
        return Pair(
            number=number,
            cell=self.command.name,
            order="".join("AB"[SIDES.index(side)] for side in sides),
            old_seconds=(old.seconds,),
            new_seconds=(new.seconds,),
            old_elapsed=(old.wall,),
            new_elapsed=(new.wall,),
            old_cpu=(old.cpu,),
            new_cpu=(new.cpu,),
            old_amounts=() if old.amount is None else (old.amount,),
            new_amounts=() if new.amount is None else (new.amount,),
            wall_seconds=time.perf_counter() - started,
        )
