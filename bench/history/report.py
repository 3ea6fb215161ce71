"""The history as lines for a terminal, as JSON, as Markdown, and the files of --out.

`bench.history.plot` draws the plot.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from bench.core.files import write_atomically
from bench.core.markdown import document, text_table
from bench.core.text import MISSING, bound, escaped, one_line, significant, with_ends
from bench.history.outcome import DIGITS, History, Traced
from bench.history.plot import draw
from bench.history.points import Line, Point
from bench.history.sources import METRICS
from bench.history.steps import FEWEST
from bench.report.style import plot_settings, save_figure

SCHEMA_VERSION = 1
WIDEST_NAME, WIDEST_MACHINE = 100, 200
HEADERS = ("line", "runs", "first", "last", "ratio now", "noise, %", "steps")
TERMINAL_HEADERS = ("runs", "ratio now", "noise, %", "steps")

HOW_TO_READ = """\
A line joins the runs of the same work on the same machine, in the order of their time; runs of two machines are two
lines. *Ratio now* is that of the last run, with its 95 % interval where more than one process gave it. *Noise* is the
standard deviation from run to run. A step is a change of level that outlasts three runs and is larger than the noise
explains: levels are medians, so one wild run is none. Fewer runs than {fewest} are not searched.

{metrics}"""


def as_json(history: History) -> str:
    """The whole history; ratios without unit, times in UTC."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "kind": "history",
        "verdict": history.sentence,
        "runs": history.files,
        "lines": [_line(one) for one in history.lines],
        "warnings": list(history.warnings),
    }
    return json.dumps(document, indent=1, allow_nan=False)


def _line(one: Traced) -> dict[str, Any]:
    key = one.line.key
    return {
        "name": one.name,
        "metric": key.metric,
        "quantity": key.quantity,
        "cell": key.cell,
        "machine": key.machine,
        "first_median_seconds": one.line.unit if key.metric == "benchmark" else None,
        "points": [_point(one.line, point) for point in one.line.points],
        "noise": one.found.noise,
        "levels": [{"first": first, "end": end, "ratio": ratio} for first, end, ratio in one.found.levels],
        "steps": [
            {"run": step.index, "before": step.before, "after": step.after, "text": one.text(step)}
            for step in one.found.steps
        ],
        "not_searched": one.found.reason or None,
    }


def _point(line: Line, point: Point) -> dict[str, Any]:
    low, high = line.interval(point)
    return {
        "started": point.started.isoformat(),
        "revision": point.revision,
        "dirty": point.dirty,
        "ratio": point.value / line.unit,
        "low": low,
        "high": high,
        "beside": point.beside or None,
        "source": point.source,
    }


def _cells(one: Traced) -> tuple[str, ...]:
    first, last = one.line.points[0], one.line.points[-1]
    low, high = one.line.interval(last)
    ratio = with_ends(last.value / one.line.unit, low, high, lambda value: bound(value, DIGITS))
    noise = MISSING if one.found.noise is None else significant(100 * one.found.noise, 2)
    steps = "; ".join(one.texts) or ("none" if not one.found.reason else "too few runs")
    dates = (f"{first.when[:10]} {first.label}", f"{last.when[:10]} {last.label}")
    return one_line(one.name, WIDEST_NAME), str(len(one.line.points)), *dates, ratio, noise, steps


def terminal(history: History) -> list[Text | Table]:
    """The sentence, and for each machine a table and its steps, for a terminal or a pipe of 80 columns."""
    parts = (part for machine in history.machines for part in _terminal(history.of_machine(machine), machine))
    return [Text(one_line(history.sentence)), *parts]


def _terminal(lines: Sequence[Traced], machine: str) -> Iterator[Text | Table]:
    yield from (Text(), Text(one_line(machine, WIDEST_MACHINE), style="bold"))
    for quantity, some in groupby(lines, key=lambda one: one.line.key.quantity):
        made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        made.add_column(Text(one_line(quantity, WIDEST_NAME)), overflow="fold")
        for header in TERMINAL_HEADERS:
            made.add_column(header, justify="right", no_wrap=True)
        for one in some:
            _, runs, _, _, ratio, noise, _ = _cells(one)
            steps = MISSING if one.found.reason else str(len(one.found.steps))
            made.add_row(*map(Text, (one_line(one.cell, WIDEST_NAME), runs, ratio, noise, steps)))
        yield from (Text(), made)
    texts = [f"step: {one_line(one.name, WIDEST_NAME)}: {text}" for one in lines for text in one.texts]
    if texts:
        yield Text("\n" + "\n".join(texts))


def markdown(history: History, picture: bool = False) -> str:
    """The whole report, as GitHub Markdown; with the picture where it lies beside it."""
    metrics = {one.line.key.metric: METRICS[one.line.key.metric] for one in history.lines}
    about = "\n".join(f"- `{name}`: {text}" for name, text in metrics.items())
    parts = [
        "# History",
        f"**{escaped(history.sentence, 4000)}**",
        *(["![every line](history.png)"] if picture else []),
        *(part for machine in history.machines for part in _section(history, machine)),
        *_warnings(history),
        "## How to read this",
        HOW_TO_READ.format(fewest=FEWEST, metrics=about),
    ]
    return document(parts)


def _section(history: History, machine: str) -> tuple[str, str]:
    rows = [tuple(map(escaped, _cells(one))) for one in history.of_machine(machine)]
    return f"## {escaped(machine, WIDEST_MACHINE)}", text_table(rows, HEADERS)


def _warnings(history: History) -> list[str]:
    lines = "\n".join(f"- {escaped(line)}" for line in history.warnings)
    return ["## Not read", lines] if lines else []


def write(history: History, folder: Path) -> None:
    """history.json, history.md, history.png and history.svg."""
    write_atomically(folder / "history.json", as_json(history))
    write_atomically(folder / "history.md", markdown(history, picture=True))
    with plot_settings():
        save_figure(draw(history), folder / "history")
