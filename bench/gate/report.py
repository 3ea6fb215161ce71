"""A gate's verdict for a person, for a pull request, and for a CI server."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from junitparser.junitparser import FinalResult
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from tabulate import tabulate

from bench.core.errors import UnusableError
from bench.core.files import atomic_path, write_atomically
from bench.core.text import MISSING, escaped, one_line
from bench.gate.outcome import TOLD, CellResult, Outcome, confidence, interval, percent
from bench.gate.plot import save_plot

TEXTS = ("cell", "verdict")
HOW_TO_READ = """\
*new / old*: how many times as long the new side takes, the median over the pairs. A pair is two fresh processes, one of
each side, that took turns in random order on this machine. The interval is valid however often one looks: it lies
wholly above 1 + tolerance if the verdict is fail, wholly below if it is pass. If nothing is slower than the tolerance,
the probability of a failure is at most {alpha}, for all cells together."""


def write(outcome: Outcome, facts: Mapping[str, Any], folder: Path) -> None:
    """gate.json, gate.md, gate.xml (JUnit) and the plot, each whole or not at all."""
    write_atomically(folder / "gate.json", json.dumps(outcome.as_json(facts), indent=1) + "\n")
    write_atomically(folder / "gate.md", markdown(outcome))
    with atomic_path(folder / "gate.xml") as path:
        junit(outcome).write(str(path))
    if any(cell.log_ratios for cell in outcome.cells):
        save_plot(outcome, folder / "gate")


def show(outcome: Outcome, folder: Path) -> None:
    """The sentence, the table and its notes on the terminal."""
    console, table = Console(), Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in headers(outcome):
        table.add_column(name, justify="left" if name in TEXTS else "right")
    for cell in outcome.cells:
        table.add_row(*(Text(one_line(value, 40)) for value in cells_of(cell)))
    lines = [line for cell in outcome.cells for line in cell.lines]
    tables = () if outcome.broken else ("", table)
    for part in (outcome.sentence, *tables, *lines, f"\nreport, plot and pairs: {folder}"):
        console.print(part, markup=False, highlight=False, soft_wrap=isinstance(part, str))


def markdown(outcome: Outcome) -> str:
    """The sentence, the table, how to read it."""
    parts = [f"## Speed gate\n\n{escaped(outcome.sentence, 1000)}"]
    if not outcome.broken:
        rows = [tuple(map(escaped, cells_of(cell))) for cell in outcome.cells]
        parts.append(tabulate(rows, headers(outcome), tablefmt="github", disable_numparse=True))
    parts.extend(escaped(line, 1000) for cell in outcome.cells for line in cell.lines)
    if not outcome.broken:
        parts.append(HOW_TO_READ.format(alpha=percent(outcome.rule.alpha)))
    return "\n\n".join(parts) + "\n"


def headers(outcome: Outcome) -> tuple[str, ...]:
    """Of the table."""
    return *TEXTS, "new / old", f"{confidence(outcome.rule)} interval", "pairs", "seconds"


def cells_of(cell: CellResult) -> tuple[str, ...]:
    """A row of the table."""
    shown = cell.effect
    ratio, span = (f"{shown.ratio:.3f}", interval(shown)) if shown else (MISSING, MISSING)
    return cell.name, TOLD[cell.verdict].mark, ratio, span, str(len(cell.log_ratios)), f"{cell.seconds:.0f}"


def junit(outcome: Outcome) -> JUnitXml:
    """A test case for each cell: failed, skipped if not decidable, an error if there is no verdict."""
    suite = TestSuite("speed gate")
    for cell in outcome.cells:
        case = TestCase(one_line(cell.name, 200), "bench.gate", cell.seconds)
        if cell.lines:
            case.system_out = "\n".join(one_line(line, 1000) for line in cell.lines)
        case.result = _junit_result(cell, outcome)
        suite.add_testcase(case)
    xml = JUnitXml()
    xml.add_testsuite(suite)
    return xml


def _junit_result(cell: CellResult, outcome: Outcome) -> list[FinalResult]:
    kinds: dict[str, type[FinalResult]] = {"fail": Failure, "undecided": Skipped}
    kind = Error if outcome.broken else kinds.get(cell.verdict)
    return [kind(one_line(outcome.sentence, 1000))] if kind else []


def tell_ci(outcome: Outcome) -> None:
    """On GitHub: the Markdown to the step's summary, and the sentence as an annotation.

    Raises UnusableError: if the file that GITHUB_STEP_SUMMARY names cannot be written.
    """
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(path).open("a", encoding="utf-8") as summary:
                summary.write(markdown(outcome))
        except OSError as error:
            raise UnusableError(f"GITHUB_STEP_SUMMARY {path}: cannot be written ({error.strerror or error})") from None
    if os.environ.get("GITHUB_ACTIONS") == "true":
        said = one_line(outcome.sentence, 1000).replace("%", "%25")
        click.echo(f"::{TOLD[outcome.verdict].annotation} title=Speed gate::{said}", err=True)
