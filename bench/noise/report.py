"""The noise floor as a table, a plot and a sentence.

Writes noise.csv, noise.md, noise.png and noise.svg.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.stats import quantile_test

from bench.core.csv_text import csv_text
from bench.core.files import write_atomically
from bench.core.markdown import document, text_table
from bench.core.statistics import CONFIDENCE, Interval
from bench.core.text import with_ends
from bench.noise.drift import KERAS, REFERENCE, SCRATCHNET, Drift, Way
from bench.report.style import grid, legend_below, logarithmic, plot_settings, save_figure, style_of

MARKS = (100, 500, 1000)
DRAWN_STEPS = 5
"""Every fifth step is drawn: a curve that only rises is none the worse, and the file a fifth of the size."""
LIMIT = 2.0
"""scratchnet may drift so many times as far. Drift grows a millionfold within an epoch, so a mistake shows as far more;
1 would be no fair limit, for Keras's ways share kernels, and so part of their roundings.
"""

Finding = Literal["below", "above", "undecided"]
"""Where the ratio of the two drifts lies, beside `LIMIT`."""
SENTENCES: dict[Finding, str] = {
    "below": "in float32 scratchnet drifts from Keras less than twice as far as Keras drifts from itself",
    "above": "in float32 scratchnet drifts from Keras more than twice as far as Keras drifts from itself",
    "undecided": "too few seeds to say whether scratchnet drifts from Keras twice as far as Keras drifts from itself",
}


def table(drifts: Sequence[Drift]) -> pd.DataFrame:
    """One row for each activation, way and seed: largest relative difference of the cost up to some steps."""
    return pd.DataFrame(
        [
            {
                "activation": drift.activation,
                "way": str(drift.way),
                "seed": drift.seed,
                **{f"to step {mark}": float(np.max(drift.differences[:mark])) for mark in MARKS},
                "whole epoch": float(np.max(drift.differences)),
                "geometric mean": typical(drift.differences),
                "parameters": drift.parameters,
                "test accuracy": drift.test_accuracy,
            }
            for drift in drifts
        ]
    )


def ratio(drifts: Sequence[Drift], activation: str) -> Interval:
    """scratchnet's drift over Keras's own: of each the way that drifts furthest, geometric mean over the epoch's steps.

    Median over the seeds, with a distribution-free 95 % interval (Conover 1999, section 3.2): the step at which two
    trainings cross a kink differently is chance, and the differences after it are a thousand times larger.
    """
    of_activation = [drift for drift in drifts if drift.activation == activation]
    seeds = sorted({drift.seed for drift in of_activation})
    ratios = [_of(of_activation, seed, SCRATCHNET) / _of(of_activation, seed, KERAS) for seed in seeds]
    ends: Any = quantile_test(ratios, p=0.5).confidence_interval(CONFIDENCE)
    return Interval(float(np.median(ratios)), _finite(ends.low), _finite(ends.high), len(ratios))


def _finite(end: float) -> float | None:
    return float(end) if np.isfinite(end) else None


def _of(drifts: Sequence[Drift], seed: int, ways: Sequence[Way]) -> float:
    return max(typical(drift.differences) for drift in drifts if drift.seed == seed and drift.way in ways)


def typical(differences: NDArray[np.float64]) -> float:
    """Geometric mean over the steps; where two costs are equal, their difference counts as half a last bit."""
    return float(np.exp(np.mean(np.log(np.maximum(differences, np.finfo(np.float32).eps / 4)))))


def finding(drifts: Sequence[Drift]) -> Finding:
    """Above where an interval begins above `LIMIT`; below where all of them end below it; else not decided."""
    intervals = [ratio(drifts, activation) for activation in _activations(drifts)]
    if any(one.low is not None and one.low > LIMIT for one in intervals):
        return "above"
    return "below" if all(one.high is not None and one.high < LIMIT for one in intervals) else "undecided"


def verdict(drifts: Sequence[Drift]) -> str:
    """One sentence."""
    found = {name: ratio(drifts, name) for name in _activations(drifts)}
    ratios = "; ".join(f"{name}: {with_ends(one.centre, one.low, one.high)}" for name, one in found.items())
    return f"{SENTENCES[finding(drifts)]} (ratio of the two drifts, median over seeds and its 95 % interval: {ratios})"


def write(drifts: Sequence[Drift], folder: Path) -> None:
    """Write table, summary and plot."""
    rows = table(drifts)
    write_atomically(folder / "noise.csv", csv_text(rows, "%.4e"))
    write_atomically(folder / "noise.md", _markdown(rows, drifts))
    _plot(drifts, folder)


def _markdown(rows: pd.DataFrame, drifts: Sequence[Drift]) -> str:
    columns = [name for name in rows if name not in ("activation", "way", "seed", "test accuracy")]
    medians = rows.groupby(["activation", "way"], sort=False)[columns].median().map(lambda value: f"{value:.1e}")
    accuracy = rows.groupby(["activation", "way"], sort=False)["test accuracy"].mean().map(lambda v: f"{100 * v:.2f} %")
    steps, seeds = len(drifts[0].differences), rows["seed"].nunique()
    text = (
        f"784-128-10, float32, plain SGD, M = 32, {steps:,} steps, {seeds} seeds. Every way of training starts from the"
        f" same parameters and takes the same batches as the reference, {REFERENCE}. The figures are the largest"
        " relative difference of a step's cost from the reference's, up to a step and over the whole epoch, its"
        " geometric mean, and the distance of the parameters after the epoch: medians over the seeds."
    )
    shown = medians.assign(**{"test accuracy": accuracy}).reset_index()
    picture = "![Drift of each way by step](noise.png)"
    return document(["# The noise floor in float32", f"{verdict(drifts)}.", text, text_table(shown), picture])


def _plot(drifts: Sequence[Drift], folder: Path) -> None:
    with plot_settings():
        names = _activations(drifts)
        figure, panels = grid(names, f"How far the cost of a step drifts from {REFERENCE} (float32, median and range)")
        for name, axes in zip(names, panels, strict=True):
            _panel(axes, [drift for drift in drifts if drift.activation == name])
        legend_below(figure, [_line(way, drifts) for way in (*KERAS, *SCRATCHNET)])
        save_figure(figure, folder / "noise")


def _panel(axes: Axes, drifts: Sequence[Drift]) -> None:
    for way in (*KERAS, *SCRATCHNET):
        so_far = np.array([np.maximum.accumulate(drift.differences) for drift in drifts if drift.way == way])
        so_far, line = so_far[:, ::DRAWN_STEPS], _line(way, drifts)
        steps = 1 + DRAWN_STEPS * np.arange(so_far.shape[1])
        axes.plot(steps, np.median(so_far, axis=0), color=line.get_color(), linestyle=line.get_linestyle(), lw=1.4)
        axes.fill_between(steps, so_far.min(axis=0), so_far.max(axis=0), color=line.get_color(), alpha=0.1, lw=0)
    axes.set_yscale("log")
    # Settings show text as it is, and Matplotlib's own labels of a logarithmic axis are mathematics.
    logarithmic(axes, "y", *axes.get_ylim(), "{:.0e}".format)
    axes.set_xlabel("step")
    axes.set_ylabel("largest relative difference so far")


def _line(way: Way, drifts: Sequence[Drift]) -> Line2D:
    """The line of a way; the label says if there is no drift, which a logarithmic axis cannot show."""
    style = style_of(way.backend)
    label = str(way) if any(drift.differences.any() for drift in drifts if drift.way == way) else f"{way} (no drift)"
    return Line2D([], [], color=style.color, linestyle="-" if way.threads > 1 else (0, (4, 2)), label=label)


def _activations(drifts: Sequence[Drift]) -> list[str]:
    return list(dict.fromkeys(drift.activation for drift in drifts))
