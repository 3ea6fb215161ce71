"""Filters of the page's templates: decisions, differences, p values and intervals as text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.core.text import MISSING, bound, is_missing, one_line, significant, with_ends
from bench.report.scores import Score

SEEDS_NAMED = 6


@dataclass(frozen=True)
class Mark:
    """How a decision looks: class of the style sheet, sign, words."""

    kind: str
    sign: str
    words: str


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


def with_interval(interval: Mapping[str, Any] | None, form: Callable[[Any], str]) -> str:
    """A centre with its 95 % interval behind it, or why there is none."""
    if interval is None:
        return MISSING
    told = with_ends(interval["centre"], interval["low"], interval["high"], form)
    if is_missing(interval["low"]) or is_missing(interval["high"]):
        told += " (one seed: no interval)" if interval["count"] == 1 else " (no finite interval)"
    return told


def seeds(numbers: Sequence[int]) -> str:
    """Seeds by number where they are few."""
    if len(numbers) > SEEDS_NAMED:
        return f"{len(numbers)} seeds, {min(numbers)} to {max(numbers)}"
    return ", ".join(map(str, numbers)) or "none"


FILTERS: dict[str, Callable[..., Any]] = {
    "mark": mark,
    "speed_mark": speed_mark,
    "state": state,
    "equivalence": equivalence,
    "p_value": p_value,
    "significant": significant,
    "score_interval": lambda interval, score: with_interval(interval, score.value),
    "difference_interval": lambda interval, score: with_interval(interval, score.difference),
    "error_interval": lambda interval: with_interval(interval, significant),
    "ratio_interval": lambda interval: with_interval(interval, bound),
    "relative": relative,
    "percent_of": percent_of,
    "seeds": seeds,
    "line": one_line,
}
