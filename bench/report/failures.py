"""Processes that did not end well, each with the end of its log."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.records.run import Records, ResultRecord, log_name

LAST_BYTES, LAST_LINES = 6000, 40
MOST_LOGS = 200


@dataclass(frozen=True)
class LostProcess:
    """One (spec, seed); the end of its log, empty where there is none."""

    spec: str
    seed: int
    log: str


@dataclass(frozen=True)
class Failure:
    """The processes of a backend that ended in one way, for one reason."""

    backend: str
    status: str
    reason: str
    processes: tuple[LostProcess, ...]


def failures(records: Records, folder: Path) -> list[Failure]:
    """All of them, in the order of the run; the logs of the first 200 processes."""
    groups: dict[tuple[str, str, str], list[ResultRecord]] = {}
    for result in records.results:
        if result.status != "ok":
            groups.setdefault((result.backend, result.status, result.reason), []).append(result)
    left = MOST_LOGS
    found = []
    for key, results in groups.items():
        found.append(Failure(*key, tuple(_lost(records, folder, results, left))))
        left -= len(results)
    return found


def _lost(records: Records, folder: Path, results: Iterable[ResultRecord], logs: int) -> Iterator[LostProcess]:
    for number, result in enumerate(results):
        yield LostProcess(result.spec, result.seed, _log(records, folder, result) if number < logs else "")


def _log(records: Records, folder: Path, result: ResultRecord) -> str:
    if not records.run.has(result.spec):
        return ""
    return log_end(folder / log_name(records.run.suite, result.spec, result.seed, result.backend))


def log_end(path: Path) -> str:
    """The last lines of a file; nothing of one that is not there, and of a link, which may lead anywhere."""
    try:
        if path.is_symlink():
            return ""
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LAST_BYTES))
            text = file.read().decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""
    lines = text.splitlines()
    whole = lines if size <= LAST_BYTES else lines[1:]
    return "\n".join(whole[-LAST_LINES:])
