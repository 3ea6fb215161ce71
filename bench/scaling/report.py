"""The report: a sentence with the main finding, tables as CSV and Markdown, and the plots.

All of it can be made again from the records.
"""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd

from bench.core.csv_text import csv_text
from bench.core.files import write_atomically
from bench.core.markdown import document, text_table
from bench.core.text import MISSING, escaped, factor, is_missing, megabytes, ratio_text, significant
from bench.scaling import convergence
from bench.scaling.convergence import REFERENCES, TOLERANCE
from bench.scaling.plots import write_plots
from bench.scaling.points import AXES
from bench.scaling.records import MemmapRecord, ScalingRecords
from bench.scaling.tables import SUBJECT, beside_fastest, exponents_table, lines, ordered, points_table

HOW_TO_READ = """\
Every backend trains in a fresh process: one warm-up epoch, then timed epochs in turns, in random order, with rests; the
figure is the median. Where memory does not suffice for all at once, they train one after another (`together` in
points.csv). Seconds are those of 60,000 examples, whatever number a point trains, but on the axis of examples, where
they are those of the epoch. Peak memory is of the whole process: interpreter, framework, examples and model.

scratchnet is the fastest at a point where it is decided: where the 95 % interval (Student's, over the rounds) of the
ratio of its seconds to those of every other backend lies below 1 (`own_ratio` in points.csv). The interval holds what
differs from epoch to epoch. A point is one process a backend, and another process may be some per cent faster or
slower.

The floors: the matrix products of the step and the gather of its rows alone, measured among the others; the operations
of these products at the best rate of BLAS or of scratchnet's own product, measured in this run; the bytes of examples
and parameters.

An exponent is the slope of a line on logarithmic axes, by least squares over the upper half of the axis (three values
at least, the same for all lines), where overhead no longer dominates; its interval is that of Student, 95 %."""

MLPERF = f"""\
Seconds of training until the test accuracy is first reached after an epoch: the sum of the epochs, the first one with
its tracing and compiling included; `of it compiling` is what the first took longer than a later one, `start` is what
passed before training. Medians over the seeds. MLPerf's rule: convergence is checked before speed is believed. A
backend whose epochs to the target (mean over the seeds) differ by more than {TOLERANCE:g} from those of the reference,
{REFERENCES[0]} where it is installed, else {REFERENCES[1]}, has no speed here."""

OTHER_STANDINGS = {"slower": "slower than a peer", "undecided": "undecided"}

MEMMAP = """\
scratchnet's `Network.fit` on 784-128-10 in batches of 128, from one file of float32: read into memory with `np.load`,
or mapped with `np.load(..., mmap_mode="r")`, a fresh process each. The file is put out of the system's cache before, so
that a mapped first epoch reads the disk; what `fit` prepares is in the first epoch too. Own memory is what no file
stands behind: the pages of a mapped file are in the peak as well, but the system takes them back where memory is
short."""


def write(records: ScalingRecords, folder: Path) -> str:
    """Write tables, summary and plots; the main finding."""
    points, accuracy = points_table(records), convergence.table(records.accuracies)
    exponents = exponents_table(points)
    tables = {"points": points, "exponents": exponents, "accuracy": accuracy}
    for name, table in tables.items():
        write_atomically(folder / f"{name}.csv", csv_text(table, "%.6g"))
    found = finding(points, exponents, accuracy)
    write_atomically(folder / "scaling.md", document(_sections(records, points, accuracy, found)))
    write_plots(points, folder)
    return found


def finding(points: pd.DataFrame, exponents: pd.DataFrame, accuracy: pd.DataFrame) -> str:
    """One sentence: how scratchnet's seconds grow, where it stands worst, how soon it reaches an accuracy."""
    parts = [part for part in (_growth(exponents), _standing(points), _reaching(accuracy)) if part]
    return "; ".join(parts) or f"nothing was measured that says how {SUBJECT} grows"


def _growth(exponents: pd.DataFrame) -> str:
    own = exponents[(exponents["backend"] == SUBJECT) & (exponents["quantity"] == "seconds")]
    told = [f"{row.axis}^{row.exponent:z.2f}{_between(row.low, row.high)}" for row in own.itertuples()]
    return f"{SUBJECT}'s seconds grow as {', '.join(told)}" if told else ""


def _between(low: Any, high: Any) -> str:
    return "" if is_missing(low) else f" ({low:z.2f} to {high:z.2f})"


def _standing(points: pd.DataFrame) -> str:
    beside = beside_fastest(points)
    if beside.empty:
        return ""
    count = beside["decided"].value_counts()
    others = [f", {how} at {count[name]}" for name, how in OTHER_STANDINGS.items() if name in count]
    fastest = f"it is the fastest at {count.get('fastest', 0)} of {len(beside)} points{''.join(others)}"
    worst = beside.sort_values("ratio").iloc[-1]
    place = f"{worst['axis']} {AXES[worst['axis']].tick(worst['value'])}"
    ratio = f"{factor(worst['ratio'])}{_between(worst['low'], worst['high'])}"
    return f"{fastest}; it stands worst at {place}, {ratio} times the seconds of {worst['peer']}"


