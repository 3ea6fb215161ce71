"""Pairs of fresh processes, one for each of two trees. Both train the same plan and take turns in random order."""

import random
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.core import environment
from bench.core.child_process import ConnectedProcess
from bench.gate import work
from bench.gate.cores import draw
from bench.gate.pair import SIDES, Pair
from bench.gate.plan_files import PlanFiles
from bench.gate.side_process import SideProcess
from bench.gate.turns import EITHER_FIRST, drawn, shuffled, take_turns

SCRIPT = Path(__file__).with_name("tree_worker.py")
BLOCKS = 8
EPOCHS = 1 + 2 * BLOCKS
REST_SECONDS = 0.005
"""Before each turn."""
TIME_LIMIT_SECONDS = 60.0


@dataclass(frozen=True)
class TrainingPairs:
    """The source of the pairs of one cell: side → tree, and the plan that both train."""

    trees: Mapping[str, Path]
    plan: PlanFiles
    threads: int
    logs: Path
    limit: float = TIME_LIMIT_SECONDS
    order: random.Random = field(default_factory=random.Random)

    def __call__(self, number: int) -> Pair:
        """Start both sides, train them in turns, end them.

        Raises TreeLostError: if a side crashed, hung or could not be started.
        Raises WorkChangedError: if they did not do the same work.
        """
        started = time.perf_counter()
        with ExitStack() as stack:
            processes = {side: stack.enter_context(self._start(side)) for side in shuffled(self.order)}
            cores = draw(self.threads, self.order)
            for process in processes.values():
                process.answer("while it started")
                process.run_on(cores)
            if number == 1:
                work.check_start(self.plan, {side: processes[side].ask("start") for side in SIDES})
            pair = self._take_turns(number, processes, started)
            work.check_costs(pair)
            if number == 1:
                work.check_learned(self.plan, *(processes[side].ask("learned") for side in SIDES))
        return pair

    def _start(self, side: str) -> SideProcess:
        """With its tree first on the path, and nothing of this revision unless it is the tree."""
        variables = environment.worker_environment(self.threads)
        variables |= {"PYTHONPATH": str(self.trees[side]), "PYTHONDONTWRITEBYTECODE": ""}
        log = self.logs / f"{side}.log"
        process = SideProcess(side, ConnectedProcess(str(SCRIPT), variables, log), log, self.limit)
        process.send(self.plan.job(self.trees[side], self.threads))
        return process

    def _take_turns(self, number: int, processes: Mapping[str, SideProcess], started: float) -> Pair:
        def epoch(side: str, turn: int) -> dict[str, Any]:
            return processes[side].ask("epoch", turn)

        blocks = drawn(self.order, EITHER_FIRST, BLOCKS)
        answers = take_turns(shuffled(self.order), blocks, REST_SECONDS, epoch)
        told = {key: value for side in SIDES for key, value in _told(side, answers[side]).items()}
        wall = time.perf_counter() - started
        return Pair(number=number, cell=self.plan.spec.name, order=" ".join(blocks), wall_seconds=wall, **told)


def _told(side: str, answers: list[dict[str, Any]]) -> dict[str, Any]:
    """A side's part of a pair: of the warm-up epoch only the cost."""
    warm_up, *turns = answers
    return {
        f"{side}_seconds": tuple(turn["seconds"] for turn in turns),
        f"{side}_elapsed": tuple(turn["elapsed"] for turn in turns),
        f"{side}_costs": tuple(turn["cost"] for turn in (warm_up, *turns)),
        f"{side}_steps": turns[-1]["steps"],
    }
