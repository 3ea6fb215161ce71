"""What a person sees while comparisons go on: a bar where they watch a terminal, plain lines elsewhere.

Fed by the measuring, between comparisons only, so that no drawing disturbs a timed epoch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as TimeLeft


class ValidationProgress(Protocol):
    """Who sees how far it is."""

    def expect(self, comparisons: int) -> None:
        """There are so many comparisons to come."""

    def start(self, what: str) -> None:
        """This is compared next."""

    def done(self, result: str) -> None:
        """It is over, and came to that."""

    def note(self, line: str) -> None:
        """Something else to know."""


@contextmanager
def watch_on(console: Console, every: int = 1) -> Iterator[ValidationProgress]:
    """A bar on a terminal; elsewhere a line for each comparison, or for one in `every`."""
    if not console.is_terminal:
        yield _Lines(console, every)
        return
    columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"), TimeLeft())
    # A thread that redraws ten times a second would take its share of the cores that are being timed.
    with Progress(*columns, TextColumn("{task.description}"), console=console, auto_refresh=False) as progress:
        yield _Bar(progress, progress.add_task("", total=None))


class _Bar:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task, self._what = progress, task, ""

    def expect(self, comparisons: int) -> None:
        self._progress.update(self._task, total=comparisons, refresh=True)

    def start(self, what: str) -> None:
        self._what = what
        self._progress.update(self._task, description=escape(what), refresh=True)

    def done(self, result: str) -> None:
        description = escape(f"{self._what}: {result}")
        self._progress.update(self._task, advance=1, description=description, refresh=True)

    def note(self, line: str) -> None:
        self._progress.console.print(escape(line), highlight=False)


class _Lines:
    def __init__(self, console: Console, every: int) -> None:
        self._console, self._every, self._comparisons, self._done = console, every, 0, 0

    def expect(self, comparisons: int) -> None:
        self._comparisons = comparisons

    def start(self, what: str) -> None:
        self._what = what

    def done(self, result: str) -> None:
        self._done += 1
        if self._done % self._every == 0:
            self.note(f"{self._done} of {self._comparisons}: {self._what}: {result}")

    def note(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
