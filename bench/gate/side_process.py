"""A fresh process of one side: it answers requests. If it gives no answer, an error says why."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from bench.core.child_process import ConnectedProcess, NoAnswerError, how_it_ended
from bench.gate.cores import bind
from bench.gate.no_verdict import TreeLostError, last_line


class SideProcess(AbstractContextManager["SideProcess"]):
    """A process of the side, what it prints in `log`, and the timeout of an answer in seconds."""

    def __init__(self, side: str, process: ConnectedProcess, log: Path, limit: float) -> None:
        self.side, self._process, self._log, self._limit = side, process, log, limit

    def __exit__(self, *_: object) -> None:
        self._process.end()

    def run_on(self, cores: list[int]) -> None:
        """Let it run on these cores only."""
        bind(self._process.pid, cores)

    def send(self, message: Any) -> None:
        """Say something without waiting for an answer."""
        self._process.send(message)

    def ask(self, *request: Any) -> dict[str, Any]:
        """Send a request (a name and its arguments) and wait for the answer."""
        self.send(request)
        return self.answer(f"in {' '.join(map(str, request))}")

    def answer(self, when: str) -> dict[str, Any]:
        """Wait for the answer to what was sent.

        Raises TreeLostError: names the side, and whether it hung, crashed or refused.
        """
        try:
            answer: dict[str, Any] = self._process.answer(self._limit)
        except NoAnswerError as error:
            raise TreeLostError(self.side, self._lost(error.code, when)) from None
        if "error" in answer:
            raise TreeLostError(self.side, f"failed {when}: {answer['error']}")
        return answer

    def _lost(self, code: int | None, when: str) -> str:
        if code is None:
            return f"gave no answer within {self._limit:g} s {when}"
        return f"{how_it_ended(code)} {when}{last_line(self._log.read_text(errors='replace'))}"
