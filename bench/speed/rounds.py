"""A round: in each cell, fresh processes of all backends, which take turns in random order, with a rest before each.

A process that fails is recorded, and the others continue.
"""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.backends import registry
from bench.core.progress import Progress
from bench.inputs.plan import Plan, batches, batches_fingerprint, parameters_fingerprint
from bench.inputs.splits import Inputs
from bench.records.run import Status
from bench.speed.grid import Grid, GridCell
from bench.speed.observations import Observation
from bench.workers.client import WorkerClient, job_of
from bench.workers.turns import in_turn

TIMED_TURNS = 3
REST_SECONDS = 0.2
TIME_LIMIT_SECONDS = 600.0
OUT_OF_REACH = 2.0
"""A backend that took so many times the seconds of the fastest in the first timed turn takes no further one."""
SEED = 0


class Setting(NamedTuple):
    """What all rounds share."""

    grid: Grid
    threads: int
    data: Path
    inputs: Inputs
    logs: Path
    progress: Progress


class _Member:
    """A backend's process in one cell of a round."""

    def __init__(self, name: str, setting: Setting, number: int, cell: GridCell) -> None:
        self.name, self._number, self._cell = name, number, cell
        self._spec = setting.grid.spec(cell)
        self._expected = parameters_fingerprint(Plan(self._spec, SEED).initial_parameters())
        self._job = job_of(name, self._spec, SEED, setting.data, setting.threads)
        self._log = setting.logs / f"round{number}-{cell.architecture}-{cell.activation}-{cell.batch_size}-{name}.log"
        self._first_epoch_seconds: float | None = None

    def start(self, processes: ExitStack) -> None:
        """Start the process and train its first epoch; the clock runs from before the start."""
        started = time.perf_counter()
        self.process = processes.enter_context(WorkerClient(self.name, self._job, self._log, TIME_LIMIT_SECONDS))
        description = self.process.ready()
        if description is not None and description["parameters_fingerprint"] != self._expected:
            self.process.lost = "not_comparable", "it does not start from the plan's parameters"
        self.process.time(1)
        if self.process.lost is None:
            self._first_epoch_seconds = time.perf_counter() - started

    @property
    def lost(self) -> tuple[Status, str] | None:
        """Why its process was lost."""
        return self.process.lost

    @property
    def seconds(self) -> dict[int, float]:
        """Of the timed epochs so far, by their turns; epoch 1 is the warm-up."""
        return dict(enumerate((answer["epoch_seconds"] for answer in self.process.epochs[1:]), 1))

    def take_turn(self, turn: int) -> None:
        """An epoch, then the outputs of all test examples, both timed."""
        self.process.time(turn + 1)
        self.process.predict()

    def observation(self) -> Observation:
        """What it was seen to do in this cell."""
        epochs, predictions = self.process.epochs, self.process.predictions
        return Observation(
            round=self._number,
            architecture=self._cell.architecture,
            batch_size=self._cell.batch_size,
            activation=self._cell.activation,
            backend=self.name,
            **self.process.outcome,
            first_epoch_seconds=self._first_epoch_seconds,
            warm_up_seconds=epochs[0]["epoch_seconds"] if epochs else None,
            epoch_seconds=self.seconds,
            predict_seconds=dict(enumerate((answer["predict_seconds"] for answer in predictions), 1)),
            costs=tuple(answer["train_cost"] for answer in epochs),
        )


def round_of(setting: Setting, number: int, names: dict[GridCell, Sequence[str]]) -> Iterator[Observation]:
    """All cells once, each with fresh processes of the backends that `names` asks for."""
    order = random.Random(f"round {number}")
    for cell, chosen in names.items():
        setting.progress.stage(f"round {number}: {cell}")
        with ExitStack() as processes:
            members = [_Member(name, setting, number, cell) for name in chosen]
            _start(members, order, processes)
            if number == 1:
                _check_batches(setting, cell, members)
            _take_turns(members, order)
            yield from (one.observation() for one in members)


def _start(members: Sequence[_Member], order: random.Random, processes: ExitStack) -> None:
    """Start one after the other, so that each has the machine to itself up to the end of its first epoch."""
    for one in order.sample(members, len(members)):
        time.sleep(REST_SECONDS)
        one.start(processes)


def _take_turns(members: Sequence[_Member], order: random.Random) -> None:
    for turn in range(1, TIMED_TURNS + 1):
        for one in in_turn(members if turn == 1 else _within_reach(members), order, REST_SECONDS):
            one.take_turn(turn)


def _check_batches(setting: Setting, cell: GridCell, members: Sequence[_Member]) -> None:
    """Whether each backend consumes the batches of the first epoch; a floor has no batches of its own."""
    inputs, spec = setting.inputs, setting.grid.spec(cell)
    order = Plan(spec, SEED).order(1, len(inputs.train.labels))
    expected = batches_fingerprint(batches(inputs.train.x, inputs.train_targets, order, spec.batch_size))
    for one in members:
        if one.name in registry.BACKENDS:
            one.process.check_batches(expected)


def _within_reach(members: Sequence[_Member]) -> list[_Member]:
    """Those that took less than `OUT_OF_REACH` times the fastest peer's seconds, and scratchnet with its floor."""
    peers = [one for one in members if one.seconds and one.name not in ("scratchnet", *registry.FLOORS)]
    fastest = min((median(one.seconds.values()) for one in peers), default=float("inf"))
    return [one for one in members if one.seconds and median(one.seconds.values()) <= OUT_OF_REACH * fastest]
