"""The quantities that are compared. A new one is an entry of `QUANTITIES`, a field of `Margins`, and its evidence."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.compare.document import Margins
from bench.core.errors import UnusableError
from bench.core.statistics import Interval
from bench.core.text import bound, factor, one_line, signed, significant
from bench.report.scores import ACCURACY, R2, SCORES, Score, ScoreName

ALLOWED = "accuracy=0.5 (points, up to 100), cost=2%, speed=5% (up to 1000%), r2=0.01 (up to 1), mae=2%, rmse=2%"


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


def _up_to(most: float) -> Callable[[str], float]:
    return lambda text: _between(float(text), most)


def _fraction(text: str) -> float:
    number, sign, rest = text.partition("%")
    if not sign or rest.strip():
        raise ValueError(text)
    return _between(float(number), 1000) / 100


def _between(value: float, most: float) -> float:
    if not (math.isfinite(value) and 0 < value <= most):
        raise ValueError(value)
    return value


def _gain_of(score: Score) -> Callable[[Interval], str]:
    def told(gain: Interval) -> str:
        return f"test {score.title} {score.in_unit(score.difference(gain.centre))}{_ends(gain, score.difference)}"

    return told


def _relative_to_a(what: str) -> Callable[[Interval], str]:
    """The gain is ln(A / B); B / A − 1 in per cent is what people read."""

    def told(gain: Interval) -> str:
        turned = _turned(gain)
        return f"{what} {_relative(turned.centre)}{_ends(turned, _relative)}"

    return told


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


def _per_cent(margin: float) -> str:
    return f"{significant(100 * margin, 2)} %"


QUANTITIES: dict[str, Quantity] = {
    "accuracy": Quantity(
        "accuracy_points", _up_to(100), lambda margin: f"{significant(margin, 2)} points", _gain_of(ACCURACY)
    ),
    "r2": Quantity("r2", _up_to(1), lambda margin: significant(margin, 2), _gain_of(R2)),
    "cost": Quantity("cost", _fraction, _per_cent, _relative_to_a("final cost")),
    "mae": Quantity("mae", _fraction, _per_cent, _relative_to_a("mean absolute error")),
    "rmse": Quantity("rmse", _fraction, _per_cent, _relative_to_a("root mean squared error")),
    "speed": Quantity("time_ratio", lambda text: 1 + _fraction(text), factor, _speed),
}


def used_in(*scores: ScoreName) -> list[str]:
    """The quantities that rows with these scores are compared in."""
    of_scores = {name for score in scores for name in (score, *SCORES[score].errors)}
    return [name for name in QUANTITIES if name in ("cost", "speed", *of_scores)]


def told(margins: Margins, *scores: ScoreName) -> str:
    """The tolerances of rows with these scores, in words."""
    return ", ".join(f"{name} {QUANTITIES[name].told(margins)}" for name in used_in(*scores))
