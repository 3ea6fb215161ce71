"""What A and B are: a run folder, its records.jsonl, or a folder of several runs."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import UnusableError
from bench.core.text import one_line
from bench.records.log import RECORDS_NAME
from bench.records.run import Records

ALLOWED = "a run folder, its records.jsonl, or a folder of runs"
LONGEST_PATH = 200
LARGEST_JSON_BYTES = 500_000_000


@dataclass(frozen=True)
class Runs:
    """One side: the runs that lie there, newest first."""

    path: Path
    runs: tuple[Records, ...]

    def holding(self, spec: str) -> tuple[Records, ...]:
        """The runs that have a spec of that name, newest first."""
        return tuple(records for records in self.runs if spec in spec_names(records))


def spec_names(records: Records) -> tuple[str, ...]:
    """Names of the specs of a run, in its suite's order."""
    return tuple(spec.name for spec in records.run.suite.specs)


def shown(path: Path) -> str:
    """A path on one line, shortened."""
    return one_line(path, LONGEST_PATH)


def read(a: Path, b: Path) -> tuple[Runs, Runs]:
    """Both sides. Of a folder of several runs, those with a spec of the other side.

    Raises UnusableError: one line that names the path, what is wrong with it and what is allowed.
    """
    one, two = _side(a), _side(b)
    return _with_specs_of(one, two), _with_specs_of(two, one)


def _side(path: Path) -> Runs:
    try:
        return _folder(path) if path.is_dir() else _file(path)
    except OSError as error:
        raise UnusableError(f"{shown(path)}: cannot be read ({error.strerror or error}); allowed: {ALLOWED}") from None


def _folder(path: Path) -> Runs:
    if (path / RECORDS_NAME).exists():
        return Runs(path, (_run(path),))
    files = [file for file in sorted(path.glob(f"*/{RECORDS_NAME}")) if _starts_a_run(file)]
    found = [records for file in files if (records := Records.read(file.parent)).results]
    if not found:
        where = "here or one folder deeper"
        raise UnusableError(f"{shown(path)}: no run that finished anything, {where}; allowed: {ALLOWED}")
    return Runs(path, tuple(sorted(found, key=lambda records: records.run.started, reverse=True)))


def _run(folder: Path) -> Records:
    records = Records.read(folder)
    if not records.results:
        where = shown(folder)
        remedy = f"scratchbench run --out {where} --resume"
        raise UnusableError(f"{where}: no pair of spec and seed was finished; finish one with: {remedy}")
    return records


def _starts_a_run(path: Path) -> bool:
    """Of several folders side by side, as in results/reference, some are of other kinds (scaling) and are left out."""
    with path.open("rb") as file:
        try:
            first = json.loads(file.readline())
        except (ValueError, RecursionError):
            return True  # a broken file is no other kind: whoever reads it says where it is broken
    return not isinstance(first, dict) or first.get("kind") == "run"


def _file(path: Path) -> Runs:
    if path.name == RECORDS_NAME:
        return Runs(path, (_run(path.parent),))
    content = _json(path)
    if isinstance(content, dict) and isinstance(content.get("benchmarks"), list):
        raise UnusableError(
            f"{shown(path)}: is a file of pytest-benchmark; `pytest-benchmark compare A B` compares two of these, "
            "`scratchbench gate` decides about speed"
        )
    remedy = f"; give its folder, {shown(path.parent)}" if (path.parent / RECORDS_NAME).exists() else ""
    raise UnusableError(f"{shown(path)}: is not one of these: {ALLOWED}{remedy}")


def _json(path: Path) -> Any:
    if path.stat().st_size > LARGEST_JSON_BYTES:
        raise UnusableError(f"{shown(path)}: is larger than 500 MB; allowed: {ALLOWED}")
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise UnusableError(f"{shown(path)}: is no JSON; allowed: {ALLOWED}") from None


def _with_specs_of(side: Runs, other: Runs) -> Runs:
    wanted = {name for records in other.runs for name in spec_names(records)}
    fitting = tuple(records for records in side.runs if wanted.intersection(spec_names(records)))
    if not fitting:
        here = {name: None for records in side.runs for name in spec_names(records)}
        raise UnusableError(
            f"no spec in common: {shown(side.path)} has {_listed(here)}; "
            f"{shown(other.path)} has {_listed(sorted(wanted))}; allowed: two runs with a spec of the same name"
        )
    return Runs(side.path, fitting)


def _listed(names: Iterable[str]) -> str:
    every = [repr(one_line(name, 60)) for name in names]
    return ", ".join(every[:5]) + (f" and {len(every) - 5} more" if len(every) > 5 else "")
