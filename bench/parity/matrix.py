"""Trains the cells of the parity matrix in processes of one thread each; each outcome is written at once."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TextIO

from pydantic import TypeAdapter, ValidationError

from bench.core.errors import UnusableError
from bench.core.models import first_problem
from bench.core.text import one_line
from bench.parity.cells import ParityCell, groups
from bench.parity.outcome import ParityOutcome
from bench.records.log import DistinctLines
from bench.workers.pool import fresh_processes

LOG_NAME, WORKER_LOG_NAME = "cells.jsonl", "workers.log"
GROUPS_OF_A_PROCESS = 100
"""After about so many graphs processes make room for fresh ones: TensorFlow keeps some memory of each graph."""

_OUTCOME: TypeAdapter[ParityOutcome] = TypeAdapter(ParityOutcome)
Done = Callable[[Sequence[ParityOutcome]], None]


def train(cells: Sequence[ParityCell], folder: Path, jobs: int, done: Done) -> None:
    """Train the cells that the folder's log does not have yet, and append what comes out; `done` hears of each group.

    Raises UnusableError: where the log cannot be written or a worker process died.
    """
    have = {outcome.cell for outcome in read_log(folder)}
    left = list(groups([cell for cell in cells if cell not in have]))
    size = jobs * GROUPS_OF_A_PROCESS
    with _appending(folder / LOG_NAME) as log:
        for start in range(0, len(left), size):
            for outcomes in _outcomes(left[start : start + size], jobs, folder / WORKER_LOG_NAME):
                log.writelines(json.dumps(outcome.row) + "\n" for outcome in outcomes)
                log.flush()
                done(outcomes)


@contextmanager
def _appending(path: Path) -> Iterator[TextIO]:
    """The log, without what a kill has left of its last line.

    Raises UnusableError: where it cannot be written; what was finished is kept.
    """
    try:
        with path.open("a", encoding="utf-8") as log:
            log.truncate(path.read_bytes().rfind(b"\n") + 1)
            yield log
    except OSError as error:
        reason = error.strerror or error
        raise UnusableError(f"{path}: cannot be written ({reason}); what was finished is kept") from None


def read_log(folder: Path) -> list[ParityOutcome]:
    """The outcomes that the folder's log holds; a last line cut short is left out.

    Raises UnusableError: with file and line, where a line is no outcome or repeats another.
    """
    path = folder / LOG_NAME
    return list(_outcomes_in(path)) if path.exists() else []


def _outcomes_in(path: Path) -> Iterator[ParityOutcome]:
    distinct = DistinctLines(path)
    for number, line in enumerate(_whole_text(path).split("\n"), 1):
        if line:
            outcome = _parsed(line, f"{path}:{number}")
            distinct.check(number, "outcome", outcome.cell._asdict())
            yield outcome


def _whole_text(path: Path) -> str:
    """Without a last line that was cut short."""
    try:
        return path.read_text(encoding="utf-8").rpartition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableError(f"{path}: cannot be read ({one_line(error)})") from None


def _parsed(line: str, place: str) -> ParityOutcome:
    try:
        return _OUTCOME.validate_python(ParityOutcome.from_row(json.loads(line)))
    except ValidationError as error:
        raise UnusableError(f"{place}: not an outcome of the parity matrix ({first_problem(error)})") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnusableError(f"{place}: not an outcome of the parity matrix ({one_line(error)})") from None


def _outcomes(some_groups: Sequence[Sequence[ParityCell]], jobs: int, log: Path) -> Iterator[list[ParityOutcome]]:
    """The outcomes of each group, in the order in which they are finished."""
    try:
        with fresh_processes(jobs, 1, log) as pool:
            for future in as_completed([pool.submit(_work, group) for group in some_groups]):
                yield future.result()
    except BrokenProcessPool as error:
        raise UnusableError(f"a process died ({error}); what was finished is kept: --resume") from None


def _work(group: Sequence[ParityCell]) -> list[ParityOutcome]:
    # By name, as all backends are: the process that only waits must not pay for TensorFlow.
    outcomes: list[ParityOutcome] = import_module("bench.parity.worker").run(group)
    return outcomes
