"""Client for the process of a side, which runs `tree_worker.py`: its answers, or why it died."""

from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from bench.core import environment
from bench.core.child_process import ConnectedProcess, how_it_ended
from bench.gate.cores import bind
from bench.gate.no_verdict import TreeLostError, last_line

SCRIPT = Path(__file__).with_name("tree_worker.py")


class TreeProcess:
    """A fresh process with `tree` first on its path, and nothing of this revision unless it is the tree."""

    def __init__(self, side: str, tree: Path, threads: int, log: Path, limit: float) -> None:
        self._side, self._log, self._limit = side, log, limit
        variables = environment.worker_environment(threads)
        variables |= {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": ""}
        self._process = ConnectedProcess(str(SCRIPT), variables, log)
        self._connection = self._process.connection

    def __enter__(self) -> Self:
        return self

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
                raise TreeLostError(self._side, f"gave no answer within {self._limit:g} s {when}")
            answer: dict[str, Any] = self._connection.recv()
        except (EOFError, OSError):
            ended = how_it_ended(self._process.exit_code())
            said = last_line(self._log.read_text(errors="replace"))
            raise TreeLostError(self._side, f"{ended} {when}{said}") from None
        if "error" in answer:
            raise TreeLostError(self._side, f"failed {when}: {answer['error']}")
        return answer
