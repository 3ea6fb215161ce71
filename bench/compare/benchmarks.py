"""Two JSON files of pytest-benchmark: each benchmark's ratio of medians, with asv's marks.

Fed by two files; feeds the document. The rounds in a file are of one process, which is lucky or unlucky by some per
cent for its whole life, and the two files were not made in turns: a mark says that rounds differ, never how sure the
ratio is (it has no interval). `scratchbench gate` is the way to be sure.

Marks as in asv (`asv/commands/compare.py`): `+` slower and `-` faster by more than the tolerance, `~` not, or not told
apart by its rounds, `!` cannot be compared. Told apart: Mann-Whitney's test at asv's p < 0.002 where both files have
their rounds (`--benchmark-save-data`), else quartiles that do not overlap.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from scipy.stats import mannwhitneyu

from bench.compare.document import Benchmark, Mark, Side
from bench.compare.match import listed
from bench.compare.read import BenchmarkFile, shown
from bench.errors import UnusableError
from bench.statistics import Interval
from bench.text import one_line

LEVEL = 0.002

VOLATILE = ("node", "release", "processor", "python_build", "python_compiler")
"""What pytest-benchmark records of a machine and what may differ on one and the same, beside `VOLATILE_CPU`."""
VOLATILE_CPU = ("hz_", "flags", "cpuinfo_version", "python_version")


class _Stats(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    median: float
    q1: float
    q3: float
    rounds: int
    data: tuple[float, ...] = ()


class _Benchmark(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    fullname: str
    stats: _Stats


def benchmarks(a: BenchmarkFile, b: BenchmarkFile, tolerance: float) -> tuple[list[Benchmark], list[str]]:
    """One row a benchmark that both have, in A's order; and what only one has or in what the machines differ.

    Raises
    ------
    UnusableError
        Where a file is not as pytest-benchmark writes it, or no benchmark is in both.
    """
    in_a, in_b = _by_name(a), _by_name(b)
    machine = list(_machine_differences(a.content.get("machine_info"), b.content.get("machine_info")))
    reason = f"machines differ: {'; '.join(machine)}" if machine else ""
    rows = [_row(name, in_a[name], in_b[name], tolerance, reason) for name in in_a if name in in_b]
    if not rows:
        raise UnusableError(f"no benchmark in common: {shown(a.path)} has {len(in_a)}, {shown(b.path)} has {len(in_b)}")
    only = [line for one, other, label in ((in_a, in_b, "A"), (in_b, in_a, "B")) for line in _only(one, other, label)]
    return rows, [*([reason] if reason else []), *only]


def _only(one: Mapping[str, _Stats], other: Mapping[str, _Stats], label: str) -> Iterator[str]:
    names = [name for name in one if name not in other]
    if names:
        yield f"{listed('benchmark', names)} {'is' if len(names) == 1 else 'are'} in {label} only"


def _by_name(source: BenchmarkFile) -> dict[str, _Stats]:
    found = {}
    for number, item in enumerate(source.content["benchmarks"]):
        try:
            read = _Benchmark.model_validate(item)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise UnusableError(f"{shown(source.path)}: benchmarks[{number}].{place}: {first['msg']}") from None
        found[read.fullname] = read.stats
    return found


def _row(name: str, a: _Stats, b: _Stats, tolerance: float, reason: str) -> Benchmark:
    usable = all(math.isfinite(stats.median) and stats.median > 0 for stats in (a, b))
    why = reason or ("" if usable else "a median is not a positive number of seconds")
    ratio = None if why else b.median / a.median
    return Benchmark(
        name=one_line(name, 400),
        rounds_a=a.rounds,
        rounds_b=b.rounds,
        median_a=_finite(a.median),
        median_b=_finite(b.median),
        ratio=None if ratio is None else Interval(ratio, None, None, 1),
        reason=why,
        mark="!" if ratio is None else _mark(ratio, a, b, tolerance),
    )


def _mark(ratio: float, a: _Stats, b: _Stats, tolerance: float) -> Mark:
    if 1 / tolerance <= ratio <= tolerance or not _told_apart(a, b):
        return "~"
    return "+" if ratio > 1 else "-"


def _told_apart(a: _Stats, b: _Stats) -> bool:
    if a.data and b.data:
        return bool(mannwhitneyu(a.data, b.data).pvalue < LEVEL)
    return a.q3 < b.q1 or b.q3 < a.q1


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _machine_differences(a: Any, b: Any) -> Iterator[str]:
    flat_a, flat_b = (dict(_facts(each)) for each in (a, b))
    for name in dict.fromkeys([*flat_a, *flat_b]):
        one, other = (one_line(flat.get(name, "not recorded"), 80) for flat in (flat_a, flat_b))
        if one != other:
            yield f"{one_line(name, 60)} is {one} in A, {other} in B"


def _facts(machine: Any) -> Iterator[tuple[str, Any]]:
    known: dict[str, Any] = machine if isinstance(machine, dict) else {}
    cpu = known.get("cpu")
    yield from ((name, value) for name, value in known.items() if name not in (*VOLATILE, "cpu"))
    if isinstance(cpu, dict):
        yield from ((f"cpu.{name}", value) for name, value in cpu.items() if not name.startswith(VOLATILE_CPU))


def side(source: BenchmarkFile) -> Side:
    """What the document says of a file."""
    content, commit = source.content, source.content.get("commit_info")
    machine = content.get("machine_info")
    revision = commit.get("id") if isinstance(commit, dict) else None
    return Side(
        path=shown(source.path),
        title=one_line(source.path.stem, 120),
        started=one_line(content.get("datetime", ""), 60),
        git_revision=None if revision is None else one_line(revision, 60),
        threads=None,
        environment=dict(_facts(machine)),
    )
