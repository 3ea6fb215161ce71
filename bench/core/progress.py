"""The progress that a user sees while a command measures: a bar on a terminal, plain lines elsewhere.

Nothing is drawn while an epoch is timed: no thread redraws, and callers report between turns only.
"""

from contextlib import AbstractContextManager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress


class Progress(AbstractContextManager["Progress"]):
    """Plain lines: one for each stage and each note. `total` units of work are expected; 0: nobody knows how many."""

    def __init__(self, console: Console, total: int = 0, unit: str = "turns") -> None:
        self._console, self._total, self._unit, self._done = console, total, unit, 0

    def __exit__(self, *_: object) -> None:
        pass

    def expect(self, total: int, done: int = 0) -> None:
        """There are so many units, of which some were done before."""
        self._total, self._done = total, done

    def stage(self, text: str) -> None:
        """The next part of the work begins."""
        counted = f" ({self._done:,} of {self._total:,} {self._unit} done)" if self._total else ""
        self.note(f"{text}{counted}")

    def step(self, text: str) -> None:
        """What is done next within the stage; only a bar shows it."""

    def done(self, count: int = 1) -> None:
        """So many units are over, or will never be done."""
        self._done += count

    def note(self, line: str) -> None:
        """Something that a person should know, such as a backend that was lost."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class ProgressBar(Progress):
    """A bar with the time left."""

    def __init__(self, console: Console, total: int = 0, unit: str = "turns") -> None:
        super().__init__(console, total, unit)
        columns = (
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
        )
        # A thread that redraws ten times a second would take its part of the cores that are being timed.
        self._bar = RichProgress(*columns, console=console, auto_refresh=False)
        self._task, self._stage = self._bar.add_task("starting", total=total or None), ""

    def __enter__(self) -> "ProgressBar":
        self._bar.start()
        self._bar.refresh()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def expect(self, total: int, done: int = 0) -> None:
        self._bar.update(self._task, total=total, completed=done, refresh=True)

    def stage(self, text: str) -> None:
        self._stage = text
        self._bar.update(self._task, description=escape(text), refresh=True)

    def step(self, text: str) -> None:
        self._bar.update(self._task, description=escape(f"{self._stage}: {text}"), refresh=True)

    def done(self, count: int = 1) -> None:
        self._bar.update(self._task, advance=count, refresh=True)

    def note(self, line: str) -> None:
        self._bar.console.print(escape(line), highlight=False)


def progress_on(console: Console, total: int = 0, unit: str = "turns") -> Progress:
    """A bar where a person watches a terminal, plain lines elsewhere."""
    return (ProgressBar if console.is_terminal else Progress)(console, total, unit)
