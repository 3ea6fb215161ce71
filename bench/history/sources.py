"""Finds the files of a folder that are runs, and picks the reader for each kind.

A file that cannot be read gives a warning; the other files are still read.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.core.errors import UnusableError
from bench.history import files, runs
from bench.history.points import Line, Point, lines_of

METRICS: dict[str, str] = {
    "time_ratio": "`scratchbench run`: scratchnet's seconds / the reference's",
    "fastest_peer": "`scratchbench speed`: scratchnet's seconds / those of the fastest peer",
    "product_floor": "`scratchbench speed`: scratchnet's seconds / those of its matrix products and gather alone",
    "gate": "the gate: seconds of the new revision / of the one it was held against",
    "benchmark": "pytest-benchmark: median seconds / those of the line's first run",
}
RELATIVE = ("benchmark",)

READERS: dict[str, Callable[[Path], list[Point]]] = {
    "records.jsonl": runs.read,
    "speed.json": files.read_speed,
    "gate.json": files.read_gate,
}
DERIVED = {"run.json", "observations.json", "parity.json", "history.json"}
"""What `bench` writes beside the files above, or about something else."""


@dataclass(frozen=True)
class Found:
    """The lines of every run that could be read, and why the others could not."""

    lines: tuple[Line, ...]
    warnings: tuple[str, ...]
    files: int


def find(folder: Path, metrics: Sequence[str] = tuple(METRICS), shown: str | None = None) -> Found:
    """Read every run below the folder, which warnings call `shown`.

    Raises UnusableError: where there is no such folder.
    """
    if not folder.is_dir():
        raise UnusableError(f"{folder}: no folder; name one with runs in it: --folder results")
    points, warnings, read = list[Point](), list[str](), 0
    for path in run_files(folder):
        try:
            found = READERS.get(path.name, files.read_benchmarks)(path)
        except UnusableError as error:
            warnings.append(str(error).replace(str(folder), shown or str(folder)))
            continue
        source = path.relative_to(folder).as_posix()
        chosen = [replace(point, source=source) for point in found if point.key.metric in metrics]
        read += bool(chosen)
        points += chosen
    return Found(tuple(lines_of(points, RELATIVE)), tuple(warnings), read)


def run_files(folder: Path) -> Iterator[Path]:
    """Files that may hold a run, in the order of their names; links to folders are not followed."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(place, name) for name in sorted(names) if may_be_run(name))


def may_be_run(name: str) -> bool:
    """Whether a file of that name may hold a run."""
    return name in READERS or (name.endswith(".json") and name not in DERIVED)
