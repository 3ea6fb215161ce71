"""One worker process: start, ask, and learn how it was lost. It runs `bench.workers.worker`."""

from pathlib import Path
from typing import Any

from bench.core import environment
from bench.core.child_process import ConnectedProcess, NoAnswerError, how_it_ended
from bench.records.run import Status
from bench.workers.protocol import Job, Request

Facts = dict[str, Any]


class WorkerLostError(Exception):
    """The worker gave no answer that can be used."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status: Status = status
        self.reason = reason


class WorkerProcess:
    """One worker process. Its output goes to `log_path`."""

    def __init__(self, job: Job, log_path: Path, time_limit_seconds: float) -> None:
        self._log_path, self._limit = log_path, time_limit_seconds
        self._process = ConnectedProcess("bench.workers.worker", environment.worker_environment(job.threads), log_path)
        self._process.send(job)

    def ready(self) -> Facts:
        """Wait until the model is built; what the worker says of itself."""
        return self._answer("while it started")

    def ask(self, message: Job | Request, when: str) -> Facts:
        """Send the next job or a request; the answer. `when` ends the reason why it was lost."""
        self._process.send(message)
        return self._answer(when)

    def close(self) -> None:
        """End the process, however it is."""
        self._process.end()

    def kill(self) -> None:
        """Kill the process and all that it started, unasked."""
        self._process.kill()

    def _answer(self, when: str) -> Facts:
        try:
            answer: Facts = self._process.answer(self._limit)
        except NoAnswerError as error:
            raise self._lost(error.code, when) from None
        if "unsupported" in answer:
            raise WorkerLostError("skipped", answer["unsupported"])
        if "error" in answer:
            raise WorkerLostError("failed", f"{answer['error']} {when}; see {self._log_path}")
        return answer

    def _lost(self, code: int | None, when: str) -> WorkerLostError:
        if code is None:
            return WorkerLostError("timeout", f"no answer within {self._limit:g} s {when}")
        told = f"{how_it_ended(code).removeprefix('was ')} {when}"
        if code < 0:
            return WorkerLostError("killed", told)
        return WorkerLostError("failed", f"{told}; see {self._log_path}")
