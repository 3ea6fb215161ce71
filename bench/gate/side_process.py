"""A fresh process of one side: it answers requests. If it gives no answer, an error says why."""

from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from bench.core.child_process import ConnectedProcess, how_it_ended
from bench.gate.cores import bind
from bench.gate.no_verdict import TreeLostError, last_line


class SideProcess(AbstractContextManager["SideProcess"]):
    """A process of the side, what it prints in `log`, and the timeout of an answer in seconds."""

    def __init__(self, side: str, process: ConnectedProcess, log: Path, limit: float) -> None:
        self.side, self._process, self._log, self._limit = side, process, log, limit
        self._connection = process.connection

    def __exit__(self, *_: object) -> None:
        self._process.end()

    def run_on(self, cores: list[int]) -> None:
        """Let it run on these cores only."""
        bind(self._process.pid, cores)

    def send(self, message: Any) -> None:
        """Say something without waiting for an answer."""
        with suppress(OSError):  # the process is gone; waiting for its answer says how
            self._connection.send(message)

    def ask(self, *request: Any) -> dict[str, Any]:
        """Send a request (a name and its arguments) and wait for the answer."""
        self.send(request)
        return self.answer(f"in {' '.join(map(str, request))}")

    def answer(self, when: str) -> dict[str, Any]:
        """Wait for the answer to what was sent.

        Raises TreeLostError: names the side, and whether it hung, crashed or refused.
        """
        try:
            if not self._connection.poll(self._limit):
                raise TreeLostError(self.side, f"gave no answer within {self._limit:g} s {when}")
            answer: dict[str, Any] = self._connection.recv()
        except (EOFError, OSError):
            ended = how_it_ended(self._process.exit_code())
            said = last_line(self._log.read_text(errors="replace"))
            raise TreeLostError(self.side, f"{ended} {when}{said}") from None
        if "error" in answer:
            raise TreeLostError(self.side, f"failed {when}: {answer['error']}")
        return answer
