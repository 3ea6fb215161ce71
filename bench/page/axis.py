"""Axes of the page's small plots: positions in per cent between the left and the right edge."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.ticker import MaxNLocator

from bench.core.text import MINUS, is_missing

Interval = Mapping[str, Any]

FARTHEST = 5.0
"""So many margins, or largest centres, are shown: one interval of two seeds would leave no room for the rest."""
EDGE = 3.0
ROOM = 3.0
"""A logarithmic axis goes beyond its outermost centre by this factor at most."""
TICKS = 4


@dataclass(frozen=True)
class PlotAxis:
    """What lies between `low` and `high` is shown; a value beyond is drawn at the edge."""

    low: float
    high: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Per cent of the width from the left."""
        proportion = (self._at(value) - self._at(self.low)) / (self._at(self.high) - self._at(self.low))
        return round(EDGE + (100 - 2 * EDGE) * min(1.0, max(0.0, proportion)), 3)

    def beyond(self, value: float) -> bool:
        """Whether a value lies beyond an edge."""
        return not self.low <= value <= self.high

    @property
    def ticks(self) -> list[float]:
        """A few round values."""
        if self.logarithmic:
            return _round_factors(self.low, self.high)
        values = MaxNLocator(nbins=TICKS, steps=[1, 2, 5, 10]).tick_values(self.low, self.high)
        return [float(value) for value in values if not self.beyond(value)]

    def label(self, tick: float, factor: float) -> str:
        """A tick as text, in units of 1 / `factor`: 100 for fractions as per cent or points."""
        return f"{round(factor * tick, 6):.6g}".replace("-", MINUS)

    def _at(self, value: float) -> float:
        if not self.logarithmic:
            return value
        return math.log(min(max(value, self.low), self.high))  # the end of an interval may be 0 or infinite


def around(
    reference: float, margin: float, intervals: Iterable[Interval | None], lowest: float = -math.inf
) -> PlotAxis:
    """An axis with the reference in its middle, wide enough for the margin, all centres and most intervals.

    No value can be below `lowest`: 0 for a ratio.
    """
    shown = [interval for interval in intervals if interval is not None]
    centres = [abs(value - reference) for value in _finite(shown, ("centre",))]
    ends = [abs(value - reference) for value in _finite(shown, ("low", "high"))]
    typical = max([1.25 * margin, *(1.1 * centre for centre in centres)])
    reach = max(typical, min(1.1 * max(ends, default=0.0), FARTHEST * typical)) or 1.0
    return PlotAxis(max(lowest, reference - reach), reference + reach)


def spanning(intervals: Iterable[Interval | None]) -> PlotAxis:
    """An axis that holds all centres and ends."""
    values = list(_finite([interval for interval in intervals if interval is not None], ("centre", "low", "high")))
    low, high = min(values, default=0.0), max(values, default=1.0)
    pad = 0.08 * (high - low) or 0.005
    return PlotAxis(low - pad, high + pad)


def ratios(intervals: Iterable[Interval | None]) -> PlotAxis:
    """A logarithmic axis that holds 1 and all centres, and of ends those that leave room for the rest."""
    shown = [interval for interval in intervals if interval is not None]
    centres = [1.0, *(value for value in _finite(shown, ("centre",)) if value > 0)]
    ends = [value for value in _finite(shown, ("low", "high")) if 0 < value < math.inf]
    low, high = min(centres) / 1.25, max(centres) * 1.25
    return PlotAxis(max(low / ROOM, min([low, *ends])), min(high * ROOM, max([high, *ends])), logarithmic=True)


def _round_factors(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten, or powers of ten alone where these are many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = [float(f"{first}e{power}") for power in powers for first in (1, 2, 5)]
    within = [value for value in every if low <= value <= high]
    return within if len(within) <= 2 * TICKS else [value for value in within if f"{value:e}".startswith("1.0")]


def _finite(intervals: Iterable[Interval], names: tuple[str, ...]) -> Iterator[float]:
    values = (interval[name] for interval in intervals for name in names)
    return (value for value in values if not is_missing(value))


AXES: dict[str, Callable[..., PlotAxis]] = {"around": around, "spanning": spanning, "ratios": ratios}
