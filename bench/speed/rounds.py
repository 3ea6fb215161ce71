"""A round: fresh processes of all backends, which take turns in random order, with a rest before each turn.

Fed by the grid; feeds the observations. What happens to one process is recorded, and the others go on.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, TypeVar

from bench import backend as backends
from bench.inputs import Inputs
from bench.messages import Job
from bench.plan import Plan, batches, batches_fingerprint, parameters_fingerprint
from bench.records import Status
from bench.speed.grid import Cell, Grid
from bench.speed.observations import Observation
from bench.worker_process import WorkerLostError, WorkerProcess

TIMED_TURNS = 3
REST_SECONDS = 0.2
TIME_LIMIT_SECONDS = 600.0
OUT_OF_REACH = 2.0
"""A backend that took so many times the seconds of the fastest in the first timed turn takes no further one."""
SEED = 0


Answer = TypeVar("Answer")


class Setting(NamedTuple):
    """What all rounds share."""

    grid: Grid
    threads: int
    data: Path
    inputs: Inputs
    logs: Path
    say: Callable[[str], None]


class _Contestant:
    """One process in the cell at hand."""

    def __init__(self, name: str, setting: Setting, number: int) -> None:
        self.name, self._setting, self._number = name, setting, number
        self._entry = {**backends.BACKENDS, **backends.FLOORS}[name]
        self._process: WorkerProcess | None = None
        self._lost: tuple[Status, str] | None = None
        self._wait: Callable[[WorkerProcess], dict[str, Any]] = WorkerProcess.ready

    def begin(self, cell: Cell) -> None:
        """Give this cell's job to the process; a new one is started, and `wait_until_ready` says when it is."""
        self._cell, self._warm_up = cell, None
        self.seconds, self._predicted, self._costs = dict[int, float](), dict[int, float](), list[float]()
        self._spec = self._setting.grid.spec(cell)
        job = Job(self._entry.target, self._entry.packages, self._spec, SEED, self._setting.data, self._setting.threads)
        if self._process is None and self._lost is None:
            self._log = self._setting.logs / f"round{self._number}-{cell.architecture}-{self.name}.log"
            self._process = WorkerProcess(job, self._log, TIME_LIMIT_SECONDS)
            self._wait = WorkerProcess.ready
        else:
            self._wait = lambda process: process.next_job(job)

    def wait_until_ready(self) -> None:
        """Until the model is built."""
        self._ask(self._wait, self._check_start)

    @property
    def is_well(self) -> bool:
        """Whether it can take a turn."""
        return self._lost is None

    def warm_up(self) -> None:
        """The first epoch of the cell: it traces and compiles."""

        def keep(answer: dict[str, Any]) -> None:
            self._warm_up = answer["epoch_seconds"]
            self._keep_cost(answer)

        self._ask(lambda process: process.time(1), keep)

    def check_batches(self, expected: str) -> None:
        """Whether it consumes the plan's batches."""

        def check(fingerprint: str) -> None:
            if fingerprint != expected:
                self._lost = "not_comparable", "it did not consume the plan's batches"

        if self.name in backends.BACKENDS:
            self._ask(lambda process: process.batches_fingerprint(1), check)

    def take_turn(self, turn: int) -> None:
        """A timed epoch."""

        def keep(answer: dict[str, Any]) -> None:
            self.seconds[turn] = answer["epoch_seconds"]
            self._keep_cost(answer)

        self._ask(lambda process: process.time(turn + 1), keep)

    def predict(self, turn: int) -> None:
        """The outputs of all test examples, timed."""
        self._ask(
            lambda process: process.predict(), lambda answer: self._predicted.update({turn: answer["predict_seconds"]})
        )

    def close(self) -> None:
        """End the process; its log stays where it says why the process was lost."""
        if self._process is not None:
            self._process.close()
            if self.is_well:
                self._log.unlink(missing_ok=True)

    def observation(self) -> Observation:
        """What it was seen to do in this cell."""
        status, reason = self._lost or ("ok", "")
        return Observation(
            round=self._number,
            architecture=self._cell.architecture,
            batch_size=self._cell.batch_size,
            backend=self.name,
            status=status,
            reason=reason,
            warm_up_seconds=self._warm_up,
            epoch_seconds=self.seconds,
            predict_seconds=self._predicted,
            costs=tuple(self._costs),
        )

    def _check_start(self, description: dict[str, Any]) -> None:
        expected = parameters_fingerprint(Plan(self._spec, SEED).initial_parameters())
        if description["parameters_fingerprint"] != expected:
            self._lost = "not_comparable", "it does not start from the plan's parameters"

    def _keep_cost(self, answer: dict[str, Any]) -> None:
        if answer["train_cost"] is None:
            self._lost = "diverged", "the cost is not finite"
        else:
            self._costs.append(answer["train_cost"])

    def _ask(self, ask: Callable[[WorkerProcess], Answer], keep: Callable[[Answer], None]) -> None:
        if self._lost is not None or self._process is None:
            return
        try:
            keep(ask(self._process))
        except WorkerLostError as lost:
            self._lost = lost.status, lost.reason
            self._process.close()


