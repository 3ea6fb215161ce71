"""The turns of the two sides in a pair: blocks such as ABBA, each drawn at random. A is the old side, B the new one."""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.gate.pair import SIDES

EITHER_FIRST = ("ABBA", "BAAB")

Answers = dict[str, list[dict[str, Any]]]
"""Side → what it answered to each of its turns."""


def shuffled(order: random.Random) -> list[str]:
    """Both sides, in random order."""
    return order.sample(SIDES, len(SIDES))


def drawn(order: random.Random, orders: Sequence[str], blocks: int) -> list[str]:
    """So many blocks, each of them one of these orders."""
    return [order.choice(orders) for _ in range(blocks)]


def take_turns(
    warm_up: Sequence[str], blocks: Sequence[str], rest: float, ask: Callable[[str, int], dict[str, Any]]
) -> Answers:
    """Ask the sides of the warm-up, then those of the blocks; `ask(side, number)` is a side's turn, counted from 1.

    rest : seconds before each turn, because the threads of the turn before go on spinning for a while.
    """
    answers: Answers = {side: [] for side in SIDES}
    turns = (SIDES["AB".index(letter)] for letter in "".join(blocks))
    for side in (*warm_up, *turns):
        time.sleep(rest)
        answers[side].append(ask(side, len(answers[side]) + 1))
    return answers
