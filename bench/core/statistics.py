"""Medians, means and 95 % intervals. The unit of observation is a fresh process (a seed), never an epoch.

Sources: the process as unit, and Student's t ("The probable error of a mean", Biometrika 6, 1908) over processes,
Georges, Buytaert & Eeckhout, "Statistically rigorous Java performance evaluation", OOPSLA 2007, and Kalibera & Jones,
"Rigorous benchmarking in reasonable time", ISMM 2013; ratios averaged as logarithms, Fleming & Wallace, "How not to lie
with statistics", CACM 29(3), 1986.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A centre and its 95 % interval over `count` processes; None, None of one process."""

    centre: float
    low: float | None
    high: float | None
    count: int

    @property
    def half_width(self) -> float | None:
        """(high − low) / 2, in the unit of the centre."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def median(values: Iterable[float]) -> float | None:
    """The median of the finite values, in their unit; None where there is none."""
    finite = _finite(values)
    return float(np.median(finite)) if finite.size else None


def mean_interval(values: Iterable[float]) -> Interval | None:
    """Mean and interval, x̄ ± t(0.975, n − 1) · s / √n, in the unit of the values; None where no value is finite."""
    finite = _finite(values)
    if not finite.size:
        return None
    mean, half = float(finite.mean()), _half_width(finite)
    if half is None:
        return Interval(mean, None, None, 1)
    return Interval(mean, mean - half, mean + half, finite.size)


def time_ratio(seconds: Mapping[int, float], reference: Mapping[int, float]) -> float | None:
    """exp(median over rounds of ln(seconds / reference)): how many times as long as the reference, in one seed.

    The two train in turns, so the machine's drift within a round strikes both and leaves their ratio. The median is
    taken of logarithms so that exchanging the two gives the reciprocal.

    Parameters
    ----------
    seconds, reference
        Round (epoch number) → epoch_seconds, s, timed epochs only. Rounds that only one of them has are left out.

    Returns
    -------
    Without unit; None where no round is shared.
    """
    logarithms = [
        math.log(seconds[r]) - math.log(reference[r])
        for r in sorted(seconds.keys() & reference.keys())
        if _positive(seconds[r]) and _positive(reference[r])
    ]
    return math.exp(np.median(logarithms)) if logarithms else None


def ratio_interval(ratios: Iterable[float]) -> Interval | None:
    """Centre exp(median ln r) and interval exp(mean ln r ± t(0.975, n − 1) · s / √n), of one ratio a seed; no unit."""
    logarithms = np.log([ratio for ratio in ratios if _positive(ratio)])
    if not logarithms.size:
        return None
    centre, half = math.exp(np.median(logarithms)), _half_width(logarithms)
    if half is None:
        return Interval(centre, None, None, 1)
    with np.errstate(over="ignore", under="ignore"):  # two seeds far apart: everything from 0 to infinity is possible
        low, high = np.exp(logarithms.mean() + np.array([-half, half]))
    return Interval(centre, float(low), float(high), logarithms.size)


def _half_width(values: NDArray[np.float64]) -> float | None:
    """t(0.975, n − 1) · s / √n with s² = Σ (x − x̄)² / (n − 1); None for one value."""
    if values.size < 2:
        return None
    quantile = float(stdtrit(values.size - 1, (1 + CONFIDENCE) / 2))
    return quantile * float(values.std(ddof=1)) / math.sqrt(values.size)


def _finite(values: Iterable[float]) -> NDArray[np.float64]:
    array = np.array(values if isinstance(values, np.ndarray) else list(values), dtype=np.float64)  # None becomes NaN
    return array[np.isfinite(array)]


def _positive(value: float) -> bool:
    return value is not None and math.isfinite(value) and value > 0
