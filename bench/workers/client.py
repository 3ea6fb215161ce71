"""Client for one worker process: its answers, or why it was lost."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from bench.backends import registry
from bench.records.run import Status
from bench.spec import TrainingSpec
from bench.workers.process import Facts, WorkerLostError, WorkerProcess
from bench.workers.protocol import FINISH, Job, Request


class WorkerClient(AbstractContextManager["WorkerClient"]):
    """`epochs` and `predictions` hold what the worker answered to each; `lost` is None for as long as all goes well.

    The log stays where it says why the process was lost.
    """

    def __init__(self, name: str, job: Job, log: Path, limit: float) -> None:
        self.name, self._log = name, log
        self.epochs, self.predictions = list[Facts](), list[Facts]()
        self.lost: tuple[Status, str] | None = None
        self.startup_seconds: float | None = None
        self.peak_memory_bytes: int | None = None
        self._started = time.perf_counter()
        self._process = WorkerProcess(job, log, limit)

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, however it is."""
        self._process.close()
        if self.lost is None:
            self._log.unlink(missing_ok=True)

    def kill(self) -> None:
        """Kill the process from another thread; whoever waits for its answer learns that it is lost."""
        self._process.kill()

    def ready(self) -> Facts | None:
        """Wait until the model is built; what the worker says of it."""
        description = self._answer(self._process.ready)
        if description is not None:
            self.startup_seconds = time.perf_counter() - self._started
        return description

    def time(self, number: int) -> Facts | None:
        """Train an epoch under the clock and nothing else; what was measured."""
        return self._keep(self.ask(Request("time", number), f"in epoch {number}"))

    def train(self, number: int) -> Facts | None:
        """Train an epoch under the clock, then evaluate; what was measured."""
        return self._keep(self.ask(Request("train", number), f"in epoch {number}"))

    def predict(self) -> None:
        """Predict the test examples under the clock."""
        answer = self.ask(Request("predict"), "while it predicted")
        self.predictions += [answer] if answer is not None else []

    def check_batches(self, expected: str) -> None:
        """Whether it consumes the batches of the plan's first epoch, which have that fingerprint."""
        answer = self.ask(Request("fingerprint", 1), "while it drew the batches of epoch 1")
        if answer is not None and answer["batches_fingerprint"] != expected:
            self.lost = "not_comparable", "it did not consume the plan's batches"

    def finish(self) -> Facts | None:
        """Have the process report its last figures."""
        answer = self.ask(FINISH, "while it finished")
        if answer is not None:
            self.peak_memory_bytes = answer["peak_memory_bytes"]
        return answer

    def ask(self, message: Job | Request, when: str) -> Facts | None:
        """The answer to a request or to the next job; None where the worker is lost."""
        return self._answer(lambda: self._process.ask(message, when))

    @property
    def seconds(self) -> tuple[float, ...]:
        """Of each epoch, the first among them."""
        return tuple(answer["epoch_seconds"] for answer in self.epochs)

    @property
    def outcome(self) -> dict[str, Any]:
        """How it ended, for a record."""
        status, reason = self.lost or ("ok", "")
        return {"status": status, "reason": reason}

    def _keep(self, answer: Facts | None) -> Facts | None:
        if answer is not None and answer["train_cost"] is None:
            self.lost = "diverged", f"the cost is not finite after epoch {len(self.epochs) + 1}"
        elif answer is not None:
            self.epochs.append(answer)
        return answer

    def _answer(self, ask: Callable[[], Facts]) -> Facts | None:
        if self.lost is not None:
            return None
        try:
            return ask()
        except WorkerLostError as lost:
            self.lost = lost.status, lost.reason
            return None


def job_of(name: str, spec: TrainingSpec, seed: int, data: Path, threads: int) -> Job:
    """The job of a worker that trains this backend or floor."""
    entry = registry.FLOORS[name] if name in registry.FLOORS else registry.entry(name)
    return Job(entry.target, entry.packages, spec, seed, data.absolute(), threads)
