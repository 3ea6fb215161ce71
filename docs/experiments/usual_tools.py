"""Whether the usual tools would call a run slower: each by the rule that it publishes, with its defaults.

Each rule takes the timings of an old and of a new run, in seconds.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu, ttest_ind

Floats = NDArray[np.float64]
RESAMPLES = 10_000
"""A tenth of criterion's own number."""


def mean_above(old: Floats, new: Floats) -> bool:
    """pytest-benchmark 5.3.1, `--benchmark-compare-fail=mean:5%` (`utils.PercentageRegressionCheck`)."""
    return bool(new.mean() / old.mean() * 100 - 100 > 5)


def min_above(old: Floats, new: Floats) -> bool:
    """The same with `min:5%`."""
    return bool(new.min() / old.min() * 100 - 100 > 5)


def asv_worse(old: Floats, new: Floats) -> bool:
    """asv 0.6.6, `continuous` (`commands.compare`, `_stats`): median over 1.1 times, and Mann-Whitney p < 0.002.

    The test is exact up to 20 timings a run, then the normal approximation without correction, as in asv.
    """
    method = "exact" if max(len(old), len(new)) <= 20 else "asymptotic"
    p = mannwhitneyu(old, new, method=method, use_continuity=False).pvalue
    return bool(p < 0.002 and np.median(new) > 1.1 * np.median(old))


def criterion_regressed(old: Floats, new: Floats) -> bool:
    """criterion.rs (`report.rs`, `stats/univariate/mixed.rs`): p < 0.05, and the mean's change beyond +1 %."""
    rng = np.random.default_rng(0)
    means = (rng.choice(run, (RESAMPLES, len(run))).mean(axis=1) for run in (new, old))
    low = np.percentile(np.divide(*means) - 1, 2.5)
    return bool(low > 0.01 and bootstrap_p(old, new, rng) < 0.05)


def bootstrap_p(old: Floats, new: Floats, rng: np.random.Generator) -> float:
    """Two-sided p: where t lies among those of resamples that are drawn from both runs together."""
    both = np.concatenate([new, old])
    drawn = rng.choice(both - both.mean(), (RESAMPLES, len(both)))
    resampled = _t(drawn[:, : len(new)], drawn[:, len(new) :])
    below = int(np.sum(resampled < _t(new[None], old[None])))
    return 2 * min(below, RESAMPLES - below) / RESAMPLES


def _t(new: Floats, old: Floats) -> Floats:
    error = np.sqrt(new.var(axis=1, ddof=1) / new.shape[1] + old.var(axis=1, ddof=1) / old.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample of equal values has no variance
        t: Floats = (new.mean(axis=1) - old.mean(axis=1)) / error
    return t


def welch_slower(old: Floats, new: Floats) -> bool:
    """Welch's two-sided t test at 5 % (Biometrika 34, 1947), and a larger mean."""
    return bool(new.mean() > old.mean() and ttest_ind(new, old, equal_var=False).pvalue < 0.05)


TOOLS = {
    "pytest-benchmark mean:5%": mean_above,
    "pytest-benchmark min:5%": min_above,
    "asv continuous": asv_worse,
    "criterion": criterion_regressed,
    "Welch's t test": welch_slower,
}
PROCESSES = {"asv continuous": 2}
"""Of a run; the others: 1."""
