"""Training that diverges: after each epoch, `Network.fit` checks that cost and parameters are finite."""

from math import isfinite

from scratchnet.arrays import Array, is_finite

REMEDY = (
    "try a smaller learning rate, clipping (global_clipnorm=1.0 of the optimizer), inputs scaled to about -1 to 1, "
    'or dtype="float64"'
)


class DivergedError(ValueError):
    """The cost or a parameter is `nan` or infinite: no further step can mend it."""


def check_epoch(number: int, cost: float, parameters: Array, learning_rate: float) -> None:
    """Raise a DivergedError where the cost of an epoch, or a parameter after it, is not finite."""
    if isfinite(cost) and is_finite(parameters):
        return
    what = "a parameter is not finite" if isfinite(cost) else f"the cost is {cost}"
    raise DivergedError(f"training diverged: {what} after epoch {number} (learning rate {learning_rate:g}); {REMEDY}")
