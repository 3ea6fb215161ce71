"""`scratchbench parity`: trains the cells, writes the tables, returns the exit code."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from bench.core import environment
from bench.core.errors import EXIT_FAILED_BACKEND, EXIT_INTERRUPTED, EXIT_OK
from bench.core.progress import Progress, progress_on
from bench.parity.cells import ParityCell, ParityOutcome, all_cells, covering_cells
from bench.parity.matrix import read_log, train
from bench.parity.report import BAD, by_value, table, write_tables
from bench.records.folder import new_folder, resumed_folder

LINES = 20
"""Plain lines that say how far the matrix is."""


def parity(full: bool, out: Path | None, resume: bool, jobs: int | None) -> int:
    """Train the cells and write the tables; the exit code.

    Raises UnusableError: where the folder cannot be used.
    """
    cells = all_cells() if full else list(covering_cells())
    folder = resumed_folder(out, "matrix") if resume else new_folder(out, "parity")
    try:
        with progress_on(Console(), unit="cells") as progress:
            train(cells, folder, jobs or environment.usable_cores(), _Heard(progress, cells, folder))
    except KeyboardInterrupt:
        _report(cells, folder)
        flag = " --full" if full else ""
        click.echo(f"interrupted; go on with: scratchbench parity{flag} --out {folder} --resume", err=True)
        return EXIT_INTERRUPTED
    failed = any(outcome.status in BAD for outcome in _report(cells, folder))
    return EXIT_FAILED_BACKEND if failed else EXIT_OK


def _report(cells: Sequence[ParityCell], folder: Path) -> list[ParityOutcome]:
    """Write and print the tables; the outcomes that they are made from."""
    chosen = set(cells)
    outcomes = [outcome for outcome in read_log(folder) if outcome.cell in chosen]
    if not outcomes:
        print("nothing was trained")
        return []
    verdict = write_tables(outcomes, len(cells), folder)
    print(f"\n{by_value(table(outcomes)).to_string(index=False)}\n\n{verdict}\n\ntables: {folder}")
    return outcomes


class _Heard:
    """Counts finished cells and reports the progress about twenty times."""

    def __init__(self, progress: Progress, cells: Sequence[ParityCell], folder: Path) -> None:
        have = {outcome.cell for outcome in read_log(folder)}
        self._progress, self._cells, self._worst = progress, len(cells), 0.0
        self._done = sum(cell in have for cell in cells)
        progress.expect(self._cells, self._done)

    def __call__(self, outcomes: Sequence[ParityOutcome]) -> None:
        before, self._done = self._done, self._done + len(outcomes)
        self._worst = max(self._worst, *(outcome.difference or 0.0 for outcome in outcomes))
        self._progress.done(len(outcomes))
        if self._done * LINES // self._cells > before * LINES // self._cells:
            self._progress.stage(f"largest difference so far {self._worst:.1e}")
