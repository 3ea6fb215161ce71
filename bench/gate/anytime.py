"""Anytime-valid tests and confidence sequences for a median, by betting. They hold however often one looks at the data.

Sources: Ville, "Étude critique de la notion de collectif", 1939, for the error of a bet that is watched all the time;
Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86(1), 2024; Howard & Ramdas,
"Sequential estimation of quantiles with applications to A/B testing and best-arm identification", Bernoulli 28(3),
2022, for confidence sequences of a median.
"""

import math
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from functools import cache
from statistics import median


@cache
def log_gain(above: int, pairs: int) -> float:
    """ln E of `above` among `pairs`: E = 2 ∫_½^1 (2p)^k (2(1−p))^(n−k) dp, a bet on every p above ½ at once.

    If each pair is above with probability ½ at most, whatever happened before, then E ever reaches 1/α with probability
    α at most. In whole numbers E = Σ_{j≤k} C(n+1, j) / ((n+1) C(n, k)), since an incomplete beta integral at ½ is a sum
    of binomials.
    """
    k, n = above, pairs
    binomial = total = 1
    for j in range(1, k + 1):
        binomial = binomial * (n + 2 - j) // j
        total += binomial
    return math.log(total) - math.log((n + 1) * math.comb(n, k))


@cache
def needed(pairs: int, alpha: float) -> int:
    """How many of `pairs` must be above for a gain of 1/α; `pairs` + 1 if not even all of them suffice."""
    half = pairs // 2
    return half + bisect_left(range(half, pairs + 1), -math.log(alpha), key=lambda above: log_gain(above, pairs))


def medians(values: Iterable[float], low_alpha: float, high_alpha: float) -> Iterator[tuple[float, float, float]]:
    """Median, lower and upper end of its interval after each value. Each end is ever wrong with its α at most.

    An end is infinite while nothing can be said. The lower end after n values is the `needed`-th largest: the largest
    number for which the bet "the median is above it" is won. The best of all looks so far counts.
    """
    ordered, low, high = list[float](), -math.inf, math.inf
    for count, value in enumerate(values, 1):
        insort(ordered, value)
        above, below = needed(count, low_alpha), needed(count, high_alpha)
        low = max(low, ordered[-above]) if above <= count else low
        high = min(high, ordered[below - 1]) if below <= count else high
        yield median(ordered), low, high
