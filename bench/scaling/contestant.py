"""One backend in a process of its own, as whoever has it take turns sees it: what it answered, or how it was lost.

Fed by `bench.scaling.turns` and `bench.scaling.accuracy_time`; whatever happens to one, the others go on.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from bench import backend as backends
from bench.messages import Job
from bench.records import Status
from bench.spec import TrainingSpec
from bench.worker_process import WorkerLostError, WorkerProcess


class Contestant:
    """`epochs` holds what the worker answered to each; `lost` is None for as long as all goes well."""

    def __init__(self, name: str, job: Job, log: Path, limit: float) -> None:
        self.name, self.epochs = name, list[dict[str, Any]]()
        self.lost: tuple[Status, str] | None = None
        self.startup_seconds: float | None = None
        self.peak_memory_bytes: int | None = None
        self._started = time.perf_counter()
        self._process = WorkerProcess(job, log, limit)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.close()

    def ready(self) -> None:
        """Wait until the model is built."""
        if self._answer(self._process.ready) is not None:
            self.startup_seconds = time.perf_counter() - self._started

    def time(self, number: int) -> None:
        """Train an epoch under the clock and nothing else."""
        self._keep(self._answer(lambda: self._process.time(number)))

    def train(self, number: int) -> None:
        """Train an epoch under the clock, then evaluate."""
        self._keep(self._answer(lambda: self._process.train(number)))

    def finish(self) -> None:
        """Have the process tell its peak memory, and end it."""
        answer = self._answer(self._process.finish)
        if answer is not None:
            self.peak_memory_bytes = answer["peak_memory_bytes"]

    @property
    def seconds(self) -> tuple[float, ...]:
        """Of each epoch, the first among them."""
        return tuple(answer["epoch_seconds"] for answer in self.epochs)

    @property
    def outcome(self) -> dict[str, Any]:
        """How it ended, for a record."""
        status, reason = self.lost or ("ok", "")
        return {"status": status, "reason": reason}

    def _keep(self, answer: dict[str, Any] | None) -> None:
        if answer is None:
            return
        if answer["train_cost"] is None:
            self.lost = "diverged", f"the cost is not finite after epoch {len(self.epochs) + 1}"
        else:
            self.epochs.append(answer)

    def _answer(self, ask: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        if self.lost is not None:
            return None
        try:
            return ask()
        except WorkerLostError as lost:
            self.lost = lost.status, lost.reason
            return None


def job_of(name: str, spec: TrainingSpec, seed: int, data: Path, threads: int) -> Job:
    """What the worker of a backend or of a floor is for."""
    entry = backends.FLOORS[name] if name in backends.FLOORS else backends.entry(name)
    return Job(entry.target, entry.packages, spec, seed, data, threads)
