"""What A and B are: a run folder, its records.jsonl, or a folder of several runs."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import UnusableError, refused
from bench.core.text import first_of, one_line
from bench.records.log import RECORDS_NAME, value_in
from bench.records.run import Records

ALLOWED = "a run folder, its records.jsonl, or a folder of runs"
LONGEST_PATH, LONGEST_NAME, NAMED_AT_MOST = 200, 80, 5


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
    with refused(shown(path), "read", f"; allowed: {ALLOWED}"):
        return _folder(path) if path.is_dir() else _file(path)


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
        return value_in(file.readline(), "kind") in ("run", None)  # whoever reads a broken file says where it is broken


def _file(path: Path) -> Runs:
    if path.name == RECORDS_NAME:
        return Runs(path, (_run(path.parent),))
    if _is_of_pytest_benchmark(path):
        raise UnusableError(
            f"{shown(path)}: is a file of pytest-benchmark; `pytest-benchmark compare A B` compares two of these, "
            "`scratchbench gate` decides about speed"
        )
    remedy = f"; give its folder, {shown(path.parent)}" if (path.parent / RECORDS_NAME).exists() else ""
    raise UnusableError(f"{shown(path)}: is not one of these: {ALLOWED}{remedy}")


def _is_of_pytest_benchmark(path: Path) -> bool:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and isinstance(content.get("benchmarks"), list)


def _with_specs_of(side: Runs, other: Runs) -> Runs:
    wanted = {name for records in other.runs for name in spec_names(records)}
    fitting = tuple(records for records in side.runs if wanted.intersection(spec_names(records)))
    if not fitting:
        here = {name: None for records in side.runs for name in spec_names(records)}
        raise UnusableError(
            f"no spec in common: {shown(side.path)} has {listed(here)}; "
            f"{shown(other.path)} has {listed(sorted(wanted))}; allowed: two runs with a spec of the same name"
        )
    return Runs(side.path, fitting)


def quoted(name: str) -> str:
    """A name as it stands in a line."""
    return f"'{one_line(name, LONGEST_NAME)}'"


def listed(names: Iterable[str]) -> str:
    """`'x', 'y' and 3 more`."""
    return first_of(map(quoted, names), NAMED_AT_MOST)
