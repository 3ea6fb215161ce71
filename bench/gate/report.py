"""A gate's verdict for a person, for a pull request, and for a CI server."""

import json
import os
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from bench.core.errors import refused
from bench.core.files import atomic_path, write_atomically
from bench.core.markdown import document, text_table
from bench.core.text import MISSING, escaped, one_line
from bench.gate.outcome import TOLD, CellResult, Final, Outcome, confidence, interval, percent
from bench.gate.text_plot import text_plot

TEXTS = ("benchmark", "verdict")
LONGEST_NAME = 60
MOST_PLOTS = 3
MOST_ANNOTATIONS = 9
"""GitHub shows ten a step."""
HOW_TO_READ = """\
*new / old*: how many times as {much} the new side takes, the median over the pairs. A pair is two fresh processes, one
of each side, that took turns in random order on this machine. The interval is valid however often one looks: it lies
wholly above 1 + tolerance if the verdict is fail, wholly below if it is pass. If nothing is above the tolerance,
the probability of a failure is at most {alpha}, for all benchmarks together."""


def write(outcome: Outcome, facts: Mapping[str, Any], folder: Path) -> None:
    """gate.json, gate.md, gate.xml (JUnit) and, if Matplotlib is installed, the plot; each whole or not at all."""
    from bench.gate.junit import junit  # here, so that the first pair begins sooner

    write_atomically(folder / "gate.json", json.dumps(outcome.as_json(facts), indent=1) + "\n")
    write_atomically(folder / "gate.md", markdown(outcome))
    with atomic_path(folder / "gate.xml") as path:
        junit(outcome).write(str(path))
    if any(cell.log_ratios for cell in outcome.cells) and find_spec("matplotlib"):
        from bench.gate.plot import save_plot

        save_plot(outcome, folder / "gate")


def show(outcome: Outcome, folder: Path) -> None:
    """The sentence, the table and its notes on the terminal."""
    tables = () if outcome.broken else ("", *_table(outcome))
    print("\n".join((outcome.sentence, *tables, *outcome.lines, f"\nreport and pairs: {folder}")))


def _table(outcome: Outcome) -> Iterator[str]:
    """Its lines; texts stand at the left of their columns, numbers at the right."""
    heads = headers(outcome)
    rows = [heads, *(tuple(map(last_part, cells_of(cell, outcome))) for cell in outcome.cells)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(heads))]
    for number, row in enumerate(rows):
        columns = zip(heads, row, widths, strict=True)
        yield "   ".join(text.ljust(width) if head in TEXTS else text.rjust(width) for head, text, width in columns)
        if number == 0:
            yield "─" * (sum(widths) + 3 * (len(widths) - 1))


def markdown(outcome: Outcome) -> str:
    """The sentence, the table, how to read it."""
    parts = [f"## Speed gate\n\n{escaped(outcome.sentence, 1000)}"]
    if not outcome.broken:
        rows = [tuple(map(escaped, cells_of(cell, outcome))) for cell in outcome.cells]
        parts.append(text_table(rows, headers(outcome)))
    parts.extend(escaped(line, 1000) for line in outcome.lines)
    if not outcome.broken:
        parts.extend(_plots(outcome))
        much = "long" if outcome.quantity == "seconds" else f"much ({outcome.quantity})"
        parts.append(HOW_TO_READ.format(alpha=percent(outcome.rule.alpha), much=much))
    return document(parts)


def _plots(outcome: Outcome) -> Iterator[str]:
    """Of the first cells, those that did not pass before others."""
    measured = [cell for cell in outcome.cells if cell.log_ratios]
    measured.sort(key=lambda cell: cell.verdict == "pass")
    for cell in measured[:MOST_PLOTS]:
        title = f"{escaped(cell.name, 200)}, a dot for each pair, by its ratio new / old:"
        yield f"{title}\n\n```text\n{text_plot(cell)}\n```"
    if len(measured) > MOST_PLOTS:
        yield f"{len(measured) - MOST_PLOTS} more are not drawn."


def headers(outcome: Outcome) -> tuple[str, ...]:
    """Of the table; tolerances are a column where they differ."""
    tolerance = ("tolerance",) if _tolerances_differ(outcome) else ()
    return *TEXTS, *tolerance, "new / old", f"{confidence(outcome.rule)} interval", "pairs", "seconds"


def cells_of(cell: CellResult, outcome: Outcome) -> tuple[str, ...]:
    """A row of the table."""
    shown = cell.effect
    ratio, span = (f"{shown.ratio:.3f}", interval(shown)) if shown else (MISSING, MISSING)
    tolerance = (percent(cell.rule.tolerance),) if _tolerances_differ(outcome) else ()
    counts = str(len(cell.log_ratios)), f"{cell.seconds:.0f}"
    return cell.name, TOLD[cell.verdict].mark, *tolerance, ratio, span, *counts


def _tolerances_differ(outcome: Outcome) -> bool:
    return len({cell.rule.tolerance for cell in outcome.cells}) > 1


def last_part(value: str) -> str:
    """The end of a name that is too long for the terminal: that of a test says more than its folder."""
    text = one_line(value)
    return text if len(text) <= LONGEST_NAME else f"…{text[1 - LONGEST_NAME :]}"


def tell_ci(outcome: Outcome) -> None:
    """On GitHub: the Markdown to the step's summary, and annotations.

    Raises UnusableError: if the file that GITHUB_STEP_SUMMARY names cannot be written.
    """
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with refused(f"GITHUB_STEP_SUMMARY {path}", "written"), Path(path).open("a", encoding="utf-8") as summary:
            summary.write(markdown(outcome))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in _annotations(outcome):
            click.echo(line, err=True)


def _annotations(outcome: Outcome) -> Iterator[str]:
    """The sentence; of several cells also one for each that failed."""
    yield _annotation(outcome.verdict, "Speed gate", outcome.sentence)
    failed = [cell for cell in outcome.cells if cell.verdict == "fail"] if len(outcome.cells) > 1 else []
    for cell in failed[:MOST_ANNOTATIONS]:
        yield _annotation("fail", f"Speed gate: {cell.name}", outcome.sentence_of(cell))


def _annotation(verdict: Final, title: str, text: str) -> str:
    """As GitHub reads it: a title has neither colons nor commas."""
    title, text = (one_line(part, 1000).replace("%", "%25") for part in (title, text))
    return f"::{TOLD[verdict].annotation} title={title.replace(':', '%3A').replace(',', '%2C')}::{text}"
