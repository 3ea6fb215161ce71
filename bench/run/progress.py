"""What a person sees while a run goes on: a bar with the time left, or plain lines where stdout is no terminal.

Fed by the cells, between turns only, so that no drawing disturbs a timed epoch.
"""

from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.records.run import Status
from bench.spec import TrainingSpec


class ProgressBar:
    """A bar of all turns on a terminal."""

    def __init__(self, console: Console, turns: int) -> None:
        columns = (
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
        )
        # A thread that redraws ten times a second would take its share of the cores that are being timed.
        self._progress = Progress(*columns, console=console, auto_refresh=False)
        self._task = self._progress.add_task("decoding the data", total=turns)

    def __enter__(self) -> Self:
        self._progress.start()
        self._progress.refresh()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def cell(self, spec: TrainingSpec, seed: int) -> None:
        self._cell = f"{spec.name} seed {seed}"
        self._describe("starting workers")

    def turn(self, backend: str, epoch: int) -> None:
        self._describe(f"epoch {epoch} {backend}")

    def turn_done(self, count: int = 1) -> None:
        self._progress.advance(self._task, count)
        self._progress.refresh()

    def lost(self, backend: str, status: Status, reason: str) -> None:
        self._progress.console.print(escape(_lost_line(self._cell, backend, status, reason)), highlight=False)

    def _describe(self, what: str) -> None:
        self._progress.update(self._task, description=escape(f"{self._cell}: {what}"), refresh=True)


class ProgressLines:
    """A plain line for each spec and seed, and for each backend that is lost."""

    def __init__(self, console: Console, turns: int) -> None:
        self._console, self._turns, self._done = console, turns, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def cell(self, spec: TrainingSpec, seed: int) -> None:
        self._cell = f"{spec.name} seed {seed}"
        self._print(f"{self._cell}: {spec.epochs} epochs ({self._done} of {self._turns} turns done)")

    def turn(self, backend: str, epoch: int) -> None:
        pass

    def turn_done(self, count: int = 1) -> None:
        self._done += count

    def lost(self, backend: str, status: Status, reason: str) -> None:
        self._print(_lost_line(self._cell, backend, status, reason))

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def _lost_line(cell: str, backend: str, status: Status, reason: str) -> str:
    return f"{cell}: {backend} {status.replace('_', ' ')}: {reason}"


def progress_for(console: Console, turns: int) -> ProgressBar | ProgressLines:
    """A bar where a person watches a terminal, plain lines elsewhere."""
    return ProgressBar(console, turns) if console.is_terminal else ProgressLines(console, turns)
