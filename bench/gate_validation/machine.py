"""Comparisons of real processes: this tree against itself with work planted on one side, under a real load.

Fed by the scenario; feeds the measuring with pairs as the gate itself takes them.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from bench.core.errors import UnusableError
from bench.gate.pair import Pair
from bench.gate.tree_pairs import Source
from bench.gate.tree_process import TreeLostError
from bench.gate.work import WorkChangedError
from bench.gate_validation.load import half_loaded_cores
from bench.gate_validation.scenarios import Scenario

CALIBRATED_BY = 0.05
"""Any planted slowdown will do: with none, nothing is measured."""
Sides = Callable[[float, str], AbstractContextManager[Source]]
"""Planted slowdown (a share), cell → pairs of fresh processes."""


class RealMachine:
    """This machine."""

    def __init__(self, sides: Sides, cell: str) -> None:
        self._sides, self._cell = sides, cell

    def prepare(self) -> None:
        """What planted work costs is measured once for all, so that no comparison's seconds have it.

        Raises
        ------
        UnusableError
            Where a side is lost.
        """
        with _lost_sides("measuring what planted work costs"), self._sides(CALIBRATED_BY, self._cell):
            pass

    @contextmanager
    def pairs(self, scenario: Scenario, load_from: int | None, seed: int) -> Iterator[Source]:
        """The pairs of one comparison; the load starts before that pair and ends with the comparison.

        Raises
        ------
        UnusableError
            Where the cell cannot be used, a side is lost, or the load cannot be started.
        """
        with ExitStack() as load, self._sides(scenario.slowdown, self._cell) as source:

            def measure(number: int) -> Pair:
                if number == load_from:
                    load.enter_context(half_loaded_cores(seed))
                with _lost_sides(f"{scenario}, pair {number}"):
                    return source(number)

            yield measure


@contextmanager
def _lost_sides(place: str) -> Iterator[None]:
    """A side that is lost ends the run, and one line says where."""
    try:
        yield
    except (TreeLostError, WorkChangedError) as error:
        raise UnusableError(f"{place}: {error}; what was finished is kept, and --resume goes on") from None
