"""One worker process: start, ask, and learn how it was lost. It runs `bench.workers.worker`."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.core import environment
from bench.core.child_process import ConnectedProcess, how_it_ended
from bench.records.run import Status
from bench.workers.protocol import FINISH, Job, Request

Facts = dict[str, Any]


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

    def ready(self) -> Facts:
        """Wait until the model is built; what the worker says of itself."""
        return self._answer("while it started")

    def train(self, epoch: int) -> Facts:
        """Have one epoch trained; its measurements."""
        return self._ask(Request("train", epoch), f"in epoch {epoch}")

    def time(self, epoch: int) -> Facts:
        """Have one epoch trained without evaluation; its seconds and its cost."""
        return self._ask(Request("time", epoch), f"in epoch {epoch}")

    def batches_fingerprint(self, epoch: int) -> str:
        """SHA-256 of the batches that the backend consumes in that epoch."""
        answer = self._ask(Request("fingerprint", epoch), f"while it drew the batches of epoch {epoch}")
        return str(answer["batches_fingerprint"])

    def predict(self) -> Facts:
        """Have the test examples predicted; the seconds that it took."""
        return self._ask(Request("predict"), "while it predicted")

    def next_job(self, job: Job) -> Facts:
        """Leave the job at hand and build the next model in the same process; what the worker says of that."""
        return self._ask(job, "while it started")

    def finish(self) -> Facts:
        """Have the worker report its last figures, and end it."""
        answer = self._ask(FINISH, "while it finished")
        self.close()
        self._log_path.unlink(missing_ok=True)
        return answer

    def close(self) -> None:
        """End the process, however it is."""
        self._process.end()

    def _ask(self, message: Job | Request, when: str) -> Facts:
        self._send(message)
        return self._answer(when)

    def _send(self, message: Job | Request) -> None:
        with suppress(OSError):  # the worker is gone; waiting for its answer says how
            self._connection.send(message)

    def _answer(self, when: str) -> Facts:
        try:
            if not self._connection.poll(self._limit):
                raise WorkerLostError("timeout", f"no answer within {self._limit:g} s {when}")
            answer: Facts = self._connection.recv()
        except (EOFError, OSError):
            raise self._lost(when) from None
        if "unsupported" in answer:
            raise WorkerLostError("skipped", answer["unsupported"])
        if "error" in answer:
            raise WorkerLostError("failed", f"{answer['error']} {when}; see {self._log_path}")
        return answer

    def _lost(self, when: str) -> WorkerLostError:
        code = self._process.exit_code()
        told = f"{how_it_ended(code).removeprefix('was ')} {when}"
        if code < 0:
            return WorkerLostError("killed", told)
        return WorkerLostError("failed", f"{told}; see {self._log_path}")
