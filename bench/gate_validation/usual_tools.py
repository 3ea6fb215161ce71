"""What the usual tools would have said of the same timings: each by the rule that it publishes, with its defaults.

Fed by the comparisons' pairs, of which each tool gets two separate runs, as where a stored baseline is compared with a
later run: the old side's process of an early pair and the new side's of a later one. Feeds table and plot.
"""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu, ttest_ind

from bench.gate_validation.proportions import Share
from bench.gate_validation.records import ComparisonRecord
from bench.gate_validation.scenarios import FEWEST_PAIRS

Floats = NDArray[np.float64]
Answers = NDArray[np.bool_]
Slower = Callable[[Floats, Floats], Answers]
"""Seconds of the old and of the new run, (comparisons, timings) each → for each comparison, whether new is slower."""

PERCENTAGE = 5
ASV_FACTOR, ASV_P, ASV_PROCESSES, ASV_EXACT_UP_TO = 1.1, 0.002, 2, 20
ASV_TIMINGS = next(n for n in range(1, 20) if 1 / math.comb(2 * n, n) < ASV_P)
"""Timings of a run with which its test can reach that p at all; with fewer asv compares intervals of the median."""
CRITERION_P, CRITERION_NOISE, CRITERION_INTERVAL = 0.05, 0.01, (2.5, 97.5)
RESAMPLES = 10_000
"""A tenth of criterion's own number: the same ones serve every comparison."""
COMPARISONS_AT_ONCE = 100
WELCH_P = 0.05


def mean_above(old: Floats, new: Floats) -> Answers:
    """pytest-benchmark's `PercentageRegressionCheck`: mean / mean · 100 − 100 > 5."""
    return _percent_above(old.mean(axis=1), new.mean(axis=1))


def min_above(old: Floats, new: Floats) -> Answers:
    """The same of the shortest."""
    return _percent_above(old.min(axis=1), new.min(axis=1))


def _percent_above(old: Floats, new: Floats) -> Answers:
    above: Answers = new / old * 100 - 100 > PERCENTAGE
    return above


def asv_worse(old: Floats, new: Floats) -> Answers:
    """asv's `_is_result_better(old, new)`: medians apart by the factor, and `is_different` by a two-sided U test.

    The test is exact up to 20 timings a run, then the normal approximation without correction, as in asv.
    """
    method: Literal["exact", "asymptotic"] = (
        "exact" if max(old.shape[1], new.shape[1]) <= ASV_EXACT_UP_TO else "asymptotic"
    )
    p = mannwhitneyu(old, new, axis=1, method=method, use_continuity=False).pvalue
    worse: Answers = (p < ASV_P) & (np.median(old, axis=1) < np.median(new, axis=1) / ASV_FACTOR)
    return worse


def criterion_regressed(old: Floats, new: Floats) -> Answers:
    """criterion's "Performance has regressed": bootstrapped t test, and the mean's change beyond the threshold."""
    pieces = range(0, len(old), COMPARISONS_AT_ONCE)
    at_once = [slice(start, start + COMPARISONS_AT_ONCE) for start in pieces]
    return np.concatenate([_regressed(old[some], new[some]) for some in at_once])


def _regressed(old: Floats, new: Floats) -> Answers:
    change = _resampled_means(new, 1) / _resampled_means(old, 2) - 1
    low = np.percentile(change, CRITERION_INTERVAL[0], axis=0)
    regressed: Answers = (bootstrap_p(old, new) < CRITERION_P) & (low > CRITERION_NOISE)
    return regressed


def bootstrap_p(old: Floats, new: Floats) -> Floats:
    """p of each comparison: where its t lies among those of resamples that are drawn from both runs together."""
    both = np.concatenate([new, old], axis=1)
    both = both - both.mean(axis=1, keepdims=True)  # t does not change, and the variances lose no digits
    size = new.shape[1]
    drawn = _places(both.shape[1], both.shape[1], 0)
    new_part, old_part = (_moments(both, part) for part in (drawn[:, :size], drawn[:, size:]))
    resampled = _t(new_part, old_part, size, old.shape[1])
    found = _t(_own_moments(both[:, :size]), _own_moments(both[:, size:]), size, old.shape[1])
    below = (resampled < found).sum(axis=0)
    p: Floats = 2 * np.minimum(below, RESAMPLES - below) / RESAMPLES
    return p


@cache
def _places(draws: int, of: int, seed: int) -> NDArray[np.intp]:
    """Places drawn with replacement, (resamples, draws)."""
    return np.random.default_rng(seed).integers(0, of, (RESAMPLES, draws))


