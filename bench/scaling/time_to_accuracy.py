"""Seconds of training until a test accuracy is first reached, every backend from the same seeds.

Fed by two networks and real MNIST; feeds the records.
"""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.scaling.records import AccuracyRecord
from bench.scaling.turns import Timing
from bench.spec import TrainingSpec
from bench.workers.client import WorkerClient, job_of

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
    layers = [{"units": units, "activation": "relu"} for units in hidden]
    shape = "-".join(map(str, (784, *hidden, 10)))
    rate = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in optimizer.items())
    return TrainingSpec.model_validate(
        {
            "name": f"{shape} M={batch_size}, {rate}",
            "architecture": {"inputs": 784, "layers": [*layers, {"units": 10, "activation": "softmax"}]},
            "loss": "categorical_crossentropy",
            "optimizer": optimizer,
            "batch_size": batch_size,
            "epochs": epochs,
            "seeds": [0],
        }
    )


class Race:
    """One network from one seed: every backend trains until it has reached the highest target."""

    def __init__(self, spec: TrainingSpec, seed: int, threads: int, data: Path, logs: Path, timing: Timing) -> None:
        self._spec, self._seed, self._threads, self._data = spec, seed, threads, data
        self._logs, self._timing = logs, timing

    def run(self, names: Sequence[str]) -> Iterator[AccuracyRecord]:
        """One record a backend."""
        with ExitStack() as stack:
            contestants = []
            for name in names:  # one after another: the seconds of a start are to be its own
                contestants.append(stack.enter_context(self._contestant(name)))
                contestants[-1].ready()
            self._rounds(contestants)
            for contestant in contestants:
                contestant.finish()
                yield self._record(contestant)

    def _contestant(self, name: str) -> WorkerClient:
        job = job_of(name, self._spec, self._seed, self._data, self._threads)
        return WorkerClient(name, job, self._logs / f"accuracy-seed{self._seed}-{name}.log", self._timing.limit)

    def _rounds(self, contestants: Sequence[WorkerClient]) -> None:
        order = random.Random(f"{self._spec.name} {self._seed}")
        for number in range(1, self._spec.epochs + 1):
            taking_part = [one for one in contestants if one.lost is None and not _arrived(one)]
            order.shuffle(taking_part)
            for contestant in taking_part:
                time.sleep(self._timing.rest)
                contestant.train(number)

    def skipped(self, backend: str, reason: str) -> AccuracyRecord:
        """The record of a backend that cannot run here."""
        return AccuracyRecord(**self._run, backend=backend, status="skipped", reason=reason)

    @property
    def _run(self) -> dict[str, Any]:
        return {"network": self._spec.name, "seed": self._seed}

    def _record(self, contestant: WorkerClient) -> AccuracyRecord:
        return AccuracyRecord(
            **self._run,
            backend=contestant.name,
            **contestant.outcome,
            startup_seconds=contestant.startup_seconds,
            epoch_seconds=contestant.seconds,
            test_accuracies=_accuracies(contestant),
        )


def _arrived(contestant: WorkerClient) -> bool:
    return max(_accuracies(contestant), default=0.0) >= max(TARGETS)


def _accuracies(contestant: WorkerClient) -> tuple[float, ...]:
    return tuple(answer["test_accuracy"] for answer in contestant.epochs)
