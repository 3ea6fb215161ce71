"""Pairs of fresh processes of two trees that train the same plan, taking turns in random order.

Fed by two trees and a plan; feeds the gate, and its validation with trees of which one does more work.
"""

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

from bench.core.files import temporary_folder
from bench.gate import work
from bench.gate.cores import draw
from bench.gate.pair import Pair
from bench.gate.plan_files import PlanFiles, cell_of
from bench.gate.tree_process import TreeProcess

BLOCKS = 8
REST_SECONDS = 0.005
"""Before each turn: the threads of the turn before go on spinning for a while."""
TIME_LIMIT_SECONDS = 60.0
EPOCHS = 1 + 2 * BLOCKS
CALIBRATION_PAIRS = 15
THREADS = 1
"""Of each side where nothing else is asked for: a second one doubles what a neighbour on the machine can disturb."""
SIDES = ("old", "new")

Source = Callable[[int], Pair]
"""Number of a pair, from 1, → the pair, measured now."""


@dataclass(frozen=True)
class TreePairs:
    """Two trees and how their processes are started; `extra`: side → share of its steps with a second forward pass."""

    trees: Mapping[str, Path]
    threads: int
    logs: Path
    extra: Mapping[str, float] = field(default_factory=dict)
    limit: float = TIME_LIMIT_SECONDS

    def start(self, side: str, plan: PlanFiles) -> TreeProcess:
        """A fresh process, which is told what it is for and not waited for."""
        tree = self.trees[side]
        process = TreeProcess(side, tree, self.threads, self.logs / f"{side}.log", self.limit)
        process.send(plan.job(tree, self.threads, self.extra.get(side, 0.0)))
        return process


class TrainingPairs:
    """The source of the pairs of one cell."""

    def __init__(self, sides: TreePairs, plan: PlanFiles, order: random.Random) -> None:
        self._sides, self._plan, self._order = sides, plan, order

    def __call__(self, number: int) -> Pair:
        """Start both sides, train them in turns, end them.

        Raises
        ------
        TreeLostError
            Where a side crashed, hung or could not be started.
        WorkChangedError
            Where they did not do the same work.
        """
        started = time.perf_counter()
        with ExitStack() as stack:
            processes = {side: stack.enter_context(self._sides.start(side, self._plan)) for side in self._shuffled()}
            cores = draw(self._sides.threads, self._order)
            for process in processes.values():
                process.answer("while it started")
                process.run_on(cores)
            if number == 1:
                self._check_start(processes)
            pair = self._take_turns(number, processes, started)
            work.check_costs(pair)
            if number == 1:
                work.check_learned(self._plan, *(processes[side].ask("learned") for side in SIDES))
        return pair

    def _take_turns(self, number: int, processes: Mapping[str, TreeProcess], started: float) -> Pair:
        answers: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
        blocks = [self._order.choice(("ABBA", "BAAB")) for _ in range(BLOCKS)]
        warm_ups = ["A" if side == "old" else "B" for side in self._shuffled()]
        for letter in (*warm_ups, *"".join(blocks)):
            side = SIDES["AB".index(letter)]
            time.sleep(REST_SECONDS)
            answers[side].append(processes[side].ask("epoch", len(answers[side]) + 1))
        return _pair(number, self._plan.spec.name, blocks, answers, time.perf_counter() - started)

    def _check_start(self, processes: Mapping[str, TreeProcess]) -> None:
        said = {side: {**processes[side].ask("start"), **processes[side].ask("batches", 1)} for side in SIDES}
        work.check_start(self._plan, said, work.expected_batches(self._plan, 1))

    def _shuffled(self) -> list[str]:
        return self._order.sample(SIDES, len(SIDES))


def _pair(number: int, cell: str, blocks: list[str], answers: Mapping[str, list[dict[str, Any]]], wall: float) -> Pair:
    """Of each turn the seconds and all that went by; of the warm-up too the cost."""

    def told(side: str, name: str, first: int = 1) -> tuple[float, ...]:
        return tuple(answer[name] for answer in answers[side][first:])

    return Pair(
        number=number,
        cell=cell,
        order=" ".join(blocks),
        old_seconds=told("old", "seconds"),
        new_seconds=told("new", "seconds"),
        old_elapsed=told("old", "elapsed"),
        new_elapsed=told("new", "elapsed"),
        wall_seconds=wall,
        old_costs=told("old", "cost", 0),
        new_costs=told("new", "cost", 0),
        old_steps=answers["old"][-1]["steps"],
        new_steps=answers["new"][-1]["steps"],
    )


@contextmanager
def planted_pairs(slowdown: float, cell: str) -> Iterator[Source]:
    """Pairs of this very tree, the new side with so much more work in its steps; below 0 the old side has it.

    slowdown : 0.05 makes the new side 5 % slower, −0.05 makes it 5 % faster. How much a repeated forward pass costs is
        measured first, once a cell, by pairs as well.
    """
    extra = {"new": slowdown} if slowdown >= 0 else {"old": 1 / (1 + slowdown) - 1}
    shares = {side: wanted / _cost_of_repeating(cell) for side, wanted in extra.items() if wanted}
    with _pairs_of_this_tree(cell, shares) as source:
        yield source


@cache
def _cost_of_repeating(cell: str) -> float:
    """By how much a step takes longer that computes its forward pass twice."""
    with _pairs_of_this_tree(cell, {"new": 1.0}) as source:
        return math.expm1(median(source(number).log_ratio for number in range(1, CALIBRATION_PAIRS + 1)))


@contextmanager
def _pairs_of_this_tree(cell: str, extra: Mapping[str, float]) -> Iterator[Source]:
    tree = Path(__file__).resolve().parents[2]
    with temporary_folder("pairs") as folder:
        sides = TreePairs(dict.fromkeys(SIDES, tree), THREADS, folder, extra)
        yield TrainingPairs(sides, PlanFiles(cell_of(cell), EPOCHS, folder / "plan"), random.Random())
