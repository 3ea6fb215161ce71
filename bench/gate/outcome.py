"""What a gate comes to: a verdict for each cell and for all, the sentence that says it, the exit code.

Fed by the pairs; feeds the reports.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bench.core.errors import EXIT_NO_VERDICT, EXIT_OK, EXIT_UNDECIDED, EXIT_WORSE
from bench.gate.decision import Effect, Rule, Verdict, decide, effects
from bench.gate.pair import Pair

SCHEMA_VERSION = 1

Final = Literal["pass", "fail", "undecided", "no verdict"]

EXIT_CODES: dict[Final, int] = {
    "pass": EXIT_OK,
    "fail": EXIT_WORSE,
    "undecided": EXIT_UNDECIDED,
    "no verdict": EXIT_NO_VERDICT,
}
WORDS: dict[Final, str] = {
    "pass": "PASS",
    "fail": "FAIL",
    "undecided": "NOT DECIDABLE",
    "no verdict": "NO VERDICT",
}


@dataclass(frozen=True)
class CellResult:
    """One cell: the log ratio of each observation in the order of measuring, and the seconds that all of them took."""

    name: str
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
        """What is said of it below the table: its command, how its steps were taken, notes."""
        command = f"{self.name}: {self.command}" if self.command else ""
        return [line for line in (command, self.steps, *self.notes) if line]

    @property
    def steps(self) -> str:
        """How both sides took their steps, in a line; nothing for a command."""
        old, new = (said or "not known" for said in (self.old_steps, self.new_steps))
        if not (self.old_steps or self.new_steps):
            return ""
        if old == new:
            return f"{self.name}: steps: {old}, on both sides"
        return f"{self.name}: steps: {old} on the old side, {new} on the new one; the ratio includes this difference"


@dataclass(frozen=True)
class Outcome:
    """A gate as it ended. `old` and `new` name the sides; `broken` says why there is no verdict, or nothing."""

    old: str
    new: str
    rule: Rule
    cells: tuple[CellResult, ...]
    broken: str = ""

    @property
    def verdict(self) -> Final:
        """Of all cells: one that fails, fails; all must pass."""
        verdicts = {cell.verdict for cell in self.cells}
        if self.broken:
            return "no verdict"
        if "fail" in verdicts:
            return "fail"
        return "pass" if verdicts == {"pass"} else "undecided"

    @property
    def exit_code(self) -> int:
        """0 pass, 1 fail, 3 not decidable, 4 no verdict."""
        return EXIT_CODES[self.verdict]

    @property
    def sentence(self) -> str:
        """What stands first everywhere."""
        return f"{WORDS[self.verdict]}: {self.broken or self._said()}"

    def _said(self) -> str:
        telling = [cell for cell in self.cells if cell.verdict == self.verdict and cell.effect] or list(self.cells)
        worst = max(telling, key=lambda cell: cell.effect.ratio if cell.effect else 0.0)
        among = f"{len(telling)} of {len(self.cells)} cells; {worst.name}: " if len(self.cells) > 1 else ""
        if worst.effect is None:
            return f"{self.new} was not measured once beside {self.old}"
        seconds = sum(cell.seconds for cell in self.cells)
        ends = f"{confidence(self.rule)} interval {interval(worst.effect)}"
        shown = f"{ends}, {worst.effect.pairs} pairs, {seconds:.0f} s"
        ratio = f"{self.new} takes {worst.effect.ratio:.3f} times as long as {self.old} ({shown})"
        return f"{among}{ratio}: {_MEANING[self.verdict].format(tolerance=percent(self.rule.tolerance))}"

    def as_json(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The whole, with `facts` of the run."""
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
            "cells": [_cell_json(cell) for cell in self.cells],
        }


_MEANING: dict[Final, str] = {
    "fail": "slower than the tolerance of {tolerance}",
    "pass": "not slower than the tolerance of {tolerance}",
    "undecided": "the interval straddles the tolerance of {tolerance}",
}


def result_of(name: str, pairs: Sequence[Pair], rule: Rule) -> CellResult:
    """The verdict on one cell."""
    logarithms = tuple(pair.log_ratio for pair in pairs)
    shown = effects(logarithms, rule)[-1] if pairs else None
    seconds = sum(pair.wall_seconds for pair in pairs)
    steps = (pairs[-1].old_steps, pairs[-1].new_steps) if pairs else ("", "")
    return CellResult(name, decide(logarithms, rule), shown, logarithms, seconds, *steps)


def interval(effect: Effect) -> str:
    """The ends of the interval; 0 and ∞ where nothing can be said yet."""
    low, high = (f"{end:.3f}" if 0 < end < math.inf else "0" if end == 0 else "∞" for end in (effect.low, effect.high))
    return f"{low} to {high}"


def confidence(rule: Rule) -> str:
    """That the interval of one cell has, however often it is looked at."""
    return percent(1 - rule.fail_alpha - rule.alpha)


def percent(fraction: float) -> str:
    """A fraction as it is spoken: 3 %, 2.5 %."""
    return f"{100 * fraction:.3g} %"


def _cell_json(cell: CellResult) -> dict[str, Any]:
    shown = cell.effect
    return {
        "cell": cell.name,
        "verdict": cell.verdict,
        "ratio": shown.ratio if shown else None,
        "low": shown.low if shown and shown.low > 0 else None,
        "high": shown.high if shown and shown.high < math.inf else None,
        "pairs": len(cell.log_ratios),
        "seconds": cell.seconds,
        "log_ratios": cell.log_ratios,
        "command": cell.command or None,
        "notes": cell.notes,
        "steps": {"old": cell.old_steps, "new": cell.new_steps},
    }
