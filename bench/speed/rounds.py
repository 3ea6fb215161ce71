"""A round: fresh processes of all backends, which take turns in random order, with a rest before each turn.

Fed by the grid; feeds the observations. What happens to one process is recorded, and the others go on.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.backends import registry
from bench.inputs.plan import Plan, batches, batches_fingerprint, parameters_fingerprint
from bench.inputs.splits import Inputs
from bench.speed.grid import Grid, GridCell
from bench.speed.observations import Observation
from bench.workers.client import WorkerClient, job_of

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
    say: Callable[[str], None]


class _Member:
    """A backend's process in this round, and the cell at hand."""

    def __init__(self, name: str, setting: Setting, number: int) -> None:
        self.name, self._setting, self._number = name, setting, number
        self._one: WorkerClient | None = None

    def begin(self, cell: GridCell) -> None:
        """Give this cell's job to the process; a new one is started, and `wait_until_ready` says when it is."""
        self._cell, self._spec = cell, self._setting.grid.spec(cell)
        job = job_of(self.name, self._spec, SEED, self._setting.data, self._setting.threads)
        if (started := self._one) is None:
            log = self._setting.logs / f"round{self._number}-{cell.architecture}-{self.name}.log"
            self._one = WorkerClient(self.name, job, log, TIME_LIMIT_SECONDS)
            self._wait = self._one.ready
        else:
            self._wait = lambda: started.next_job(job)

    def wait_until_ready(self) -> None:
        """Until the model is built, from the plan's parameters."""
        description = self._wait()
        expected = parameters_fingerprint(Plan(self._spec, SEED).initial_parameters())
        if description is not None and description["parameters_fingerprint"] != expected:
            self.process.lost = "not_comparable", "it does not start from the plan's parameters"

    @property
    def process(self) -> WorkerClient:
        """Started by the first cell."""
        if self._one is None:
            raise RuntimeError("asked before it began")
        return self._one

    @property
    def seconds(self) -> dict[int, float]:
        """Of the timed epochs so far, by their turns; epoch 1 is the warm-up."""
        return dict(enumerate((answer["epoch_seconds"] for answer in self.process.epochs[1:]), 1))

    def take_turn(self, turn: int) -> None:
        """An epoch, then the outputs of all test examples, both timed."""
        self.process.time(turn + 1)
        self.process.predict()

    def close(self) -> None:
        """End the process."""
        if self._one is not None:
            self._one.close()

    def observation(self) -> Observation:
        """What it was seen to do in this cell."""
        epochs, predictions = self.process.epochs, self.process.predictions
        return Observation(
            round=self._number,
            architecture=self._cell.architecture,
            batch_size=self._cell.batch_size,
            backend=self.name,
            **self.process.outcome,
            warm_up_seconds=epochs[0]["epoch_seconds"] if epochs else None,
            epoch_seconds=self.seconds,
            predict_seconds=dict(enumerate((answer["predict_seconds"] for answer in predictions), 1)),
            costs=tuple(answer["train_cost"] for answer in epochs),
        )


def round_of(setting: Setting, number: int, names: dict[GridCell, Sequence[str]]) -> Iterator[Observation]:
    """All cells once, each with the backends that `names` asks for; processes are fresh for each architecture."""
    order = random.Random(f"round {number}")
    for architecture in setting.grid.architectures:
        cells = [cell for cell in names if cell.architecture == architecture]
        every = list(dict.fromkeys(name for cell in cells for name in names[cell]))
        members = [_Member(name, setting, number) for name in every]
        try:
            for cell in cells:
                chosen = [one for one in members if one.name in names[cell]]
                yield from _cell(setting, number, cell, chosen, order)
        finally:
            for one in members:
                one.close()


def _cell(
    setting: Setting, number: int, cell: GridCell, members: Sequence[_Member], order: random.Random
) -> Iterator[Observation]:
    setting.say(f"round {number}: {cell}")
    for one in members:
        one.begin(cell)
    for one in members:
        one.wait_until_ready()
    for one in _in_turn(members, order):
        one.process.time(1)
    if number == 1:
        _check_batches(setting, cell, members)
    for turn in range(1, TIMED_TURNS + 1):
        for one in _in_turn(members if turn == 1 else _within_reach(members), order):
            one.take_turn(turn)
    yield from (one.observation() for one in members)


def _check_batches(setting: Setting, cell: GridCell, members: Sequence[_Member]) -> None:
    """Whether each backend consumes the batches of the first epoch; a floor has no batches of its own."""
    inputs, spec = setting.inputs, setting.grid.spec(cell)
    order = Plan(spec, SEED).order(1, len(inputs.train.labels))
    expected = batches_fingerprint(batches(inputs.train.x, inputs.train_targets, order, spec.batch_size))
    for one in members:
        if one.name in registry.BACKENDS:
            one.process.check_batches(expected)


def _in_turn(members: Sequence[_Member], order: random.Random) -> Iterator[_Member]:
    well = [one for one in members if one.process.lost is None]
    order.shuffle(well)
    for one in well:
        time.sleep(REST_SECONDS)  # the threads of the turn before go on spinning for a while
        yield one


def _within_reach(members: Sequence[_Member]) -> list[_Member]:
    """Those that took less than `OUT_OF_REACH` times the fastest peer's seconds, and scratchnet with its floor."""
    peers = [one for one in members if one.seconds and one.name not in ("scratchnet", *registry.FLOORS)]
    fastest = min((median(one.seconds.values()) for one in peers), default=float("inf"))
    return [one for one in members if one.seconds and median(one.seconds.values()) <= OUT_OF_REACH * fastest]
