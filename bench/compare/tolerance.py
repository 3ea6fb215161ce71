"""How much worse B may be: reads `--tolerance name=value`.

Fed by the command line; feeds every test against a margin.
"""

import math
import re
from collections.abc import Callable, Iterable

from bench.compare.document import Margins
from bench.core.errors import UnusableError
from bench.core.text import one_line

ALLOWED = "accuracy=0.5 (points, up to 100), cost=2%, speed=5% (up to 1000%)"
_PER_CENT = re.compile(r"(.+)%\s*")


def margins_of(texts: Iterable[str]) -> Margins:
    """The margins, those that are not named at their defaults; of a name that stands twice, the last.

    Raises
    ------
    UnusableError
        Names the text and what is allowed.
    """
    chosen: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            field, read = _READERS[name.strip()]
            chosen[field] = read(value)
        except (KeyError, ValueError):
            raise UnusableError(f"--tolerance {one_line(repr(text), 60)}; allowed: {ALLOWED}") from None
    return Margins.model_validate(chosen)


def _points(text: str) -> float:
    return _between(float(text), 100)


def _fraction(text: str) -> float:
    per_cent = _PER_CENT.fullmatch(text)
    if per_cent is None:
        raise ValueError(text)
    return _between(float(per_cent[1]), 1000) / 100


def _between(value: float, most: float) -> float:
    if not (math.isfinite(value) and 0 < value <= most):
        raise ValueError(value)
    return value


_READERS: dict[str, tuple[str, Callable[[str], float]]] = {
    "accuracy": ("accuracy_points", _points),
    "cost": ("cost", _fraction),
    "speed": ("time_ratio", lambda text: 1 + _fraction(text)),
}
