"""One spec and one seed: a fresh worker process for each backend, taking turns in random order, epoch by epoch.

Fed by the runner; whatever happens to one worker is recorded, and the others go on.
"""

import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from bench.backends import registry
from bench.inputs.plan import Plan, batches, batches_fingerprint, parameters_fingerprint
from bench.inputs.splits import Inputs
from bench.records.log import RecordLog
from bench.records.run import CellEndRecord, CellRecord, EpochRecord, ResultRecord, Status, WorkerRecord
from bench.spec import Suite, TrainingSpec
from bench.workers.process import WorkerLostError, WorkerProcess
from bench.workers.protocol import Job


class Progress(Protocol):
    """Who watches a run."""

    def cell(self, spec: TrainingSpec, seed: int) -> None:
        """Workers for this spec and seed are about to start."""

    def turn(self, backend: str, epoch: int) -> None:
        """This backend is about to train."""

    def turn_done(self, count: int = 1) -> None:
        """So many turns are over, or will never be taken."""

    def lost(self, backend: str, status: Status, reason: str) -> None:
        """This backend has no result here."""


@dataclass(frozen=True)
class Session:
    """What all cells of a run share."""

    suite: Suite
    threads: int
    folder: Path
    log: RecordLog
    progress: Progress


class Cell:
    """One attempt at one (spec, seed)."""

    def __init__(
        self, session: Session, spec: TrainingSpec, seed: int, attempt: int, inputs: Inputs, data: Path
    ) -> None:
        self._session, self._spec, self._data = session, spec, data
        self._key: dict[str, Any] = {"spec": spec.name, "seed": seed, "attempt": attempt}
        self._plan, self._inputs = Plan(spec, seed), inputs
        self._weights = self._plan.sample_weights(inputs.train.labels)
        self._expected_parameters = parameters_fingerprint(self._plan.initial_parameters())
        self._order_of_turns = random.Random(f"{spec.name} {seed} {attempt}")
        self._workers: dict[str, WorkerProcess] = {}
        self._stopped: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers.values():
            worker.close()

    def run(self) -> None:
        """Train every backend for all epochs; ends with a result of each."""
        self._session.progress.cell(self._spec, self._plan.seed)
        self._session.log.write(CellRecord(**self._key, parameters_fingerprint=self._expected_parameters))
        self._start_workers()
        for epoch in range(1, self._spec.epochs + 1):
            self._round(epoch)
        for name in list(self._workers):
            self._finish(name)
        self._session.log.write(CellEndRecord(**self._key))

    def _start_workers(self) -> None:
        started = time.perf_counter()
        for name in self._session.suite.backends:
            self._start(name)
        for name in list(self._workers):
            self._await_ready(name, started)

    def _start(self, name: str) -> None:
        if reason := registry.missing(name):
            self._end(name, "skipped", reason)
            return
        entry = registry.entry(name)
        seed, suite = self._plan.seed, self._session.suite
        job = Job(entry.target, entry.packages, self._spec, seed, self._data.absolute(), self._session.threads)
        log_path = self._session.folder / f"{suite.specs.index(self._spec)}-seed{seed}-{name}.log"
        self._workers[name] = WorkerProcess(job, log_path, suite.time_limit_seconds)

    def _await_ready(self, name: str, started: float) -> None:
        try:
            description = self._workers[name].ready()
        except WorkerLostError as lost:
            self._lose(name, lost.status, lost.reason, turns=self._spec.epochs)
            return
        seconds = time.perf_counter() - started
        record = WorkerRecord(**self._key, backend=name, startup_seconds=seconds, **description)
        self._session.log.write(record)
        if record.parameters_fingerprint != self._expected_parameters:
            reason = "it does not start from the plan's parameters"
            self._lose(name, "not_comparable", reason, turns=self._spec.epochs)

    def _round(self, epoch: int) -> None:
        """Every worker trains this epoch, in random order, with a rest before each turn."""
        order = self._plan.order(epoch, len(self._inputs.train.labels))
        x, y = self._inputs.train.x, self._inputs.train_targets
        masks = self._plan.dropout_masks(epoch, len(order))
        expected = batches_fingerprint(batches(x, y, order, self._spec.batch_size, self._weights, masks))
        names = [name for name in self._workers if name not in self._stopped]
        self._order_of_turns.shuffle(names)
        for turn, name in enumerate(names):
            self._session.progress.turn(name, epoch)
            time.sleep(self._session.suite.rest_seconds)  # the threads of the turn before go on spinning for a while
            self._turn(name, epoch, turn, expected)

    def _turn(self, name: str, epoch: int, turn: int, expected: str) -> None:
        left = self._spec.epochs - epoch + 1
        try:
            measured = self._workers[name].train(epoch)
        except WorkerLostError as lost:
            self._lose(name, lost.status, lost.reason, turns=left)
            return
        record = EpochRecord(
            **self._key,
            backend=name,
            epoch=epoch,
            warm_up=epoch == 1,
            turn=turn,
            expected_batches_fingerprint=expected,
            **measured,
        )
        self._session.log.write(record)
        if record.batches_fingerprint != expected:
            self._lose(name, "not_comparable", f"it did not consume the plan's batches in epoch {epoch}", turns=left)
        elif record.train_cost is None:
            self._lose(name, "diverged", f"the cost is not finite after epoch {epoch}", turns=left)
        elif record.stopped:
            self._stopped.add(name)
            self._session.progress.turn_done(left)
        else:
            self._session.progress.turn_done()

    def _finish(self, name: str) -> None:
        try:
            self._end(name, "ok", **self._workers[name].finish())
        except WorkerLostError as lost:
            self._lose(name, lost.status, lost.reason, turns=0)

    def _lose(self, name: str, status: Status, reason: str, turns: int) -> None:
        self._workers.pop(name).close()
        self._session.progress.turn_done(turns)
        self._end(name, status, reason)

    def _end(self, name: str, status: Status, reason: str = "", **final: Any) -> None:
        self._session.log.write(ResultRecord(**self._key, backend=name, status=status, reason=reason, **final))
        if status != "ok":
            self._session.progress.lost(name, status, reason)
