"""Finds where the level of a line of ratios changes, and by how much.

The method finds the levels that fit the logarithms of the ratios best, where each change costs a penalty. It searches
all of them (optimal partitioning: Jackson et al., "An algorithm for optimal partitioning of data on an interval", IEEE
Signal Processing Letters 12(2), 2005). The fit is by least absolute deviations, not by least squares (Bai, "Estimation
of multiple-regime regressions with least absolutes deviation", JSPI 74, 1998). So a level is a median, and a single
outlier is not a step. The library ruptures cannot be used: if levels have a minimum length, its PELT drops starts that
the best levels need (its pull request 383).

The penalty is that of the modified BIC, 3 ln n per change (Zhang & Siegmund, "A modified Bayes information criterion",
Biometrics 63, 2007), in units of the noise. The noise is estimated from the differences of neighbours, on which a few
steps have no influence. It uses their upper quartile, not their median: if every fourth process is slow for its whole
life, three of eight differences come from that, and a median would miss them.
"""

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

FEWEST = 8
"""Runs below which no step is looked for: the noise of fewer is not known well enough for 5 % of false alarms."""
SHORTEST = 3
"""Runs of the shortest level: the median of three is that of the two that agree."""
PENALTY = 3.0
LEAST_NOISE = 0.001
"""Standard deviation of the logarithms below which ratios that are printed alike would be told apart."""


@dataclass(frozen=True)
class Step:
    """A change of level: `index` is the first run after it; before and after are medians of the ratios, no unit."""

    index: int
    before: float
    after: float

    @property
    def factor(self) -> float:
        """after / before."""
        return self.after / self.before


@dataclass(frozen=True)
class Steps:
    """The steps of one line; `levels` has (first run, run after the last, median) of each stretch.

    noise : standard deviation from run to run, a fraction; reason : why nothing was looked for, or empty.
    """

    steps: tuple[Step, ...]
    levels: tuple[tuple[int, int, float], ...]
    noise: float | None
    reason: str = ""


def find_steps(ratios: Sequence[float]) -> Steps:
    """The steps of these positive ratios, of which there must be enough."""
    logarithms = np.log(np.asarray(ratios, np.float64))
    if len(logarithms) < FEWEST:
        few = f"{len(logarithms)} run{'s' * (len(logarithms) != 1)}, too few to look for steps ({FEWEST} are needed)"
        return Steps((), (_level(logarithms, 0, len(logarithms)),), None, few)
    noise = noise_of(logarithms)
    ends = _best_ends(logarithms.tolist(), penalty(noise, len(logarithms)))
    levels = tuple(_level(logarithms, start, end) for start, end in pairwise([0, *ends]))
    steps = tuple(Step(b[0], a[2], b[2]) for a, b in pairwise(levels))
    return Steps(steps, levels, noise)


def _best_ends(values: list[float], each: float) -> list[int]:
    """Where the levels end whose Σ|y − median|, and `each` for each change, are least: no other levels have less."""
    least, start_of = {0: -each}, dict[int, int]()
    for end in range(SHORTEST, len(values) + 1):
        deviations = _deviations(values, end)
        totals = {start: least[start] + each + deviations[start] for start in least if start <= end - SHORTEST}
        start_of[end] = min(totals, key=totals.__getitem__)
        least[end] = totals[start_of[end]]
    ends = [len(values)]
    while start := start_of[ends[0]]:
        ends.insert(0, start)
    return ends


def _deviations(values: list[float], end: int) -> dict[int, float]:
    """Start → Σ|y − median| of the values from there to `end`.

    One more value adds its distance from the median, or from the two values between which each point is a median.
    """
    ordered, found = [values[end - 1]], {end - 1: 0.0}
    for start in range(end - 2, -1, -1):
        value, count = values[start], len(ordered)
        below, above = ordered[(count - 1) // 2], ordered[count // 2]
        found[start] = found[start + 1] + max(below - value, value - above, 0.0)
        insort(ordered, value)
    return found


def noise_of(logarithms: NDArray[np.float64]) -> float:
    """σ from neighbours: upper quartile of |d − median d| / (Φ⁻¹(7/8) √2), a tenth of a per cent at least."""
    differences = np.diff(logarithms)
    spread = np.quantile(np.abs(differences - np.median(differences)), 0.75)
    return max(float(spread / (ndtri(0.875) * math.sqrt(2))), LEAST_NOISE)


def penalty(noise: float, runs: int) -> float:
    """What a change must save of Σ|y − median|: σ / (4 φ(0)) · 3 ln n.

    A median that is free to move saves 1 / (4 f(0)) of a χ² variable with one degree of freedom, f the density of the
    noise at its centre; least squares save σ² of it. So this is to the one what 3 σ² ln n is to the other.
    """
    return noise * math.sqrt(2 * math.pi) / 4 * PENALTY * math.log(runs)


def _level(logarithms: NDArray[np.float64], start: int, end: int) -> tuple[int, int, float]:
    return start, end, math.exp(float(np.median(logarithms[start:end])))
