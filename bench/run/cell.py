"""One spec and one seed: a fresh worker process for each backend; they take turns, epoch by epoch.

A worker that fails is recorded, and the others continue.
"""

import random
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from bench.backends import registry
from bench.core.progress import Progress
from bench.inputs.plan import Plan, batches, batches_fingerprint, parameters_fingerprint
from bench.inputs.splits import Inputs
from bench.records.run import (
    CellEndRecord,
    CellRecord,
    EpochRecord,
    Place,
    ResultRecord,
    Status,
    WorkerRecord,
    log_name,
)
from bench.spec import Suite, TrainingSpec
from bench.workers.client import WorkerClient, job_of
from bench.workers.turns import in_turn


class Writer(Protocol):
    """Keeps records: the log of a run folder, or what a node sends back."""

    def write(self, *records: BaseModel) -> None:
        """Append records."""


@dataclass(frozen=True)
class Session:
    """What all cells of a run share. `place` is None where they run on the machine of the run record."""

    suite: Suite
    threads: int
    folder: Path
    log: Writer
    progress: Progress
    place: Place | None = None


class Cell(AbstractContextManager["Cell"]):
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
        self._clients: dict[str, WorkerClient] = {}
        self._stopped: set[str] = set()

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()

    def kill(self) -> None:
        """Kill every backend at once, from another thread: nobody waits for the result any more."""
        for client in list(self._clients.values()):
            client.kill()

    @property
    def _title(self) -> str:
        return f"{self._spec.name} seed {self._plan.seed}"

    def run(self) -> None:
        """Train every backend for all epochs; ends with a result of each."""
        self._session.progress.stage(f"{self._title}: {self._spec.epochs} epochs")
        about: dict[str, Any] = {"parameters_fingerprint": self._expected_parameters, "place": self._session.place}
        self._session.log.write(CellRecord(**self._key, **about))
        self._start_workers()
        for epoch in range(1, self._spec.epochs + 1):
            self._round(epoch)
        for client in list(self._clients.values()):
            self._session.progress.step(f"finish {client.name}")
            self._finish(client)
        self._session.log.write(CellEndRecord(**self._key))

    def _start_workers(self) -> None:
        self._session.progress.step("starting workers")
        for name in self._session.suite.backends:
            self._start(name)
        for client in list(self._clients.values()):
            self._session.progress.step(f"await {client.name}")
            self._await_ready(client)

    def _start(self, name: str) -> None:
        if reason := registry.missing(name):
            self._end(name, "skipped", reason)
            return
        seed, suite = self._plan.seed, self._session.suite
        log = self._session.folder / log_name(suite, self._spec.name, seed, name)
        job = job_of(name, self._spec, seed, self._data, self._session.threads)
        self._clients[name] = WorkerClient(name, job, log, suite.time_limit_seconds)

    def _await_ready(self, client: WorkerClient) -> None:
        description = client.ready()
        if description is not None:
            seconds = client.startup_seconds or 0.0
            record = WorkerRecord(**self._key, backend=client.name, startup_seconds=seconds, **description)
            self._session.log.write(record)
            if record.parameters_fingerprint != self._expected_parameters:
                client.lost = "not_comparable", "it does not start from the plan's parameters"
        if client.lost is not None:
            self._drop(client, self._spec.epochs)

    def _round(self, epoch: int) -> None:
        """Every worker trains this epoch."""
        order = self._plan.order(epoch, len(self._inputs.train.labels))
        x, y = self._inputs.train.x, self._inputs.train_targets
        masks = self._plan.dropout_masks(epoch, len(order))
        expected = batches_fingerprint(batches(x, y, order, self._spec.batch_size, self._weights, masks))
        members = [client for name, client in self._clients.items() if name not in self._stopped]
        turns = in_turn(
            members,
            self._order_of_turns,
            self._session.suite.rest_seconds,
            lambda client: self._session.progress.step(f"epoch {epoch} {client.name}"),
        )
        for turn, client in enumerate(turns):
            self._turn(client, epoch, turn, expected)

    def _turn(self, client: WorkerClient, epoch: int, turn: int, expected: str) -> None:
        left = self._spec.epochs - epoch + 1
        measured = client.train(epoch)
        if measured is not None:
            about: dict[str, Any] = {"epoch": epoch, "warm_up": epoch == 1, "turn": turn}
            about |= {"backend": client.name, "expected_batches_fingerprint": expected}
            self._session.log.write(EpochRecord(**self._key, **about, **measured))
            if measured["batches_fingerprint"] != expected:
                client.lost = "not_comparable", f"it did not consume the plan's batches in epoch {epoch}"
        if measured is None or client.lost is not None:
            self._drop(client, left)
        elif measured["stopped"]:
            self._stopped.add(client.name)
            self._session.progress.done(left)
        else:
            self._session.progress.done()

    def _finish(self, client: WorkerClient) -> None:
        final = client.finish()
        if final is None:
            self._drop(client, 0)
        else:
            self._end(client.name, "ok", **final)

    def _drop(self, client: WorkerClient, turns: int) -> None:
        """A worker that was lost takes none of the turns that are left."""
        del self._clients[client.name]
        client.close()
        self._session.progress.done(turns)
        if client.lost is not None:
            self._end(client.name, *client.lost)

    def _end(self, name: str, status: Status, reason: str = "", **final: Any) -> None:
        self._session.log.write(ResultRecord(**self._key, backend=name, status=status, reason=reason, **final))
        if status != "ok":
            self._session.progress.note(f"{self._title}: {name} {status.replace('_', ' ')}: {reason}")