def _reaching(accuracy: pd.DataFrame) -> str:
    """The last network's highest target at which scratchnet converges, beside the fastest peer that does."""
    if accuracy.empty or "seconds" not in accuracy:
        return ""
    converging = accuracy[accuracy["finding"] == "converges"]
    own = converging[converging["backend"] == SUBJECT]
    if own.empty:
        return ""
    last = own.iloc[-1]
    there = converging[(converging["network"] == last["network"]) & (converging["target"] == last["target"])]
    peers = there[there["backend"] != SUBJECT].sort_values("seconds")
    beside = _beside(peers.iloc[0]) if len(peers) else ""
    return (
        f"{SUBJECT} reaches {last['target']:.0%} test accuracy ({last['network']}) "
        f"after {significant(last['seconds'])} s of training{beside}"
    )


def _beside(peer: "pd.Series[Any]") -> str:
    return f", {peer['backend']} after {significant(peer['seconds'])} s: time ratio {ratio_text(peer.to_dict())}"


def _sections(records: ScalingRecords, points: pd.DataFrame, accuracy: pd.DataFrame, found: str) -> Iterator[str]:
    yield "# How the cost grows"
    yield f"**{found}.**"
    if records.run.quick:
        yield "This is a quick run: few values, few peers, few rounds."
    yield from (f"Warning: {escaped(line)}" for line in records.run.environment.get("warnings", []))
    if len(points):
        yield HOW_TO_READ
    for axis in dict.fromkeys(points["axis"]):
        yield from _axis_section(points, axis)
    if len(left_out := points[~points["status"].isin(["ok", "computed"])]):
        yield "## Left out"
        yield _left_out(left_out)
    if records.memmaps:
        yield "## From a file that need not fit in memory"
        yield MEMMAP
        yield _memmaps(records.memmaps)
    if len(accuracy):
        yield "## Time to accuracy"
        yield MLPERF
        yield _accuracies(accuracy)


def _axis_section(points: pd.DataFrame, axis: str) -> Iterator[str]:
    yield f"## {axis.capitalize()}"
    yield f"![Seconds and memory against {axis}](scaling-{axis}.png)"
    for quantity, shown, title in (
        ("seconds", significant, "Seconds"),
        ("peak_memory_bytes", megabytes, "Peak memory, MB"),
    ):
        rows = [
            {title: escaped(line.backend)}
            | {AXES[axis].tick(value): shown(line.measured.get(value)) for value in _values(points, axis)}
            | {"exponent": f"{line.fit.exponent:z.2f}{_between(line.fit.low, line.fit.high)}" if line.fit else MISSING}
            for line in lines(points, axis, quantity)
        ]
        yield text_table(rows)


def _values(points: pd.DataFrame, axis: str) -> list[int]:
    return sorted({int(value) for value in points.loc[points["axis"] == axis, "value"]})


def _left_out(rows: pd.DataFrame) -> str:
    """One row for each axis, backend and reason, with all the values that it holds for."""
    values: dict[tuple[str, ...], list[int]] = {}
    for row in rows.to_dict("records"):
        key = tuple(str(row[name]) for name in ("backend", "axis", "status", "reason"))
        values.setdefault(key, []).append(int(row["value"]))
    return text_table(
        [
            {
                "backend": escaped(backend),
                "axis": axis,
                "at": ", ".join(AXES[axis].tick(value) for value in sorted(places)),
                "why": escaped(reason if status == "skipped" else f"{status.replace('_', ' ')}: {reason}"),
            }
            for (backend, axis, status, reason), places in values.items()
        ]
    )


def _memmaps(records: list[MemmapRecord]) -> str:
    rows = [
        {
            "examples": record.way if record.status == "ok" else f"{record.way} ({escaped(record.reason)})",
            "number": f"{record.examples:,}",
            "file, MB": megabytes(record.file_bytes),
            "until the first epoch, s": significant(record.ready_seconds),
            "first epoch, s": significant(record.first_epoch_seconds),
            "later epochs, samples/s": significant(_throughput(record)),
            "of in memory": _relative(record, records),
            "own memory, MB": megabytes(record.own_memory_bytes),
            "peak memory, MB": megabytes(record.peak_memory_bytes),
        }
        for record in records
    ]
    return text_table(rows)


def _throughput(record: MemmapRecord) -> float | None:
    """Samples per second of the median epoch after the first."""
    return record.examples / median(record.epoch_seconds) if record.epoch_seconds else None


def _relative(record: MemmapRecord, records: list[MemmapRecord]) -> str:
    own, read = _throughput(record), next((_throughput(one) for one in records if one.way == "in memory"), None)
    return significant(own / read) if own and read else MISSING


def _accuracies(accuracy: pd.DataFrame) -> str:
    rank = {name: place for place, name in enumerate(ordered(accuracy["backend"]))}
    sorted_rows = accuracy.assign(rank=accuracy["backend"].map(rank)).sort_values(["network", "target", "rank"])
    return text_table(
        [
            {
                "network": escaped(row["network"]),
                "target": f"{row['target']:.0%}",
                "backend": escaped(row["backend"]),
                "epochs": significant(row["epochs"]),
                "reference's": significant(row["reference_epochs"]),
                "seconds": significant(row.get("seconds")) if row["finding"] == "converges" else row["finding"],
                "of it compiling, s": significant(row.get("first_epoch_extra")),
                "start, s": significant(row.get("startup_seconds")),
            }
            for row in sorted_rows.to_dict("records")
        ]
    )