def round_of(setting: Setting, number: int, names: dict[Cell, Sequence[str]]) -> Iterator[Observation]:
    """All cells once, each with the backends that `names` asks for; processes are fresh for each architecture."""
    order = random.Random(f"round {number}")
    for architecture in setting.grid.architectures:
        cells = [cell for cell in names if cell.architecture == architecture]
        every = list(dict.fromkeys(name for cell in cells for name in names[cell]))
        contestants = [_Contestant(name, setting, number) for name in every]
        try:
            for cell in cells:
                chosen = [one for one in contestants if one.name in names[cell]]
                yield from _cell(setting, number, cell, chosen, order)
        finally:
            for one in contestants:
                one.close()


def _cell(
    setting: Setting, number: int, cell: Cell, contestants: Sequence[_Contestant], order: random.Random
) -> Iterator[Observation]:
    setting.say(f"round {number}: {cell}")
    for one in contestants:
        one.begin(cell)
    for one in contestants:
        one.wait_until_ready()
    for one in _in_turn(contestants, order):
        one.warm_up()
    if number == 1:
        expected = _expected(setting, cell)
        for one in contestants:
            one.check_batches(expected)
    for turn in range(1, TIMED_TURNS + 1):
        for one in _in_turn(contestants if turn == 1 else _within_reach(contestants), order):
            one.take_turn(turn)
            one.predict(turn)
    yield from (one.observation() for one in contestants)


def _expected(setting: Setting, cell: Cell) -> str:
    """Fingerprint of the batches that the first epoch must consume."""
    inputs, spec = setting.inputs, setting.grid.spec(cell)
    order = Plan(spec, SEED).order(1, len(inputs.train.labels))
    return batches_fingerprint(batches(inputs.train.x, inputs.train_targets, order, spec.batch_size))


def _in_turn(contestants: Sequence[_Contestant], order: random.Random) -> Iterator[_Contestant]:
    well = [one for one in contestants if one.is_well]
    order.shuffle(well)
    for one in well:
        time.sleep(REST_SECONDS)  # the threads of the turn before go on spinning for a while
        yield one


def _within_reach(contestants: Sequence[_Contestant]) -> list[_Contestant]:
    """Those that took less than `OUT_OF_REACH` times the fastest peer's seconds, and scratchnet with its floor."""
    peers = [one for one in contestants if one.seconds and one.name not in ("scratchnet", *backends.FLOORS)]
    fastest = min((median(one.seconds.values()) for one in peers), default=float("inf"))
    return [one for one in contestants if one.seconds and median(one.seconds.values()) <= OUT_OF_REACH * fastest]
