"""Seconds of training until a test accuracy is first reached, every backend from the same seeds."""

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.scaling.records import AccuracyRecord
from bench.scaling.turns import Timing
from bench.spec import TrainingSpec, mnist_network
from bench.workers.client import WorkerClient, job_of
from bench.workers.turns import in_turn

TARGETS = (0.95, 0.97, 0.98)
SEEDS, QUICK_SEEDS = (0, 1, 2), (0,)

SMALL: dict[str, Any] = {"hidden": (128,), "batch_size": 32, "epochs": 6, "optimizer": {"learning_rate": 0.1}}
LARGE: dict[str, Any] = {
    "hidden": (512, 512),
    "batch_size": 128,
    "epochs": 10,
    "optimizer": {"learning_rate": 0.05, "momentum": 0.9},
}
QUICK = {**SMALL, "epochs": 5}


def networks(quick: bool) -> list[TrainingSpec]:
    """What is trained; its number of epochs ends a training that does not get there."""
    return [spec_of(**network) for network in ([QUICK] if quick else [SMALL, LARGE])]


def spec_of(hidden: Sequence[int], batch_size: int, epochs: int, optimizer: dict[str, float]) -> TrainingSpec:
    """ReLU and softmax on all of MNIST."""
    shape = "-".join(map(str, (784, *hidden, 10)))
    rate = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in optimizer.items())
    name = f"{shape} M={batch_size}, {rate}"
    return mnist_network(hidden, batch_size, name=name, optimizer=optimizer, epochs=epochs)


class Race:
    """One network from one seed: every backend trains until it has reached the highest target."""

    def __init__(self, spec: TrainingSpec, seed: int, threads: int, data: Path, logs: Path, timing: Timing) -> None:
        self._spec, self._seed, self._threads, self._data = spec, seed, threads, data
        self._logs, self._timing = logs, timing

    def run(self, names: Sequence[str]) -> Iterator[AccuracyRecord]:
        """One record a backend."""
        with ExitStack() as stack:
            clients = []
            for name in names:  # one after another: the seconds of a start are to be its own
                clients.append(stack.enter_context(self._client(name)))
                clients[-1].ready()
            self._rounds(clients)
            for client in clients:
                client.finish()
                yield self._record(client)

    def _client(self, name: str) -> WorkerClient:
        job = job_of(name, self._spec, self._seed, self._data, self._threads)
        return WorkerClient(name, job, self._logs / f"accuracy-seed{self._seed}-{name}.log", self._timing.limit)

    def _rounds(self, clients: Sequence[WorkerClient]) -> None:
        order = random.Random(f"{self._spec.name} {self._seed}")
        for number in range(1, self._spec.epochs + 1):
            left = [client for client in clients if not _arrived(client)]
            for client in in_turn(left, order, self._timing.rest):
                client.train(number)

    def skipped(self, backend: str, reason: str) -> AccuracyRecord:
        """The record of a backend that cannot run here."""
        return AccuracyRecord(**self._run, backend=backend, status="skipped", reason=reason)

    @property
    def _run(self) -> dict[str, Any]:
        return {"network": self._spec.name, "seed": self._seed}

    def _record(self, client: WorkerClient) -> AccuracyRecord:
        return AccuracyRecord(
            **self._run,
            backend=client.name,
            **client.outcome,
            startup_seconds=client.startup_seconds,
            epoch_seconds=client.seconds,
            test_accuracies=_accuracies(client),
        )


def _arrived(client: WorkerClient) -> bool:
    return max(_accuracies(client), default=0.0) >= max(TARGETS)


def _accuracies(client: WorkerClient) -> tuple[float, ...]:
    return tuple(answer["test_accuracy"] for answer in client.epochs)
