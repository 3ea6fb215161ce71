"""A side's process as the gate sees it: start, ask, and learn how it was lost.

Fed by the pairs and the rounds; the process itself is `bench.gate.tree_worker`.
"""

import signal
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from bench.core import environment
from bench.core.child_process import ConnectedProcess
from bench.gate.cores import bind

SCRIPT = Path(__file__).with_name("tree_worker.py")
LAST_LINE = 300
"""Characters of what a process said last."""


class TreeLostError(Exception):
    """A side gave no answer that can be used: there is no verdict of speed."""

    def __init__(self, side: str, reason: str) -> None:
        super().__init__(f"the {side} side {reason}")
        self.side, self.reason = side, reason


def how_it_ended(code: int) -> str:
    """An exit code as `subprocess` has it, in words."""
    names = {-one: one.name for one in signal.Signals}
    return f"was killed by {names[code]}" if code in names else f"ended with exit code {code}"


class TreeProcess:
    """`bench.gate.tree_worker` in a fresh process.

    `tree` is first on its path, and nothing of this revision is unless it is the tree.
    """

    def __init__(self, side: str, tree: Path, threads: int, log: Path, limit: float) -> None:
        self._side, self._log, self._limit = side, log, limit
        variables = environment.worker_environment(threads)
        variables |= {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": ""}
        self._process = ConnectedProcess(str(SCRIPT), variables, log)
        self._connection = self._process.connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it and those that it forked, however they are."""
        self._process.end()

    def run_on(self, cores: list[int]) -> None:
        """Let it run on no other core."""
        bind(self._process.pid, cores)

    def send(self, message: Any) -> None:
        """Say something without waiting; whether it is still there is seen when its answer is awaited."""
        with suppress(OSError):
            self._connection.send(message)

    def ask(self, *request: Any) -> dict[str, Any]:
        """Send a request (a name and its arguments) and wait for the answer."""
        self.send(request)
        return self.answer(f"in {request[0]} {' '.join(map(str, request[1:]))}".strip())

    def answer(self, when: str) -> dict[str, Any]:
        """Wait for the answer to what was sent.

        Raises
        ------
        TreeLostError
            Says which side, and whether it hung, crashed or refused.
        """
        try:
            if not self._connection.poll(self._limit):
                raise TreeLostError(self._side, f"gave no answer within {self._limit:g} s {when}")
            answer: dict[str, Any] = self._connection.recv()
        except (EOFError, OSError):
            raise TreeLostError(self._side, f"{how_it_ended(self._process.exit_code())} {when}{self._said()}") from None
        if "error" in answer:
            raise TreeLostError(self._side, f"failed {when}: {answer['error']}")
        return answer

    def _said(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return f": {lines[-1][:LAST_LINE]}" if lines else ""
