"""What a person sees while it goes on: a bar where they watch a terminal, plain lines elsewhere.

Fed by the measuring, between turns only, so that no drawing disturbs a timed epoch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class ScalingProgress(Protocol):
    """Who sees how far it is."""

    def expect(self, units: int) -> None:
        """There are so many points, trainings from a file and races to come."""

    def start(self, what: str) -> None:
        """This is measured next."""

    def note(self, line: str) -> None:
        """Something is left out or went wrong."""

    def done(self) -> None:
        """One of the units is over."""


@contextmanager
def watch_on(console: Console) -> Iterator[ScalingProgress]:
    """A bar on a terminal, lines elsewhere."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    # A thread that redraws ten times a second would take its share of the cores that are being timed.
    with Progress(*columns, console=console, auto_refresh=False) as progress:
        yield _Bar(progress, progress.add_task("", total=None))


class _Bar:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def expect(self, units: int) -> None:
        self._progress.update(self._task, total=units, refresh=True)

    def start(self, what: str) -> None:
        self._progress.update(self._task, description=escape(what), refresh=True)

    def note(self, line: str) -> None:
        self._progress.console.print(escape(line), highlight=False)

    def done(self) -> None:
        self._progress.update(self._task, advance=1, refresh=True)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console, self._units, self._begun = console, 0, 0

    def expect(self, units: int) -> None:
        self._units = units

    def start(self, what: str) -> None:
        self._begun += 1
        self.note(f"{self._begun} of {self._units}: {what}")

    def note(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def done(self) -> None:
        pass
