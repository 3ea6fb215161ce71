"""A bet against "not more than half of the pairs are above": its gain may be looked at after every pair.

Feeds the decision of the gate, and the interval that it shows.

Sources: Ville, "Étude critique de la notion de collectif", 1939, for the error of a bet that is looked at again and
again; Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86(1), 2024; Howard &
Ramdas, "Sequential estimation of quantiles with applications to A/B testing and best-arm identification", Bernoulli
28(3), 2022, for intervals of a median that hold at every look.
"""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy.special import betaincc, betaln


def log_gain(above: int, pairs: int) -> float:
    """ln E of `above` among `pairs`: E = 2 ∫_½^1 (2p)^k (2(1−p))^(n−k) dp, a bet on every p above ½ at once.

    Where each pair is above with probability ½ at most, whatever went before, E ≥ 1/α ever happens with probability α
    at most. In closed form E = 2^(n+1) B(k+1, n−k+1) (1 − I_½(k+1, n−k+1)).
    """
    k, n = above, pairs
    rest = betaincc(k + 1, n - k + 1, 0.5)
    return (n + 1) * math.log(2) + float(betaln(k + 1, n - k + 1)) + (math.log(rest) if rest > 0 else -math.inf)


@cache
def needed(pairs: int, alpha: float) -> int:
    """How many of so many pairs must be above for a gain of 1/α; `pairs` + 1 where not even all of them suffice."""
    above = range(pairs // 2, pairs + 1)
    return next((k for k in above if log_gain(k, pairs) >= -math.log(alpha)), pairs + 1)


def median_interval(values: Sequence[float], low_alpha: float, high_alpha: float) -> tuple[float, float]:
    """Ends of the median of values that come one after another, each end wrong with its α at most, at any look.

    The lower end after n values is the largest that the bet "the median lies above it" has won against, by the
    `needed`-th largest value; and the best of all looks so far counts. −∞ and ∞ where no bet was won.
    """
    low, high = -math.inf, math.inf
    for n in range(1, len(values) + 1):
        seen = np.sort(np.asarray(values[:n]))
        low = max(low, _from_the_end(seen[::-1], needed(n, low_alpha), -math.inf))
        high = min(high, _from_the_end(seen, needed(n, high_alpha), math.inf))
    return low, high


def _from_the_end(ordered: "np.ndarray[tuple[int], np.dtype[np.float64]]", count: int, none: float) -> float:
    return float(ordered[count - 1]) if count <= len(ordered) else none
