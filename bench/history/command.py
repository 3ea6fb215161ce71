"""`scratchbench history`: reads every run, looks for steps, prints, and writes where it is asked to."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bench.core.errors import EXIT_OK, UnusableError
from bench.core.files import temporary_folder
from bench.core.text import one_line
from bench.history import report
from bench.history.branch import write_out
from bench.history.outcome import History, traced
from bench.history.sources import METRICS, Found, find


def history(folder: Path, branch: str | None, metrics: Sequence[str] | None, form: str, out: Path | None) -> int:
    """Read, print, write; the exit code.

    Raises UnusableError: where folder or branch are not there, nothing in them can be read, or `out` cannot be written.
    """
    found = _find(folder, branch, tuple(METRICS) if metrics is None else metrics)
    for line in found.warnings:
        print(f"warning: {one_line(line)}", file=sys.stderr)
    if not found.lines:
        raise UnusableError(_nothing(folder, branch, metrics))
    outcome = traced(found)
    if out is not None:
        _make(out)
        report.write(outcome, out)
    FORMATS[form](outcome)
    return EXIT_OK


def _find(folder: Path, branch: str | None, metrics: Sequence[str]) -> Found:
    if branch is None:
        return find(folder, metrics)
    with temporary_folder("history") as target:
        return find(write_out(branch, folder, target), metrics, f"{branch}:{folder}")


def _nothing(folder: Path, branch: str | None, metrics: Sequence[str] | None) -> str:
    where = f"{folder} of {branch}" if branch else str(folder)
    of = f" with {', '.join(metrics)}" if metrics is not None else ""
    return f"{where}: no run{of} that can be read; `scratchbench run`, `speed`, `gate` and pytest-benchmark write some"


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableError(f"{out}: cannot be made ({error.strerror or error}); choose another --out") from None


def _print_table(outcome: History) -> None:
    console = Console()
    for part in report.terminal(outcome):
        console.print(part, soft_wrap=isinstance(part, Text))


FORMATS: dict[str, Callable[[History], None]] = {
    "table": _print_table,
    "json": lambda outcome: print(report.as_json(outcome)),
    "markdown": lambda outcome: print(report.markdown(outcome), end=""),
}
