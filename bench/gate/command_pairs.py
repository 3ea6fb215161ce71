"""Pairs of one command run in two trees: the gate for any project, in any language.

Every run is a fresh process, so one run of each side is a pair.
"""

import random
import time
from collections.abc import Mapping

from bench.gate.cores import children_on, draw
from bench.gate.pair import Pair
from bench.gate.places import Place
from bench.gate.shell_command import Command, Turn
from bench.gate.tree_pairs import SIDES
from bench.gate.warm_up import WarmUp
from bench.gate.work import WorkChangedError


class CommandPairs:
    """The source of pairs of a command."""

    def __init__(self, command: Command, places: Mapping[str, Place], order: random.Random, warm_up: WarmUp) -> None:
        self._command, self._places, self._order, self._warm_up = command, places, order, warm_up

    def __call__(self, number: int) -> Pair:
        """Run the command in both trees, in random order; before the first pair once in each without the clock.

        Raises
        ------
        TreeLostError
            Where a run did not end well.
        WorkChangedError
            Where the outputs must be the same and are not.
        OtherCodeError
            Where a side did not run its own code.
        NotFixedWorkError
            Where the command chooses by the clock how much it does.
        """
        started = time.perf_counter()
        if number == 1:
            self._warm_up(self._command)
        sides = self._order.sample(SIDES, len(SIDES))
        with children_on(draw(self._command.threads or 0, self._order)):
            turns = {side: self._command.run(self._places[side], f"in pair {number}") for side in sides}
        if self._command.same_output and turns["old"].output.strip() != turns["new"].output.strip():
            raise WorkChangedError(f"the sides did not print the same in pair {number}")
        order = "".join("AB"[SIDES.index(side)] for side in sides)
        return _pair(number, self._command.name, order, turns, time.perf_counter() - started)


def _pair(number: int, cell: str, order: str, turns: Mapping[str, Turn], seconds: float) -> Pair:
    old, new = (turns[side] for side in SIDES)
    return Pair(
        number=number,
        cell=cell,
        order=order,
        old_seconds=(old.seconds,),
        new_seconds=(new.seconds,),
        old_elapsed=(old.wall,),
        new_elapsed=(new.wall,),
        old_cpu=(old.cpu,),
        new_cpu=(new.cpu,),
        wall_seconds=seconds,
    )
