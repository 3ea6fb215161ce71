"""The quantities that are compared. A new one is an entry of `QUANTITIES`, a field of `Margins`, and its evidence."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.compare.document import Margins
from bench.core.errors import UnusableError
from bench.core.statistics import Interval
from bench.core.text import bound, factor, one_line, signed, significant

ALLOWED = "accuracy=0.5 (points, up to 100), cost=2%, speed=5% (up to 1000%)"


@dataclass(frozen=True)
class Quantity:
    """How a margin is read and told, and how a difference is told.

    margin : a field of `Margins`; read : its value from the text of `--tolerance`; tolerance : that value in words;
    figure : what was found, in words, of a gain that is oriented so that more is better for B.
    """

    margin: str
    read: Callable[[str], float]
    tolerance: Callable[[float], str]
    figure: Callable[[Interval], str]

    def told(self, margins: Margins) -> str:
        """The tolerance in words."""
        return self.tolerance(getattr(margins, self.margin))


def margins_of(texts: Iterable[str]) -> Margins:
    """The margins of `--tolerance name=value`, others at their defaults; of a name that is given twice, the last.

    Raises UnusableError: names the text and what is allowed.
    """
    chosen: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            quantity = QUANTITIES[name.strip()]
            chosen[quantity.margin] = quantity.read(value)
        except (KeyError, ValueError):
            raise UnusableError(f"--tolerance {one_line(repr(text), 60)}; allowed: {ALLOWED}") from None
    return Margins.model_validate(chosen)


def _points(text: str) -> float:
    return _between(float(text), 100)


def _fraction(text: str) -> float:
    number, sign, rest = text.partition("%")
    if not sign or rest.strip():
        raise ValueError(text)
    return _between(float(number), 1000) / 100


def _between(value: float, most: float) -> float:
    if not (math.isfinite(value) and 0 < value <= most):
        raise ValueError(value)
    return value


def _accuracy(gain: Interval) -> str:
    return f"test accuracy {signed(100 * gain.centre)} points{_ends(gain, lambda value: signed(100 * value))}"


def _cost(gain: Interval) -> str:
    """The gain is ln(A / B); B / A − 1 in per cent is what people read."""
    turned = _turned(gain)
    return f"final cost {_relative(turned.centre)}{_ends(turned, _relative)}"


def _relative(logarithm: float) -> str:
    change = math.expm1(min(logarithm, 20.0))
    return f"{signed(100 * change)} %" if change < 10 else f"+{significant(100 * change)} %"


def _speed(gain: Interval) -> str:
    turned = _turned(gain)
    return f"training takes {_factor(turned.centre)} times as long{_ends(turned, _factor)}"


def _factor(logarithm: float) -> str:
    value = math.exp(max(-20.0, min(logarithm, 20.0)))
    return factor(value) if value >= 1 else bound(value)


def _turned(gain: Interval) -> Interval:
    low, high = (None if end is None else -end for end in (gain.high, gain.low))
    return Interval(-gain.centre, low, high, gain.count)


def _ends(interval: Interval, write: Callable[[float], str]) -> str:
    if interval.low is None or interval.high is None:
        return ", one seed"
    return f", 95 % interval {write(interval.low)} to {write(interval.high)}"


QUANTITIES: dict[str, Quantity] = {
    "accuracy": Quantity("accuracy_points", _points, lambda margin: f"{significant(margin, 2)} points", _accuracy),
    "cost": Quantity("cost", _fraction, lambda margin: f"{significant(100 * margin, 2)} %", _cost),
    "speed": Quantity("time_ratio", lambda text: 1 + _fraction(text), factor, _speed),
}