def _counts(places: NDArray[np.intp], of: int) -> Floats:
    """How often each place was drawn, (resamples, of): a resample's sum is then a product of matrices."""
    return np.stack([(places == place).sum(axis=1) for place in range(of)], axis=1).astype(np.float64)


def _resampled_means(runs: Floats, seed: int) -> Floats:
    """(resamples, comparisons)."""
    size = runs.shape[1]
    means: Floats = _counts(_places(size, size, seed), size) @ runs.T / size
    return means


def _moments(both: Floats, places: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Mean and variance of the drawn values, (resamples, comparisons) each."""
    counts, size = _counts(places, both.shape[1]), places.shape[1]
    mean = counts @ both.T / size
    return mean, np.maximum(counts @ (both**2).T - size * mean**2, 0) / (size - 1)


def _own_moments(runs: Floats) -> tuple[Floats, Floats]:
    return runs.mean(axis=1), runs.var(axis=1, ddof=1)


def _t(new: tuple[Floats, Floats], old: tuple[Floats, Floats], new_size: int, old_size: int) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample of one value alone has no variance
        t: Floats = (new[0] - old[0]) / np.sqrt(new[1] / new_size + old[1] / old_size)
    return t


def welch_slower(old: Floats, new: Floats) -> Answers:
    """A mean that is larger, by Welch's two-sided t test at 5 %; no size is asked for."""
    with warnings.catch_warnings():  # of runs that are equal to the last digit: p is then nan, and nothing is found
        warnings.simplefilter("ignore", RuntimeWarning)
        p = ttest_ind(new, old, axis=1, equal_var=False).pvalue
    slower: Answers = (p < WELCH_P) & (new.mean(axis=1) > old.mean(axis=1))
    return slower


@dataclass(frozen=True)
class Tool:
    """A rule, how many processes a run of it has, and where the rule is published."""

    slower: Slower
    rule: str
    source: str
    processes: int = 1
    fewest_timings: int = 2


TOOLS: dict[str, Tool] = {
    "pytest-benchmark mean:5%": Tool(
        mean_above,
        "mean more than 5 % above",
        "pytest-benchmark 5.3.1, `pytest_benchmark.utils.PercentageRegressionCheck`",
    ),
    "pytest-benchmark min:5%": Tool(
        min_above,
        "minimum more than 5 % above",
        "pytest-benchmark 5.3.1, `pytest_benchmark.utils.PercentageRegressionCheck`",
    ),
    "asv continuous": Tool(
        asv_worse,
        "median more than 1.1 times, and Mann-Whitney p < 0.002; two processes a run",
        "asv 0.6.6, `asv.commands.compare._is_result_better`, `asv._stats.is_different`; "
        "asv_runner 0.3.2, `TimeBenchmark.rounds`",
        ASV_PROCESSES,
        ASV_TIMINGS,
    ),
    "criterion": Tool(
        criterion_regressed,
        "bootstrapped t test p < 0.05, and the 95 % interval of the mean's change above +1 %",
        "criterion.rs, `src/report.rs` (`compare_to_threshold`), `src/stats/univariate/mixed.rs`, book (Analysis)",
    ),
    "Welch's t test": Tool(
        welch_slower,
        "mean larger, two-sided p < 0.05",
        'Welch, "The generalization of Student\'s problem", Biometrika 34, 1947',
    ),
}


def said_slower(tool: Tool, comparisons: Sequence[ComparisonRecord]) -> Share:
    """In how many of the comparisons that tool would have said that new is slower.

    Those of too few pairs for two separate runs are not among them.
    """
    runs = list(_runs(tool, comparisons))
    if not runs:
        return Share(0, 0)
    shortest = min(len(side) for sides in runs for side in sides)
    old, new = (np.array([sides[place][:shortest] for sides in runs]) for place in (0, 1))
    return Share.where(bool(answer) for answer in tool.slower(old, new))


def _runs(tool: Tool, comparisons: Sequence[ComparisonRecord]) -> Iterator[tuple[tuple[float, ...], tuple[float, ...]]]:
    """The timings of the old and of the new run, from fixed places: when the comparison ended has no say in them."""
    for one in comparisons:
        processes = max(tool.processes, math.ceil(tool.fewest_timings / len(one.pairs[0].old_seconds)))
        if len(one.pairs) >= FEWEST_PAIRS > processes:
            early, later = one.pairs[:processes], one.pairs[FEWEST_PAIRS - processes : FEWEST_PAIRS]
            old = tuple(seconds for pair in early for seconds in pair.old_elapsed or pair.old_seconds)
            yield old, tuple(seconds for pair in later for seconds in pair.new_elapsed or pair.new_seconds)
