"""When to stop training: once a value has not improved for some epochs (Prechelt 1998; Keras's `EarlyStopping`)."""

import numpy as np

from scratchnet.checks import flag, integer, known, not_negative
from scratchnet.metrics import CLASSIFICATION, LESS_IS_BETTER, REGRESSION


class EarlyStopping:
    """Stops after `patience` epochs in a row without an improvement of more than `min_delta`; 0 or 1: the first one.

    Each `fit` works on a copy, so one object serves several trainings, also at the same time. Afterwards `best_epoch`
    is that of the training whose epoch ended last.

    Two values are compared in float32, as Keras compares them: a gain that equals `min_delta` but for rounding is none.

    monitor : "train_cost", "validation_cost", or "validation_" and a metric that `Network.evaluate` reports. Of costs
        and errors less is better, of all others more.
    restore_best : whether the parameters of the best epoch are put back at the end of training.
    """

    MONITORS = ("train_cost", *(f"validation_{name}" for name in ("cost", *CLASSIFICATION, *REGRESSION)))

    def __init__(
        self, monitor: str = "validation_cost", patience: int = 0, min_delta: float = 0.0, restore_best: bool = False
    ) -> None:
        known("monitor", monitor, self.MONITORS)
        self.monitor, self.patience = monitor, integer("patience", patience, 0)
        self.restore_best = flag("restore_best", restore_best)
        self.min_delta = not_negative("min_delta", min_delta)
        self._sign = -1.0 if monitor.partition("_")[2] in LESS_IS_BETTER else 1.0
        self.reset()

    def reset(self) -> None:
        """Forget what was seen: a new training begins."""
        self._best: float | None = None
        self._epoch = self._waited = self.best_epoch = 0
        self.improved = False
        """Whether the last value was the best so far."""

    def update(self, value: float) -> bool:
        """Whether to stop now, given the value of the epoch that has just ended; the first is always the best."""
        self._epoch += 1
        self.improved = self._best is None or _exceeds(self._sign * value - self.min_delta, self._best)
        if self.improved:
            self._best, self.best_epoch, self._waited = self._sign * value, self._epoch, 0
            return False
        self._waited += 1
        return self._waited >= self.patience


def _exceeds(value: float, other: float) -> bool:
    """Whether it is greater in float32."""
    with np.errstate(over="ignore"):
        return bool(np.float32(value) > np.float32(other))
