"""When to stop training: once a value has not improved for some epochs (Prechelt 1998; Keras's `EarlyStopping`).

Fed by one value an epoch; feeds `Network.fit`, or whoever drives the epochs.
"""

from scratchnet.checks import not_negative


class EarlyStopping:
    """Stops after `patience` epochs in a row without an improvement of more than `min_delta`; 0 or 1: the first one.

    monitor : "train_cost", "validation_cost" or "validation_accuracy"; of an accuracy more is better.
    restore_best : whether the parameters of the best epoch are put back at the end of training.

    Raises
    ------
    ValueError
        Names the value and what is allowed.
    """

    MONITORS = ("train_cost", "validation_cost", "validation_accuracy")

    def __init__(
        self,
        monitor: str = "validation_cost",
        patience: int = 0,
        min_delta: float = 0.0,
        restore_best: bool = False,
    ) -> None:
        if monitor not in self.MONITORS:
            raise ValueError(f"monitor {monitor!r} is not known; allowed: {', '.join(self.MONITORS)}")
        not_negative("patience", patience)
        self.monitor, self.patience, self.restore_best = monitor, int(patience), bool(restore_best)
        self.min_delta = not_negative("min_delta", min_delta)
        self._sign = 1.0 if monitor.endswith("accuracy") else -1.0
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
        self.improved = self._best is None or self._sign * value - self.min_delta > self._best
        if self.improved:
            self._best, self.best_epoch, self._waited = self._sign * value, self._epoch, 0
            return False
        self._waited += 1
        return self._waited >= self.patience
