"""Runs a network in its own process for the command, so that an exit, a hang or a print does not spoil the answer."""

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from bench.core import environment
from bench.core.child_process import ConnectedProcess, NoAnswerError, how_it_ended
from bench.core.complaints import complain
from bench.core.errors import EXIT_OK, UnusableError

GRACE_SECONDS = 5.0
"""By how much a call may be late before its process is killed: the clock inside should have ended it."""


class Answer(NamedTuple):
    """What the process says at its end: an exit code, and a report or a complaint."""

    code: int
    text: str
    complaint: str


class Call(NamedTuple):
    """The process begins a call of the network's own code, or has ended it (`seconds` is None)."""

    place: str
    seconds: float | None


def answer_of(target: str, *arguments: Any) -> Answer:
    """What `target`, a function `module:name` that returns (exit code, text), answers in a process of its own.

    Raises UnusableError: the process ended without an answer, or had to be ended.
    """
    with tempfile.TemporaryDirectory() as folder:
        process = ConnectedProcess("bench.locate.isolated", environment.importable(os.environ), Path(folder) / "log")
        try:
            process.send((os.getcwd(), target, arguments))
            return _wait(process)
        finally:
            process.kill()
            process.end()


def _wait(process: ConnectedProcess) -> Answer:
    call = Call("the network", None)
    try:
        while not isinstance(message := process.answer(_limit(call)), Answer):
            call = message
    except NoAnswerError as error:
        raise UnusableError(_lost(call, error.code)) from None
    return message


def _limit(call: Call) -> float | None:
    return None if call.seconds is None else call.seconds + GRACE_SECONDS


def _lost(call: Call, code: int | None) -> str:
    if code is not None:
        return f"{call.place}: its process {how_it_ended(code)}; expected: that the call returns or raises"
    return (
        f"{call.place} took longer than {call.seconds:g} s and could not be interrupted; expected: less; remedy: a "
        "smaller --spec, --seconds, or no `except` that catches everything"
    )


def main(file: int) -> None:
    """The process: answer once, and end without what the network may have left to be done at the end."""
    from bench.locate import subject

    connection: Connection[Any, Any] = Connection(file)
    folder, target, arguments = connection.recv()
    os.chdir(folder)
    subject.watchers.append(lambda place, seconds: connection.send(Call(place, seconds)))
    connection.send(_answer(target, arguments))
    os._exit(EXIT_OK)


def _answer(target: str, arguments: Any) -> Answer:
    from importlib import import_module

    module, _, name = target.partition(":")
    function: Callable[..., tuple[int, str]] = getattr(import_module(module), name)
    try:
        return Answer(*function(*arguments), complaint="")
    except (Exception, SystemExit) as error:
        with contextlib.redirect_stderr(io.StringIO()) as told:
            code = complain(error)
        return Answer(code, "", told.getvalue())


if __name__ == "__main__":
    from bench.locate import isolated  # messages are of this module, not of __main__

    isolated.main(int(sys.argv[1]))
