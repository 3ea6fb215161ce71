"""The verdict on each cell and on all cells, the sentence that states it, and the exit code."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from bench.core.errors import EXIT_NO_VERDICT, EXIT_OK, EXIT_UNDECIDED, EXIT_WORSE
from bench.gate.decision import Effect, Rule, Verdict, decide, effects
from bench.gate.gauges import Quantity
from bench.gate.pair import Pair

SCHEMA_VERSION = 1

Final = Literal["pass", "fail", "undecided", "no verdict"]


class Told(NamedTuple):
    """How a verdict is told: exit code, first words, meaning, kind of GitHub's annotation, mark in the table.

    `{more}` in the meaning stands for what the quantity is called that is above the tolerance.
    """

    exit_code: int
    words: str
    meaning: str
    annotation: str
    mark: str


TOLD: dict[Final, Told] = {
    "pass": Told(EXIT_OK, "PASS", "not {more} than the tolerance of", "notice", "pass"),
    "fail": Told(EXIT_WORSE, "FAIL", "{more} than the tolerance of", "error", "FAIL"),
    "undecided": Told(EXIT_UNDECIDED, "NOT DECIDABLE", "the interval straddles the tolerance of", "warning", "?"),
    "no verdict": Told(EXIT_NO_VERDICT, "NO VERDICT", "", "error", "?"),
}


class Compared(NamedTuple):
    """How a comparison of a quantity is told: with {} for the ratio, and what is above the tolerance."""

    ratio: str
    more: str


COMPARED: dict[Quantity, Compared] = {
    "seconds": Compared("takes {} times as long as", "slower"),
    "peak-memory": Compared("needs {} times the peak memory of", "more"),
    "instructions": Compared("executes {} times the instructions of", "more"),
}


@dataclass(frozen=True)
class CellResult:
    """One cell: the log ratio of each pair in the order of measuring, and the seconds that all of them took."""

    name: str
    rule: Rule
    verdict: Verdict
    effect: Effect | None
    log_ratios: tuple[float, ...]
    seconds: float
    old_steps: str = ""
    new_steps: str = ""
    command: str = ""
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """What stands below the table: its command, how its steps were taken, notes."""
        command = f"{self.name}: {self.command}" if self.command else ""
        return [line for line in (command, self._steps(), *self.notes) if line]

    def _steps(self) -> str:
        if not (self.old_steps or self.new_steps):
            return ""
        old, new = (said or "not known" for said in (self.old_steps, self.new_steps))
        if old == new:
            return f"{self.name}: steps: {old}, on both sides"
        return f"{self.name}: steps: {old} on the old side, {new} on the new one; the ratio includes this difference"

    @property
    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        shown = self.effect
        return {
            "cell": self.name,
            "verdict": self.verdict,
            "tolerance": self.rule.tolerance,
            "ratio": shown.ratio if shown else None,
            "low": shown.low if shown and shown.low > 0 else None,
            "high": shown.high if shown and shown.high < math.inf else None,
            "pairs": len(self.log_ratios),
            "seconds": self.seconds,
            "log_ratios": self.log_ratios,
            "command": self.command or None,
            "notes": self.notes,
            "steps": {"old": self.old_steps, "new": self.new_steps},
        }


@dataclass(frozen=True)
class Outcome:
    """A gate that has ended. `old` and `new` name the sides; `broken` says why there is no verdict, or nothing.

    `rule` is that of a cell to which no tolerance of its own was given; `notes` are of all cells.
    """

    old: str
    new: str
    rule: Rule
    cells: tuple[CellResult, ...]
    broken: str = ""
    notes: tuple[str, ...] = ()
    quantity: Quantity = "seconds"

    @property
    def lines(self) -> list[str]:
        """What stands below the table: of each cell, then of all."""
        return [*(line for cell in self.cells for line in cell.lines), *self.notes]

    @property
    def verdict(self) -> Final:
        """Of all cells: one failure is a failure; all must pass."""
        verdicts = {cell.verdict for cell in self.cells}
        if self.broken:
            return "no verdict"
        if "fail" in verdicts:
            return "fail"
        return "pass" if verdicts == {"pass"} else "undecided"

    @property
    def exit_code(self) -> int:
        """0 pass, 1 fail, 3 not decidable, 4 no verdict."""
        return TOLD[self.verdict].exit_code

    @property
    def sentence(self) -> str:
        """What stands first in every output."""
        return f"{TOLD[self.verdict].words}: {self.broken or self._said()}"

    def sentence_of(self, cell: CellResult) -> str:
        """That on one cell alone."""
        return replace(self, cells=(cell,)).sentence

    def _said(self) -> str:
        telling = [cell for cell in self.cells if cell.verdict == self.verdict and cell.effect] or list(self.cells)
        worst = max(telling, key=lambda cell: cell.effect.ratio if cell.effect else 0.0, default=None)
        if worst is None or worst.effect is None:
            return f"{self.new} was not measured once beside {self.old}; allow more time: --minutes"
        among = (
            f"{len(telling)} of {len(self.cells)} benchmarks; highest ratio in {worst.name}: "
            if len(self.cells) > 1
            else ""
        )
        seconds = sum(cell.seconds for cell in self.cells)
        ends = f"{confidence(self.rule)} interval {interval(worst.effect)}"
        told = COMPARED[self.quantity]
        ratio = f"{self.new} {told.ratio.format(f'{worst.effect.ratio:.3f}')} {self.old}"
        meaning = f"{TOLD[self.verdict].meaning.format(more=told.more)} {percent(worst.rule.tolerance)}"
        return f"{among}{ratio} ({ends}, {worst.effect.pairs} pairs, {seconds:.0f} s): {meaning}"

    def as_json(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Everything, with `facts` of the run."""
        return {
            "schema_version": SCHEMA_VERSION,
            "kind": "gate",
            **facts,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "exit_code": self.exit_code,
            "reason": self.broken,
            "tolerance": self.rule.tolerance,
            "alpha": self.rule.alpha,
            "cells": [cell.as_json for cell in self.cells],
            "notes": self.notes,
        }


def result_of(
    name: str, pairs: Sequence[Pair], rule: Rule, command: str = "", notes: tuple[str, ...] = ()
) -> CellResult:
    """The verdict on one cell."""
    log_ratios = tuple(pair.log_ratio for pair in pairs)
    effect = effects(log_ratios, rule)[-1] if pairs else None
    seconds = sum(pair.wall_seconds for pair in pairs)
    steps = (pairs[-1].old_steps, pairs[-1].new_steps) if pairs else ("", "")
    return CellResult(name, rule, decide(log_ratios, rule), effect, log_ratios, seconds, *steps, command, notes)


def interval(effect: Effect) -> str:
    """The ends of the interval; 0 and ∞ while nothing can be said."""
    low, high = (f"{end:.3f}" if 0 < end < math.inf else "0" if end == 0 else "∞" for end in (effect.low, effect.high))
    return f"{low} to {high}"


def confidence(rule: Rule) -> str:
    """That of one cell's interval, at every look."""
    return percent(1 - rule.fail_alpha - rule.alpha)


def percent(fraction: float) -> str:
    """A fraction as it is spoken: 3 %, 2.5 %."""
    return f"{100 * fraction:.3g} %"
