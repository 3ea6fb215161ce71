"""The exponent of a line on logarithmic axes: cost ∝ size^exponent, by least squares of the logarithms."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from bench.core.statistics import CONFIDENCE

FEWEST = 3
"""Values that a fit is over at least, where the axis has so many."""


class Fit(NamedTuple):
    """Exponent with its 95 % interval (None, None over two values), and the values that it was fitted over."""

    exponent: float
    low: float | None
    high: float | None
    values: tuple[int, ...]


def upper_half(values: Iterable[int]) -> tuple[int, ...]:
    """The values above the middle of a logarithmic axis, three at least: at the others overhead dominates.

    The rule looks at the axis and never at what was measured, so that all lines are fitted over the same values.
    """
    ordered = sorted(set(values))
    if not ordered:
        return ()
    middle = math.sqrt(ordered[0] * ordered[-1])
    above = sum(value >= middle * (1 - 1e-9) for value in ordered)
    return tuple(ordered[-max(FEWEST, above) :])


def fit(measured: Mapping[int, float], values: Iterable[int]) -> Fit | None:
    """The exponent of `measured` over those of `values` that it has, with Student's interval; None of fewer than 2."""
    shared = tuple(value for value in sorted(values) if measured.get(value, 0) > 0)
    if len(shared) < 2:
        return None
    x, y = np.log(shared), np.log([measured[value] for value in shared])
    x, y = x - x.mean(), y - y.mean()
    slope, freedom = float(x @ y / (x @ x)), len(shared) - 2
    if not freedom:
        return Fit(slope, None, None, shared)
    error = math.sqrt(float(np.sum((y - slope * x) ** 2)) / freedom / float(x @ x))
    half = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error
    return Fit(slope, slope - half, slope + half, shared)
