"""Workers take turns: each round in a new random order, with a rest before every turn."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar


class Member(Protocol):
    """Whoever takes a turn."""

    @property
    def lost(self) -> Any:
        """Why it takes no further turn; None while all goes well."""


M = TypeVar("M", bound=Member)


def in_turn(
    members: Iterable[M], order: random.Random, rest: float, before: Callable[[M], None] | None = None
) -> Iterator[M]:
    """The members that are not lost, in random order. Before each turn: `before(member)`, then a rest in seconds."""
    well = [one for one in members if one.lost is None]
    order.shuffle(well)
    for one in well:
        if before is not None:
            before(one)
        time.sleep(rest)  # the threads of the turn before go on spinning for a while
        yield one
