"""When to stop training: once a value has not improved for some epochs (Prechelt 1998; Keras's `EarlyStopping`)."""

import copy
import sys
from typing import Any, Self

import numpy as np

from scratchnet.arrays import Array
from scratchnet.checks import flag, integer, known, not_negative
from scratchnet.divergence import DivergedError
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
        self.monitor, self.patience = known("monitor", monitor, self.MONITORS), integer("patience", patience, 0)
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


class StoppableTraining:
    """A context for the epochs of one training, at whose end the rule may put the parameters of the best epoch back.

    They are put back where training diverges, too; no rule: training never stops early. The rule works as a copy,
    since another training may use the same object now; the object itself shows what was seen last.
    """

    def __init__(self, rule: EarlyStopping | None, parameters: Array) -> None:
        self._shown = rule if rule is not None else EarlyStopping("train_cost", patience=sys.maxsize)
        self._rule, self._parameters = copy.copy(self._shown), parameters
        self._best = parameters.copy() if self._rule.restore_best else None
        self._rule.reset()
        vars(self._shown).update(vars(self._rule))

    def stops(self, values: dict[str, float]) -> bool:
        """Whether to stop now, given all values of the epoch that has just ended."""
        stop = self._rule.update(values[self._rule.monitor])
        vars(self._shown).update(vars(self._rule))
        if self._best is not None and self._rule.improved:
            np.copyto(self._best, self._parameters)
        return stop

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *place: Any) -> None:
        if self._best is not None and (error is None or issubclass(error, DivergedError)):
            np.copyto(self._parameters, self._best)


def _exceeds(value: float, other: float) -> bool:
    """Whether it is greater in float32."""
    with np.errstate(over="ignore"):
        return bool(np.float32(value) > np.float32(other))
