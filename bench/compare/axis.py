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
TICKS = 4


@dataclass(frozen=True)
class PlotAxis:
    """What lies between `low` and `high` is shown; a value beyond is drawn at the edge."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Per cent of the width from the left."""
        share = (value - self.low) / (self.high - self.low)
        return round(EDGE + (100 - 2 * EDGE) * min(1.0, max(0.0, share)), 3)

    def beyond(self, value: float) -> bool:
        """Whether a value lies beyond an edge."""
        return not self.low <= value <= self.high

    @property
    def ticks(self) -> list[float]:
        """A few round values."""
        values = MaxNLocator(nbins=TICKS, steps=[1, 2, 5, 10]).tick_values(self.low, self.high)
        return [float(value) for value in values if not self.beyond(value)]

    def label(self, tick: float, factor: float) -> str:
        """A tick as text, in units of 1 / `factor`: 100 for fractions as per cent or points."""
        return f"{round(factor * tick, 6):.6g}".replace("-", MINUS)


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


def _finite(intervals: Iterable[Interval], names: tuple[str, ...]) -> Iterator[float]:
    values = (interval[name] for interval in intervals for name in names)
    return (value for value in values if not is_missing(value))


AXES: dict[str, Callable[..., PlotAxis]] = {"around": around, "spanning": spanning}
