"""A worker process as the runner sees it: start, ask, and learn how it was lost.

Fed by the runner; the process itself is `bench.workers.worker`.
"""

import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.core import environment
from bench.core.child_process import ConnectedProcess
from bench.records.run import Status
from bench.workers.protocol import Fingerprint, Finish, Job, Message, Predict, Time, Train


class WorkerLostError(Exception):
    """The worker gave no answer that can be used."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status: Status = status
        self.reason = reason


class WorkerProcess:
    """One worker process. Its output goes to `log_path`, which is removed when the worker ends well."""

    def __init__(self, job: Job, log_path: Path, time_limit_seconds: float) -> None:
        self._log_path, self._limit = log_path, time_limit_seconds
        self._process = ConnectedProcess("bench.workers.worker", environment.worker_environment(job.threads), log_path)
        self._connection = self._process.connection
        self._send(job)

    def ready(self) -> dict[str, Any]:
        """Wait until the model is built; what the worker says of itself."""
        return self._answer("while it started")

    def train(self, epoch: int) -> dict[str, Any]:
        """Have one epoch trained; its measurements."""
        self._send(Train(epoch))
        return self._answer(f"in epoch {epoch}")

    def time(self, epoch: int) -> dict[str, Any]:
        """Have one epoch trained without evaluation; its seconds and its cost."""
        self._send(Time(epoch))
        return self._answer(f"in epoch {epoch}")

    def batches_fingerprint(self, epoch: int) -> str:
        """SHA-256 of the batches that the backend consumes in that epoch."""
        self._send(Fingerprint(epoch))
        return str(self._answer(f"while it drew the batches of epoch {epoch}")["batches_fingerprint"])

    def predict(self) -> dict[str, Any]:
        """Have the test examples predicted; the seconds that it took."""
        self._send(Predict())
        return self._answer("while it predicted")

    def next_job(self, job: Job) -> dict[str, Any]:
        """Leave the job at hand and build the next model in the same process; what the worker says of that."""
        self._send(job)
        return self.ready()

    def finish(self) -> dict[str, Any]:
        """Have the worker report its last figures, and end it."""
        self._send(Finish())
        answer = self._answer("while it finished")
        self.close()
        self._log_path.unlink(missing_ok=True)
        return answer

    def close(self) -> None:
        """End the process, however it is."""
        self._process.end()

    def _send(self, message: Message) -> None:
        with suppress(OSError):  # the worker is gone; waiting for its answer says how
            self._connection.send(message)

    def _answer(self, when: str) -> dict[str, Any]:
        try:
            if not self._connection.poll(self._limit):
                raise WorkerLostError("timeout", f"no answer within {self._limit:g} s {when}")
            answer: dict[str, Any] = self._connection.recv()
        except (EOFError, OSError):
            raise self._lost(when) from None
        if "unsupported" in answer:
            raise WorkerLostError("skipped", answer["unsupported"])
        if "error" in answer:
            raise WorkerLostError("failed", f"{answer['error']} {when}; see {self._log_path}")
        return answer

    def _lost(self, when: str) -> WorkerLostError:
        code = self._process.exit_code()
        if code < 0:
            return WorkerLostError("killed", f"killed by {signal.Signals(-code).name} {when}")
        return WorkerLostError("failed", f"ended with exit code {code} {when}; see {self._log_path}")
