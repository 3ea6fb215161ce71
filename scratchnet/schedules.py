"""Learning-rate schedules: the learning rate η of step t, where t counts from 0.

Fed by hyperparameters; feeds the optimizers. Names and formulas are Keras's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, floor, pi
from typing import Any

import numpy as np

from scratchnet.checks import convert, flag, integer, not_negative, positive, shown

Schedule = Callable[[int], float]


@dataclass(frozen=True)
class _PeriodicDecay:
    initial_learning_rate: float
    decay_steps: int
    decay_rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        _convert(self)
        convert(self, staircase=flag("staircase", self.staircase))

    def _periods(self, step: int) -> float:
        periods = step / self.decay_steps
        return floor(periods) if self.staircase else periods


@dataclass(frozen=True)
class ExponentialDecay(_PeriodicDecay):
    """η = η_0 · r^(t/T), with decay_rate r and decay_steps T; staircase: t/T rounded down."""

    def __post_init__(self) -> None:
        super().__post_init__()
        convert(self, decay_rate=positive("decay_rate", self.decay_rate))

    def __call__(self, step: int) -> float:
        return float(self.initial_learning_rate * self.decay_rate ** self._periods(step))


@dataclass(frozen=True)
class InverseTimeDecay(_PeriodicDecay):
    """η = η_0 / (1 + r t/T), with decay_rate r and decay_steps T; staircase: t/T rounded down."""

    def __post_init__(self) -> None:
        super().__post_init__()
        convert(self, decay_rate=not_negative("decay_rate", self.decay_rate))

    def __call__(self, step: int) -> float:
        return self.initial_learning_rate / (1 + self.decay_rate * self._periods(step))


@dataclass(frozen=True)
class PolynomialDecay:
    """η = (η_0 − η_T) (1 − min(t, T)/T)^p + η_T, with decay_steps T and power p.

    cycle: T is replaced by its smallest multiple that t has not passed.
    """

    initial_learning_rate: float
    decay_steps: int
    end_learning_rate: float = 0.0001
    power: float = 1.0
    cycle: bool = False

    def __post_init__(self) -> None:
        _convert(self)
        end, power = positive("end_learning_rate", self.end_learning_rate), positive("power", self.power)
        convert(self, end_learning_rate=end, power=power, cycle=flag("cycle", self.cycle))

    def __call__(self, step: int) -> float:
        end = float(self.decay_steps)
        if self.cycle:
            end *= max(1, -(-step // self.decay_steps))
        left = 1.0 - min(step, end) / end
        return float((self.initial_learning_rate - self.end_learning_rate) * left**self.power + self.end_learning_rate)


@dataclass(frozen=True)
class CosineDecay:
    """η = η_0 ((1 − α) (1 + cos(π t/T)) / 2 + α) up to T = decay_steps, then α η_0 (Loshchilov & Hutter 2017).

    With warmup_target η_w: first linear from η_0 to η_w in warmup_steps, then the decay from η_w.
    """

    initial_learning_rate: float
    decay_steps: int
    alpha: float = 0.0
    warmup_target: float | None = None
    warmup_steps: int = 0

    def __post_init__(self) -> None:
        initial = not_negative("initial_learning_rate", self.initial_learning_rate)
        convert(self, initial_learning_rate=initial, alpha=not_negative("alpha", self.alpha))
        warmup, decay = integer("warmup_steps", self.warmup_steps, 0), integer("decay_steps", self.decay_steps, 1)
        convert(self, warmup_steps=warmup, decay_steps=decay)
        if self.warmup_target is not None:
            convert(self, warmup_target=positive("warmup_target", self.warmup_target))

    def __call__(self, step: int) -> float:
        if self.warmup_target is None:
            return self._decayed(self.initial_learning_rate, step)
        if step < self.warmup_steps:
            rise = self.warmup_target - self.initial_learning_rate
            return self.initial_learning_rate + rise * step / self.warmup_steps
        return self._decayed(self.warmup_target, step - self.warmup_steps)

    def _decayed(self, start: float, step: int) -> float:
        half_wave = 0.5 * (1.0 + cos(pi * min(step, self.decay_steps) / self.decay_steps))
        return start * ((1.0 - self.alpha) * half_wave + self.alpha)


@dataclass(frozen=True)
class PiecewiseConstantDecay:
    """η = values[k], k the number of boundaries that t has passed: t ≤ boundaries[0] takes values[0]."""

    boundaries: tuple[int, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        boundaries = tuple(integer("boundaries", step, 0) for step in _several("boundaries", self.boundaries))
        values = tuple(positive("values", value) for value in _several("values", self.values))
        convert(self, boundaries=boundaries, values=values)
        if len(values) != len(boundaries) + 1:
            raise ValueError(f"{len(values)} values; allowed: {len(boundaries) + 1}, one more than boundaries")
        if list(boundaries) != sorted(set(boundaries)):
            raise ValueError(f"boundaries are {boundaries}; allowed: rising steps")

    def __call__(self, step: int) -> float:
        return self.values[sum(step > boundary for boundary in self.boundaries)]


def _several(name: str, values: Any) -> Any:
    if isinstance(values, str) or np.ndim(values) != 1:
        raise TypeError(f"{name} is {shown(values)}; allowed: a sequence of numbers")
    return values


def _convert(schedule: Any) -> None:
    """Check and convert the two numbers that most schedules have."""
    initial = positive("initial_learning_rate", schedule.initial_learning_rate)
    convert(schedule, initial_learning_rate=initial, decay_steps=integer("decay_steps", schedule.decay_steps, 1))


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "exponential_decay": ExponentialDecay,
    "inverse_time_decay": InverseTimeDecay,
    "polynomial_decay": PolynomialDecay,
    "cosine_decay": CosineDecay,
    "piecewise_constant_decay": PiecewiseConstantDecay,
}
