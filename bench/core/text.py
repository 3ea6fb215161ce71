"""Numbers and names as text: digits, one line, escaped for Markdown and terminals."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

MISSING = "–"
MINUS = "−"

# What GitHub's Markdown or its mathematics could read as markup; `_` is that at a word's edge only.
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_MARKUP = re.compile(r"[\\`*\[\]|~$#]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")


def one_line(value: Any, limit: int | None = None) -> str:
    """`value` on one line, what cannot be printed as `?`, no longer than `limit` characters."""
    text = " ".join(str(value).split())
    if not text.isprintable():
        text = "".join(character if character.isprintable() else "?" for character in text)
    return text if limit is None or len(text) <= limit else text[: limit - 1] + "…"


def first_of(names: Iterable[str], most: int) -> str:
    """The first names with commas between, and how many more there are."""
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def escaped(value: Any, limit: int = 400) -> str:
    """`value` as literal text of a line or a table's cell in GitHub Markdown."""
    return _MARKUP.sub(r"\\\g<0>", one_line(value, limit)).translate(_HTML)


def is_missing(value: Any) -> bool:
    """Whether a cell is null: None, NaN or pandas.NA."""
    return value is None or value != value or type(value).__name__ == "NAType"


def percent(fraction: Any) -> str:
    """A fraction as per cent with two digits: one example of 10,000 is 0.01."""
    return MISSING if is_missing(fraction) else f"{100 * fraction:.2f}"


def plus_minus(value: Any, half: Any, sign: str = " ±", write: Callable[[Any], str] = percent) -> str:
    """A value with half its interval, both as per cent unless they are written in another way."""
    return write(value) + ("" if is_missing(half) else f"{sign}{write(half)}")


def significant(value: Any, digits: int = 3) -> str:
    """Rounded to so many digits, without exponent where people would write none."""
    if is_missing(value):
        return MISSING
    if value == 0 or not math.isfinite(value) or not 1e-4 <= abs(value) < 1e15:
        return f"{value:.{digits}g}"
    return f"{value:,.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"


def factor(value: float) -> str:
    """A ratio of 1 or more as it is spoken: 1.07, 8.1, 19.2, 120."""
    return f"{value:.{2 if value < 2 else 1 if value < 100 else 0}f}"


def bound(value: Any, digits: int = 3) -> str:
    """An end of a time ratio's interval; `<0.001` or `>1,000` beyond a factor of 1000."""
    if is_missing(value) or 1e-3 <= value <= 1e3:
        return significant(value, digits)
    return "<0.001" if value < 1 else ">1,000"


def signed(value: float, digits: int = 2) -> str:
    """With a sign that is not a hyphen; no sign of what rounds to nothing."""
    text = f"{abs(value):.{digits}f}"
    return text if float(text) == 0 else f"{MINUS if value < 0 else '+'}{text}"


def with_ends(centre: Any, low: Any, high: Any, write: Callable[[Any], str] = significant) -> str:
    """A centre with the ends of its interval in brackets, where it has any: `0.93 (0.90 to 0.97)`."""
    ends = "" if is_missing(low) or is_missing(high) else f" ({write(low)} to {write(high)})"
    return f"{write(centre)}{ends}"


def ratio_text(row: Mapping[Any, Any]) -> str:
    """The time ratio of a row of the aggregate, with its 95 % interval."""
    if is_missing(row["time_ratio"]):
        return MISSING
    centre = significant(row["time_ratio"])
    if is_missing(row["time_ratio_low"]):
        return f"{centre} (one seed: no interval)"
    return f"{centre} ({bound(row['time_ratio_low'])} to {bound(row['time_ratio_high'])})"


def megabytes(size: Any) -> str:
    """Bytes in MB (10⁶)."""
    return MISSING if is_missing(size) else f"{int(size) / 1e6:,.0f}"
