"""Every line with its steps, and the summary in one sentence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.core.text import one_line, significant
from bench.history.points import Line, Point
from bench.history.sources import Found
from bench.history.steps import FEWEST, Step, Steps, find_steps

DIGITS = 3
NAME = 160
"""Characters of a line's name that are shown."""


@dataclass(frozen=True)
class Traced:
    """A line and where its level changed; `cell` is its own among the lines of its quantity and machine."""

    line: Line
    found: Steps
    cell: str

    @property
    def name(self) -> str:
        """Cell and quantity."""
        return f"{self.cell}, {self.line.key.quantity}"

    @property
    def texts(self) -> list[str]:
        """One a step."""
        return [self.text(step) for step in self.found.steps]

    def text(self, step: Step) -> str:
        """From what to what, at which run."""
        point = self.line.points[step.index]
        before, after = significant(step.before, DIGITS), significant(step.after, DIGITS)
        where = f"at run {point.when} (revision {point.label})"
        return f"from {before} to {after} {where}{self._peers(self.line.points[step.index - 1], point)}"

    def _peers(self, before: Point, after: Point) -> str:
        if before.beside == after.beside:
            return ""
        return f"; the fastest peer was {before.beside} before, {after.beside} after"


@dataclass(frozen=True)
class History:
    """All lines, and the files that could not be read."""

    lines: tuple[Traced, ...]
    warnings: tuple[str, ...]
    files: int

    @cached_property
    def sentence(self) -> str:
        """How many steps there are, and which is the last."""
        steps = [(one.line.points[step.index].started, one, step) for one in self.lines for step in one.found.steps]
        long = [one for one in self.lines if not one.found.reason]
        if not long:
            most = max(len(one.line.points) for one in self.lines)
            return f"too few runs to look for steps ({FEWEST} are needed): the longest of {self._lines} has {most}"
        searched = f"{len(long)} of {self._lines} ({self._files}; the others have fewer than {FEWEST} runs)"
        if len(long) == len(self.lines):
            searched = f"{self._lines} ({self._files})"
        if not steps:
            return f"no step in {searched}"
        _, one, step = max(steps, key=lambda each: each[0])
        counted = f"{len(steps)} step{'s' * (len(steps) != 1)} in {searched}"
        return f"{counted}; the last: {one_line(one.name, NAME)}: {one.text(step)}"

    @property
    def _lines(self) -> str:
        return f"{len(self.lines)} line{'s' * (len(self.lines) != 1)}"

    @property
    def _files(self) -> str:
        return f"{self.files} run{'s' * (self.files != 1)}"

    @cached_property
    def machines(self) -> list[str]:
        """Each once, in the order of the lines."""
        return list(dict.fromkeys(one.line.key.machine for one in self.lines))

    def of_machine(self, machine: str) -> list[Traced]:
        """The lines of one machine."""
        return [one for one in self.lines if one.line.key.machine == machine]


def traced(found: Found) -> History:
    """Look for the steps of every line."""
    cells = _cells(found.lines)
    lines = (Traced(line, find_steps(line.ratios), cell) for line, cell in zip(found.lines, cells, strict=True))
    return History(tuple(lines), found.warnings, found.files)


def _cells(lines: Sequence[Line]) -> Iterator[str]:
    """Each line's cell; where two kinds of work share it, with the digest of the work."""
    works: dict[tuple[str, str, str], set[str]] = {}
    for line in lines:
        works.setdefault(_place(line), set()).add(line.key.work)
    for line in lines:
        alone = len(works[_place(line)]) == 1
        yield line.key.cell if alone else f"{line.key.cell} (work {line.key.work})"


def _place(line: Line) -> tuple[str, str, str]:
    return line.key.metric, line.key.quantity, line.key.cell
