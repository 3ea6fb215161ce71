"""Learning-rate schedules: the learning rate η of step t, from 0. Names and formulas are Keras's."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import cos, floor, pi
from typing import Annotated, Any

from scratchnet.checks import Checked, Count, CountFromZero, Flag, NotNegative, Positive, integer, positive, several

Schedule = Callable[[int], float]


@dataclass(frozen=True)
class ExponentialDecay(Checked):
    """η = η_0 · r^(t/T), with decay_rate r and decay_steps T; staircase: t/T rounded down."""

    initial_learning_rate: Positive
    decay_steps: Count
    decay_rate: Positive
    staircase: Flag = False

    def __call__(self, step: int) -> float:
        return float(self.initial_learning_rate * self.decay_rate ** _periods(self, step))


@dataclass(frozen=True)
class InverseTimeDecay(Checked):
    """η = η_0 / (1 + r t/T), with decay_rate r and decay_steps T; staircase: t/T rounded down."""

    initial_learning_rate: Positive
    decay_steps: Count
    decay_rate: NotNegative
    staircase: Flag = False

    def __call__(self, step: int) -> float:
        return self.initial_learning_rate / (1 + self.decay_rate * _periods(self, step))


@dataclass(frozen=True)
class PolynomialDecay(Checked):
    """η = (η_0 − η_T) (1 − min(t, T)/T)^p + η_T, with decay_steps T and power p.

    cycle: T is replaced by its smallest multiple that t has not passed.
    """

    initial_learning_rate: Positive
    decay_steps: Count
    end_learning_rate: Positive = 0.0001
    power: Positive = 1.0
    cycle: Flag = False

    def __call__(self, step: int) -> float:
        end = float(self.decay_steps)
        if self.cycle:
            end *= max(1, -(-step // self.decay_steps))
        left = 1.0 - min(step, end) / end
        return float((self.initial_learning_rate - self.end_learning_rate) * left**self.power + self.end_learning_rate)


def _positive_or_none(name: str, value: Any) -> float | None:
    return None if value is None else positive(name, value)


@dataclass(frozen=True)
class CosineDecay(Checked):
    """η = η_0 ((1 − α) (1 + cos(π t/T)) / 2 + α) up to T = decay_steps, then α η_0 (Loshchilov & Hutter 2017).

    With warmup_target η_w: first linear from η_0 to η_w in warmup_steps, then the decay from η_w.
    """

    initial_learning_rate: NotNegative
    decay_steps: Count
    alpha: NotNegative = 0.0
    warmup_target: Annotated[float | None, _positive_or_none] = None
    warmup_steps: CountFromZero = 0

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
class PiecewiseConstantDecay(Checked):
    """η = values[k], k the number of boundaries that t has passed: t ≤ boundaries[0] takes values[0]."""

    boundaries: Annotated[tuple[int, ...], partial(several, check=partial(integer, least=0))]
    values: Annotated[tuple[float, ...], partial(several, check=positive)]

    def __post_init__(self) -> None:
        super().__post_init__()
        needed = len(self.boundaries) + 1
        if len(self.values) != needed:
            raise ValueError(f"{len(self.values)} values; allowed: {needed}, one more than boundaries")
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise ValueError(f"boundaries are {self.boundaries}; allowed: rising steps")

    def __call__(self, step: int) -> float:
        return self.values[sum(step > boundary for boundary in self.boundaries)]


def _periods(schedule: ExponentialDecay | InverseTimeDecay, step: int) -> float:
    periods = step / schedule.decay_steps
    return floor(periods) if schedule.staircase else periods


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "exponential_decay": ExponentialDecay,
    "inverse_time_decay": InverseTimeDecay,
    "polynomial_decay": PolynomialDecay,
    "cosine_decay": CosineDecay,
    "piecewise_constant_decay": PiecewiseConstantDecay,
}
