"""Filters that all templates share: numbers with their intervals, seeds and names as text."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from bench.core.text import MISSING, bound, is_missing, megabytes, one_line, significant, with_ends

SEEDS_NAMED = 6


@dataclass(frozen=True)
class Mark:
    """How a decision or a status looks: class of the style sheet, sign, words."""

    kind: str
    sign: str
    words: str


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


def options(names: Iterable[str]) -> list[tuple[str, str]]:
    """Names as values of a choice, and shortened as what is shown."""
    return [(one_line(name, 400), one_line(name, 60)) for name in names]


def block(text: str) -> Markup:
    """Text of several lines as it is, for a `<pre>`; what cannot be printed becomes `?`."""
    lines = ("".join(c if c.isprintable() else "?" for c in line.expandtabs(4)) for line in text.splitlines())
    return Markup(escape("\n".join(lines)))


FILTERS: dict[str, Callable[..., Any]] = {
    "significant": significant,
    "bound": bound,
    "megabytes": megabytes,
    "score_interval": lambda interval, score: with_interval(interval, score.value),
    "difference_interval": lambda interval, score: with_interval(interval, score.difference),
    "error_interval": lambda interval: with_interval(interval, significant),
    "ratio_interval": lambda interval: with_interval(interval, bound),
    "seeds": seeds,
    "options": options,
    "line": one_line,
    "block": block,
}
