"""How the score of a row is told: accuracy in per cent, its differences in points; R² as the number it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.compare.document import ScoreName
from bench.compare.quantities import R2_DIGITS, signed
from bench.core.text import MISSING, is_missing, percent
from bench.report.scores import decimals


@dataclass(frozen=True)
class Look:
    """name : in words; sign : what a value is of, in a table's header; unit : of a difference; factor : of the numbers
    beside an axis; value, difference : as text."""

    name: str
    sign: str
    unit: str
    factor: float
    value: Callable[[Any], str]
    difference: Callable[[Any], str]


def _points(fraction: Any) -> str:
    """A difference of fractions in points, with its sign."""
    return MISSING if is_missing(fraction) else signed(100 * fraction)


def _signed_decimals(difference: Any) -> str:
    return MISSING if is_missing(difference) else signed(difference, R2_DIGITS)


LOOKS: dict[ScoreName, Look] = {
    "accuracy": Look("accuracy", "%", "points", 100.0, percent, _points),
    "r2": Look("R²", "R²", "", 1.0, decimals, _signed_decimals),
}
