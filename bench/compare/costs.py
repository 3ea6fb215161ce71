"""The costs and errors of A and B: the final ones against their tolerance, and the epoch where mean costs separate.

They are compared as logarithms of a ratio, so that exchanging A and B gives the reciprocal. Costs are comparable only
if both specs define them in the same way.
"""

import math
from collections.abc import Collection

import numpy as np

from bench.compare.document import Curves, Parts
from bench.compare.equivalence import Evidence, difference
from bench.compare.match import Match
from bench.compare.processes import ComparedCell, Curve

RESOLUTION = 2.0**-23
"""Of a cost, relative: float32's."""

DEFINING = (
    "loss",
    "label_smoothing",
    "huber_delta",
    "regularization",
    "class_weights",
    "sample_weight_range",
    "target_scaling",
)
"""Fields of a spec that decide what its cost is."""


def cost_evidence(match: Match, tolerance: float, identical: bool) -> Evidence:
    """ln(cost of A / cost of B) at the end of training, over seeds, against ln(1 + tolerance)."""
    weak = any(name.split(".")[0] in DEFINING for name in match.differing)
    return relative_evidence(match, "cost", tolerance, identical, weak)


def relative_evidence(match: Match, name: str, tolerance: float, identical: bool, weak: bool = False) -> Evidence:
    """ln(value of A / value of B) of a cost or an error, over seeds, against ln(1 + tolerance)."""
    logarithms = [
        {seed: math.log(value) for seed, value in cell.values(name).items() if value > 0} for cell in (match.a, match.b)
    ]
    gain = difference(logarithms[1], logarithms[0], RESOLUTION) if all(logarithms) else None
    return Evidence(gain, math.log1p(tolerance), identical, match.incomplete, weak)


def curves(match: Match, name: str) -> Curves:
    """Seed → `costs` or `scores` by epoch, of the processes that ended well."""
    a, b = ({seed: _listed(getattr(process, name)) for seed, process in cell.ok.items()} for cell in (match.a, match.b))
    return Curves(a=a, b=b)


def _listed(curve: Curve) -> tuple[float | None, ...]:
    values = curve.astype(object)
    values[np.isnan(curve)] = None
    return tuple(values.tolist())


def parts_at(match: Match, tolerance: float) -> Parts:
    """The first epoch at which the mean curves differ by more than the tolerance, relative to A.

    Means are over the seeds that both sides have, or over all where they share none.
    """
    shared = match.a.ok.keys() & match.b.ok.keys()
    one, other = (_mean_curve(cell, shared or cell.ok.keys()) for cell in (match.a, match.b))
    epochs = min(len(one), len(other))
    a, b = np.where(one[:epochs] == 0, np.nan, one[:epochs]), other[:epochs]
    with np.errstate(over="ignore"):
        relative = (b - a) / np.abs(a)
    known = np.flatnonzero(~np.isnan(relative))
    beyond = known[np.abs(relative[known]) > tolerance]
    shown = beyond[0] if beyond.size else known[-1] if known.size else None
    return Parts(
        epoch=int(beyond[0]) + 1 if beyond.size else None,
        relative=None if shown is None else float(relative[shown]),
        largest_relative=float(np.abs(relative[known]).max()) if known.size else None,
    )


def _mean_curve(cell: ComparedCell, seeds: Collection[int]) -> Curve:
    """NaN where a seed has no finite value; else the mean would change its seeds from epoch to epoch."""
    curves = [process.costs for seed, process in cell.ok.items() if seed in seeds]
    epochs = max(map(len, curves))
    rows = np.full((epochs, len(curves)), np.nan)
    for place, curve in enumerate(curves):
        rows[: len(curve), place] = curve
    mean: Curve = rows.mean(axis=1)
    return mean
