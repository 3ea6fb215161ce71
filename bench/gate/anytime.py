"""A bet against "not more than half of the pairs are above": its gain may be looked at after every pair.

Feeds the decision of the gate, and the interval that it shows.

Sources: Ville, "Étude critique de la notion de collectif", 1939, for the error of a bet that is looked at again and
again; Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86(1), 2024; Howard &
Ramdas, "Sequential estimation of quantiles with applications to A/B testing and best-arm identification", Bernoulli
28(3), 2022, for intervals of a median that hold at every look.
"""

import math
from bisect import bisect_left, insort
from collections.abc import Iterable
from functools import cache
from statistics import median

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
    half = pairs // 2
    return half + bisect_left(range(half, pairs + 1), -math.log(alpha), key=lambda above: log_gain(above, pairs))


class MedianInterval:
    """Ends of the median of values that come one after another, each end wrong with its α at most, at any look.

    The lower end after n values is the largest that the bet "the median lies above it" has won against, by the
    `needed`-th largest value; and the best of all looks so far counts. −∞ and ∞ where no bet was won.
    """

    def __init__(self, low_alpha: float, high_alpha: float) -> None:
        self._alphas, self._ordered = (low_alpha, high_alpha), list[float]()
        self.low, self.high = -math.inf, math.inf

    def add(self, value: float) -> None:
        """Look again, with one value more."""
        insort(self._ordered, value)
        count = len(self._ordered)
        below, above = (needed(count, alpha) for alpha in self._alphas)
        if below <= count:
            self.low = max(self.low, self._ordered[-below])
        if above <= count:
            self.high = min(self.high, self._ordered[above - 1])

    @property
    def median(self) -> float:
        """Of the values so far."""
        return median(self._ordered)


def median_interval(values: Iterable[float], low_alpha: float, high_alpha: float) -> tuple[float, float]:
    """The ends after all these values, in their order."""
    so_far = MedianInterval(low_alpha, high_alpha)
    for value in values:
        so_far.add(value)
    return so_far.low, so_far.high
