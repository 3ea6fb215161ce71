"""Filters of the comparison's templates: decisions, equivalence and p values as text."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bench.core.text import MISSING, is_missing, one_line, significant
from bench.page.filters import Mark
from bench.report.scores import Score

MARKS: dict[str | None, Mark] = {
    "equivalent": Mark("same", "=", "equivalent"),
    "within_tolerance": Mark("same", "=", "within"),
    "better": Mark("better", "▲", "better"),
    "worse": Mark("worse", "▼", "worse"),
    "undecided": Mark("undecided", "?", "undecided"),
    None: Mark("none", "", "not compared"),
}

SPEED_WORDS = {"better": "faster", "worse": "slower"}

EQUIVALENCE: dict[str, str] = {
    "equivalent": "Equivalent: A and B differ by less than the margin of {margin}.",
    "better": "B is better than A; the margin of equivalence is {margin}.",
    "worse": "B is worse than A; the margin of equivalence is {margin}.",
    "undecided": "Undecided: these seeds neither show nor rule out a difference beyond the margin of {margin}.",
}


def mark(decision: str | None) -> Mark:
    """A decision's look; of an unknown one, its own words."""
    return MARKS.get(decision) or Mark("none", "", one_line(decision, 40))


def speed_mark(decision: str | None) -> Mark:
    """A decision on time: what is worse there is slower."""
    look = mark(decision)
    return replace(look, words=SPEED_WORDS.get(look.words, look.words))


def state(row: Mapping[str, Any]) -> str:
    """The gravest of a row's decisions: "worse", "undecided" or "fine"."""
    decisions = [row["equivalence"]["decision"], row["cost_decision"], row["speed_decision"]]
    decisions += [error["decision"] for error in row["errors"].values()]
    kinds = {mark(decision).kind for decision in decisions}
    return next((kind for kind in ("worse", "undecided") if kind in kinds), "fine")


def equivalence(verdict: Mapping[str, Any], score: Score) -> str:
    """The equivalence verdict as sentences: what was decided, on which p, and how many seeds would decide it."""
    decision = verdict["decision"]
    margin = score.in_unit(significant(score.factor * verdict["margin"], 2))
    first = EQUIVALENCE.get(decision, f"{one_line(decision, 40)}.").format(margin=margin)
    tests = "" if is_missing(verdict["p"]) else f" Two one-sided tests: {p_value(verdict['p'])}."
    needed = "" if is_missing(verdict["seeds_needed"]) else f" About {verdict['seeds_needed']} seeds would decide it."
    return first + tests + needed


def p_value(p: Any) -> str:
    """A p value as it is printed; below 0.001 its digits say nothing."""
    if is_missing(p):
        return MISSING
    return "p < 0.001" if p < 0.001 else f"p = {significant(p, 2)}"


def percent_of(fraction: Any) -> str:
    """A size in per cent of something, two digits."""
    return MISSING if is_missing(fraction) else f"{significant(100 * abs(fraction), 2)} %"


def relative(fraction: Any) -> str:
    """(B − A) / A in words."""
    return MISSING if is_missing(fraction) else f"{percent_of(fraction)} {'above' if fraction > 0 else 'below'} A"


FILTERS: dict[str, Callable[..., Any]] = {
    "mark": mark,
    "speed_mark": speed_mark,
    "state": state,
    "equivalence": equivalence,
    "p_value": p_value,
    "relative": relative,
    "percent_of": percent_of,
}
