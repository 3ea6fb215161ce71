"""`scratchbench history`: reads every run, looks for steps, prints the result, and writes files if asked."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bench.core.errors import EXIT_OK, UnusableError, refused
from bench.core.files import temporary_folder
from bench.core.text import one_line
from bench.history import report
from bench.history.branch import write_out
from bench.history.outcome import History, traced
from bench.history.sources import METRICS, Found, find

WRITERS = "`scratchbench run`, `speed`, `gate` and pytest-benchmark"


def history(folder: Path, branch: str | None, metrics: Sequence[str] | None, form: str, out: Path | None) -> int:
    """Read, print, write; the exit code.

    Raises UnusableError: where folder or branch are not there, nothing in them can be read, or `out` cannot be written.
    """
    found = _find(folder, branch, tuple(METRICS) if metrics is None else metrics)
    for line in found.warnings:
        print(f"warning: {one_line(line)}", file=sys.stderr)
    if not found.lines:
        place = f"{folder} of {branch}" if branch else str(folder)
        of = f" with {', '.join(metrics)}" if metrics is not None else ""
        raise UnusableError(f"{place}: no run{of} that can be read; {WRITERS} write some")
    outcome = traced(found)
    if out is not None:
        with refused(out, "made", "; choose another --out"):
            out.mkdir(parents=True, exist_ok=True)
        report.write(outcome, out)
    FORMATS[form](outcome)
    return EXIT_OK


def _find(folder: Path, branch: str | None, metrics: Sequence[str]) -> Found:
    if branch is None:
        return find(folder, metrics)
    with temporary_folder("history") as target:
        return find(write_out(branch, folder, target), metrics, f"{branch}:{folder}")


def _print_table(outcome: History) -> None:
    console = Console()
    for part in report.terminal(outcome):
        console.print(part, soft_wrap=isinstance(part, Text))


FORMATS: dict[str, Callable[[History], None]] = {
    "table": _print_table,
    "json": lambda outcome: print(report.as_json(outcome)),
    "markdown": lambda outcome: print(report.markdown(outcome), end=""),
}
