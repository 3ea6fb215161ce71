"""Rounds of fresh processes: this tree's scratchnet beside yardsticks that its code cannot change.

Fed by a plan; feeds the baseline, saved or compared. A round is the unit of observation, as a pair is of the gate.
"""

import random
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from bench.backends import registry
from bench.gate.cores import draw
from bench.gate.plan_files import PlanFiles
from bench.gate.tree_pairs import REST_SECONDS
from bench.gate.tree_process import TreeProcess

TURNS = 8
EPOCHS = 1 + TURNS
TIME_LIMIT_SECONDS = 120.0
OURS, PRODUCT, KERAS = "scratchnet", "matrix product", "keras-fit"
TREE = Path(__file__).resolve().parents[2]

Round = Mapping[str, float]
"""Yardstick → ln(seconds of scratchnet / seconds of the yardstick), the median over the turns."""


def yardsticks() -> list[str]:
    """Those that can be measured here: the matrix product, and Keras where TensorFlow is installed."""
    return [PRODUCT, *([] if registry.missing(KERAS) else [KERAS])]


@dataclass(frozen=True)
class Rounds:
    """The source of rounds of one cell."""

    plan: PlanFiles
    yardsticks: tuple[str, ...]
    threads: int
    logs: Path
    order: random.Random

    def __call__(self) -> Round:
        """Start all, train and multiply in turns, end all.

        Raises
        ------
        TreeLostError
            Where one of them crashed or hung.
        """
        names = [OURS, *self.yardsticks]
        seconds: dict[str, list[float]] = {name: [] for name in names}
        with ExitStack() as stack:
            processes = {name: stack.enter_context(self._start(name)) for name in self._shuffled(names)}
            cores = draw(self.threads, self.order)
            for process in processes.values():
                process.answer("while it started")
                process.run_on(cores)
            for turn in range(EPOCHS):
                for name in self._shuffled(names):
                    time.sleep(REST_SECONDS)
                    seconds[name].append(processes[name].ask("epoch", turn + 1)["seconds"])
        timed = {name: np.log(values[1:]) for name, values in seconds.items()}
        return {name: float(median(timed[OURS] - timed[name])) for name in self.yardsticks}

    def _start(self, name: str) -> TreeProcess:
        process = TreeProcess(name, TREE, self.threads, self.logs / f"{name}.log", TIME_LIMIT_SECONDS)
        process.send(_JOBS[name](self.plan, self.threads))
        return process

    def _shuffled(self, names: list[str]) -> list[str]:
        return self.order.sample(names, len(names))


_JOBS: dict[str, Callable[[PlanFiles, int], dict[str, object]]] = {
    OURS: lambda plan, threads: plan.job(TREE, threads),
    KERAS: lambda plan, threads: plan.job(TREE, threads, target=registry.entry(KERAS).target),
    PRODUCT: lambda plan, threads: {"threads": threads},
}
