"""`scratchbench parity`: which cells, in which folder, with a bar or plain lines while it goes on.

Fed by the command line; trains the matrix, writes the tables, says how to end.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.core import environment
from bench.core.errors import EXIT_FAILED_BACKEND, EXIT_INTERRUPTED, EXIT_OK, UnusableError
from bench.parity.cells import ParityCell, all_cells, covering_cells
from bench.parity.matrix import Done, read_log, train
from bench.parity.outcome import Outcome
from bench.parity.report import BAD, by_value, table, write_tables
from bench.run.runner import new_folder

LINES = 20
"""Plain lines that say how far the matrix is."""


def parity(full: bool, out: Path | None, resume: bool, jobs: int | None) -> int:
    """Train the cells and write the tables; the exit code.

    Raises
    ------
    UnusableError
        Where the folder cannot be used.
    """
    cells, folder = all_cells() if full else list(covering_cells()), _folder(out, resume)
    try:
        with _watched(Console(), cells, folder) as done:
            train(cells, folder, jobs or environment.usable_cores(), done)
    except KeyboardInterrupt:
        _report(cells, folder)
        flag = " --full" if full else ""
        click.echo(f"interrupted; go on with: scratchbench parity{flag} --out {folder} --resume", err=True)
        return EXIT_INTERRUPTED
    failed = any(outcome.status in BAD for outcome in _report(cells, folder))
    return EXIT_FAILED_BACKEND if failed else EXIT_OK


def _folder(out: Path | None, resume: bool) -> Path:
    if not resume:
        return new_folder(out, "parity")
    if out is None or not out.is_dir():
        raise UnusableError("--resume needs --out DIR, the folder of the matrix to go on with")
    return out


def _report(cells: Sequence[ParityCell], folder: Path) -> list[Outcome]:
    """Write and print the tables; the outcomes that they are made from."""
    asked = set(cells)
    outcomes = [outcome for outcome in read_log(folder) if outcome.cell in asked]
    if not outcomes:
        print("nothing was trained")
        return []
    verdict = write_tables(outcomes, len(cells), folder)
    print(f"\n{by_value(table(outcomes)).to_string(index=False)}\n\n{verdict}\n\ntables: {folder}")
    return outcomes


@contextmanager
def _watched(console: Console, cells: Sequence[ParityCell], folder: Path) -> Iterator[Done]:
    """What hears of finished cells: a bar where a person watches a terminal, plain lines elsewhere."""
    have = {outcome.cell for outcome in read_log(folder)}
    before = sum(cell in have for cell in cells)
    if console.is_terminal:
        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("", total=len(cells), completed=before)
            yield lambda outcomes: bar.advance(task, len(outcomes))
    else:
        yield _Lines(len(cells), before)


class _Lines:
    def __init__(self, cells: int, done: int) -> None:
        self._cells, self._done, self._worst = cells, done, 0.0

    def __call__(self, outcomes: Sequence[Outcome]) -> None:
        before, self._done = self._done, self._done + len(outcomes)
        self._worst = max(self._worst, *(outcome.difference or 0.0 for outcome in outcomes))
        if self._done * LINES // self._cells > before * LINES // self._cells:
            print(f"{self._done:,} of {self._cells:,} cells, largest difference so far {self._worst:.1e}")
