"""report.html: a run as one file that opens on any machine, without an internet connection."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.core.text import one_line, ratio_text
from bench.page.drawn import A, B, Drawing, Line, Look, Series
from bench.page.pictures import pictures
from bench.page.render import Pages
from bench.records.epochs import by_process
from bench.records.machines import Machine
from bench.records.run import Records
from bench.report.answers import Answers, answers_of, only_one_right, summed_confusion
from bench.report.failures import failures
from bench.report.machines import machines_table, several_machines
from bench.report.markdown import how_to_read
from bench.report.page_rows import RunRow, run_rows
from bench.report.scores import R2
from bench.report.style import BLACK, SIDES, YELLOW, style_of
from bench.report.tables import Tables

PAGE_NAME = "report.html"
MOST_EXAMPLES, FEWEST_EXAMPLES = 60, 4
"""Pictures of a row, where the page has few rows and where it has many."""
MOST_PICTURES = 2000
"""Of a page: each takes half a kilobyte."""

MOST_MACHINES = 5
"""Of a cluster, whose environments are shown."""

NAME = 40
"""Characters of a backend's name in legends and headings."""

IN_LIGHT, IN_DARK = {YELLOW: "#a39400"}, {BLACK: "#ffffff"}

PAGES = Pages("bench.report", {"ratio_text": ratio_text})

SeriesOf = Mapping[tuple[str, str], Series]
"""(spec, backend) → its curves by measure and seed."""


def page(tables: Tables, folder: Path) -> str:
    """The whole page; of what did not end well it shows the logs in the folder."""
    records, rows, series = tables.records, run_rows(tables), _series(tables)
    backends = records.run.suite.backends
    drawing = Drawing(series.values())
    most = max(FEWEST_EXAMPLES, min(MOST_EXAMPLES, MOST_PICTURES // max(1, len(rows))))
    missing = _draw_rows(drawing, tables, rows, series, most)
    charts = {
        spec: drawing.row(names=[], chart=drawing.chart(_all_lines(spec, backends, series)))
        for spec in dict.fromkeys(row.spec for row in rows)
    }
    return PAGES.render(
        "run.html",
        drawing.data,
        {**SIDES, **dict(_colors(backends))},
        tables=tables,
        run=records.run,
        records=records,
        rows=rows,
        drawn=drawing.rows,
        charts=charts,
        failures=failures(records, folder),
        missing=missing,
        most=most,
        environments=_environments(records),
        place=_place(records),
        by_machine=_by_machine(tables),
        workers={worker.backend: worker for worker in reversed(records.workers)},
        how_to_read="\n\n".join(how_to_read(tables, tables.reference)).split("\n\n"),
    )


def _draw_rows(
    drawing: Drawing, tables: Tables, rows: Sequence[RunRow], series: SeriesOf, most: int
) -> dict[str, None]:
    """Draws each row, in their order; why predictions are missing, each reason once."""
    missing: dict[str, None] = {}
    for spec, of_spec in groupby(rows, key=lambda row: row.spec):
        answers = answers_of(tables.records, spec)  # those of one spec at a time are in memory
        if isinstance(answers, str) and tables.score_of(spec) is not R2:
            missing[answers] = None
        for row in of_spec:
            names = [row.backend] if row.is_reference else [tables.reference, row.backend]
            answered = {} if isinstance(answers, str) else _answered(drawing, answers, names, most)
            chart = drawing.chart(_lines(spec, names, series))
            drawing.row(names=[one_line(name, NAME) for name in names], chart=chart, **answered)
    return missing


def _answered(drawing: Drawing, answers: Answers, names: Sequence[str], most: int) -> dict[str, Any]:
    """Confusion matrices and examples, where every side has predictions; of several labels there are none."""
    sides = [answers.predicted[name] for name in names if name in answers.predicted]
    examples = answers.examples
    if len(sides) < len(names) or examples.labels.ndim > 1:
        return {}
    found = only_one_right(sides[0], sides[-1], examples.labels, most)
    indices = [each.index for each in found]
    shown = {} if examples.shape is None else pictures(examples.pixels, examples.shape, indices)
    matrices = [summed_confusion(each, examples.labels, len(examples.class_names)) for each in sides]
    return {
        "confusion": {"classes": list(examples.class_names), "sides": matrices},
        "examples": [drawing.example(asdict(each), shown) for each in found],
    }


def _series(tables: Tables) -> SeriesOf:
    found: dict[tuple[str, str], dict[str, list[list[float]]]] = {}
    for (spec, seed, backend), columns in by_process(tables.epochs).items():
        score = tables.score_of(spec).column
        curves = found.setdefault((spec, backend), {})
        times = [] if (spec, seed) in tables.records.crowded else [("epoch_seconds", "epoch_seconds")]
        for measure, column in (("cost", "train_cost"), (score, score), *times):
            curves.setdefault(measure, []).append(columns[column].tolist())
    return found


def _lines(spec: str, names: Sequence[str], series: SeriesOf) -> list[Line]:
    """The reference and a backend, or the reference alone; each seed beside the mean."""
    return [
        Line(replace(look, name=one_line(name, NAME)), series[spec, name])
        for name, look in zip(names, (A, B), strict=False)
        if (spec, name) in series
    ]


def _all_lines(spec: str, backends: Sequence[str], series: SeriesOf) -> list[Line]:
    """Every backend in its own style, the widest first: where curves coincide, all are seen."""
    lines = [
        Line(_look(name, place), series[spec, name], seeds=False)
        for place, name in enumerate(backends)
        if (spec, name) in series
    ]
    return sorted(lines, key=lambda line: -line.look.width)


def _look(backend: str, place: int) -> Look:
    style = style_of(backend)
    dash = () if isinstance(style.dash, str) else tuple(2 * part for part in style.dash[1])
    return Look(one_line(backend, NAME), f"--backend-{place}", style.width, dash)


def _colors(backends: Sequence[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for place, backend in enumerate(backends):
        color = style_of(backend).color
        yield f"--backend-{place}", (IN_LIGHT.get(color, color), IN_DARK.get(color, color))


def _by_machine(tables: Tables) -> list[dict[Any, Any]]:
    """A row a (spec, backend, machine), where there are several machines."""
    records = tables.records
    return machines_table(records, tables.summary).to_dict("records") if several_machines(records) else []


def _place(records: Records) -> str:
    """Where the cells ran, in one line."""
    run, machines = records.run, {machine.title: machine for machine in records.machines.values()}
    first = Machine("", run.threads, run.environment).hardware[1:-1]
    if len(machines) > 1:
        return f"{len(machines)} machines; the run began on: {first}"
    return next((title for title, machine in machines.items() if machine.host), first)


def _environments(records: Records) -> dict[str, dict[str, Any]]:
    """Of the start, of the last resume where there was one, and of the first machines of a cluster."""
    runs = records.runs
    found = {"start": runs[0].environment, **({"last resume": runs[-1].environment} if len(runs) > 1 else {})}
    nodes = {machine.digest: machine for machine in records.machines.values() if machine.host}
    for digest, machine in [*nodes.items()][:MOST_MACHINES]:
        name = one_line(machine.host, NAME)
        found[f"{name} ({digest})" if name in found else name] = dict(machine.environment)
    return {title: {name: facts[name] for name in facts if name != "warnings"} for title, facts in found.items()}
