"""Losses of one example, and the error that each sends back through the output layer (BP1).

Arrays are (n_L, M), a column an example. The component form of each, on plain numbers, is for `formulations.scalar`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from scratchnet.activations import ACTIVATIONS, Activation
from scratchnet.arrays import Array
from scratchnet.checks import Checked, Fraction, Positive

SUM_TOLERANCE = 1e-3
"""By how much the targets of one example may miss a sum of 1: they may have been rounded to float32."""


@dataclass(frozen=True)
class Loss(Checked):
    """L(y, ŷ) of each example, equation (22), and BP1. Value and error share one reduction over the outputs."""

    outputs: ClassVar[frozenset[str]] = frozenset(ACTIVATIONS)
    """Names of the output activations that the loss is defined on."""
    from_weighted_input: ClassVar[bool] = False
    """Whether `per_example` reads Z[L]: a logarithm of a probability that was rounded to 0 would be infinite."""
    averaged: ClassVar[bool] = False
    """Whether the outputs' terms are averaged (Keras) or summed (the document)."""

    def is_regression(self, output: str) -> bool:
        """Whether it fits real numbers with that output activation: then accuracy and classes mean nothing.

        Outputs in [0, 1] of sigmoid and softmax are read as probabilities of classes, whatever the loss.
        """
        return not self.from_weighted_input and output not in ("sigmoid", "softmax")

    def smooth(self, Y: Array) -> Array:
        """The targets (n_L, N) after label smoothing; a ValueError where the loss is not defined on them."""
        return Y

    def per_example(self, outputs: Array, Y: Array) -> Array:
        """L of each column, (M,), equation (22); `outputs` is Z[L] or A[L] as `from_weighted_input` says."""
        losses: Array = np.sum(self.terms(outputs, Y), axis=0)
        return losses / len(Y) if self.averaged else losses

    def output_error(self, activation: Activation, A: Array, Y: Array, delta: Array) -> None:
        """delta ← ∂L/∂Z[L] of each example, BP1, equation (25)."""
        self.slopes(A, Y, delta)
        if self.averaged:
            delta *= 1.0 / len(Y)
        activation.jacobian_product(A, delta, delta)

    def terms(self, outputs: Array, Y: Array) -> Array:
        """What each output adds to L, (n_L, M)."""
        raise NotImplementedError

    def slopes(self, A: Array, Y: Array, out: Array) -> None:
        """out ← the derivative of each output's term with respect to its activation, (n_L, M)."""
        raise NotImplementedError

    def component(self, a: Sequence[float], y: Sequence[float]) -> float:
        """L of one example from its activations and targets, n_L numbers each, equation (15)."""
        total = sum(self.term(a_i, y_i) for a_i, y_i in zip(a, y, strict=True))
        return total / len(a) if self.averaged else total

    def partial(self, a: Sequence[float], y: Sequence[float], i: int) -> float:
        """∂L/∂a_i of one example, an element of the row vector in (26)."""
        slope = self.slope(a[i], y[i])
        return slope / len(a) if self.averaged else slope

    def term(self, a: float, y: float) -> float:
        """What one output adds to L."""
        raise NotImplementedError

    def slope(self, a: float, y: float) -> float:
        """The derivative of `term` with respect to a."""
        raise NotImplementedError


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Cross entropies need 0 < a < 1 in component form; from Z[L] they are finite for every z."""

    from_weighted_input = True

    def output_error(self, activation: Activation, A: Array, Y: Array, delta: Array) -> None:
        """delta ← A − Y, equation (35): holds only on `outputs`, where f' cancels (softmax: where Σ_i y_i = 1)."""
        np.subtract(A, Y, out=delta)
        if self.averaged:
            delta *= 1.0 / len(Y)


@dataclass(frozen=True)
class SummedBinaryCrossentropy(CrossEntropy):
    """L = −Σ_i (y_i log a_i + (1 − y_i) log(1 − a_i)), equations (15) and (23), on sigmoid outputs.

    Computed as Σ_i max(z_i, 0) − z_i y_i + log(1 + e^−|z_i|), which is the same and finite for every z.
    label_smoothing s moves the targets to y (1 − s) + s/2.
    """

    label_smoothing: Fraction = 0.0
    outputs = frozenset({"sigmoid"})

    def smooth(self, Y: Array) -> Array:
        if not ((Y >= 0.0) & (Y <= 1.0)).all():
            given = f"y has targets from {Y.min():g} to {Y.max():g}"
            raise ValueError(f"{given}; allowed for a binary cross entropy: 0 to 1")
        return _smoothed(Y, self.label_smoothing, 2)

    def terms(self, outputs: Array, Y: Array) -> Array:
        softplus = np.maximum(outputs, 0.0) + np.log1p(np.exp(-np.abs(outputs)))
        terms: Array = softplus - outputs * Y
        return terms

    def term(self, a: float, y: float) -> float:
        return -(y * math.log(a) + (1.0 - y) * math.log(1.0 - a))  # (15)

    def slope(self, a: float, y: float) -> float:
        """Equation (32), which (33) and (34) rewrite."""
        return -(y / a - (1.0 - y) / (1.0 - a))  # (32)


@dataclass(frozen=True)
class BinaryCrossentropy(SummedBinaryCrossentropy):
    """Equation (15) divided by n_L: Keras's `binary_crossentropy`."""

    averaged = True


@dataclass(frozen=True)
class CategoricalCrossentropy(CrossEntropy):
    """L = −Σ_i y_i log a_i on softmax outputs, with Σ_i y_i = 1.

    Computed as Σ_i y_i (log Σ_k e^(z_k) − z_i), shifted by the largest z of the example.
    label_smoothing s moves the targets to y (1 − s) + s/n_L (Szegedy et al. 2016).
    """

    label_smoothing: Fraction = 0.0
    outputs = frozenset({"softmax"})

    def smooth(self, Y: Array) -> Array:
        totals = Y.sum(axis=0)
        if not (np.abs(totals - 1.0) < SUM_TOLERANCE).all():
            worst = totals[np.argmax(np.abs(totals - 1.0))]
            given = f"y has targets that sum to {worst:g}"
            raise ValueError(f"{given}; allowed for a categorical cross entropy: a sum of 1")
        return _smoothed(Y, self.label_smoothing, len(Y))

    def terms(self, outputs: Array, Y: Array) -> Array:
        shifted = outputs - np.max(outputs, axis=0)
        terms: Array = Y * (np.log(np.sum(np.exp(shifted), axis=0)) - shifted)
        return terms

    def term(self, a: float, y: float) -> float:
        return -y * math.log(a)

    def slope(self, a: float, y: float) -> float:
        return -y / a


@dataclass(frozen=True)
class SparseCategoricalCrossentropy(CategoricalCrossentropy):
    """L = −log a_c of the true class c: `CategoricalCrossentropy` whose targets are whole classes, never smoothed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.label_smoothing:
            raise ValueError(f"label_smoothing is {self.label_smoothing}; allowed: 0, or categorical_crossentropy")


@dataclass(frozen=True)
class SumOfSquaredErrors(Loss):
    """L = Σ_i (a_i − y_i)², without a factor of one half, on any output."""

    def terms(self, outputs: Array, Y: Array) -> Array:
        return np.square(outputs - Y)

    def slopes(self, A: Array, Y: Array, out: Array) -> None:
        np.subtract(A, Y, out=out)
        out *= 2.0

    def term(self, a: float, y: float) -> float:
        return (a - y) ** 2

    def slope(self, a: float, y: float) -> float:
        return 2.0 * (a - y)


@dataclass(frozen=True)
class MeanSquaredError(SumOfSquaredErrors):
    """L = Σ_i (a_i − y_i)² / n_L: Keras's `mean_squared_error`."""

    averaged = True


@dataclass(frozen=True)
class MeanAbsoluteError(Loss):
    """L = Σ_i |a_i − y_i| / n_L, with slope 0 where a_i = y_i: Keras's `mean_absolute_error`."""

    averaged = True

    def terms(self, outputs: Array, Y: Array) -> Array:
        return np.abs(outputs - Y)

    def slopes(self, A: Array, Y: Array, out: Array) -> None:
        np.subtract(A, Y, out=out)
        np.sign(out, out=out)

    def term(self, a: float, y: float) -> float:
        return abs(a - y)

    def slope(self, a: float, y: float) -> float:
        return float((a > y) - (a < y))


@dataclass(frozen=True)
class Huber(Loss):
    """L = Σ_i h(a_i − y_i) / n_L, h(e) = e²/2 where |e| ≤ δ, else δ|e| − δ²/2 (Huber 1964; Keras's `huber`)."""

    delta: Positive = 1.0
    averaged = True

    def terms(self, outputs: Array, Y: Array) -> Array:
        error = np.abs(outputs - Y)
        terms: Array = np.where(error <= self.delta, 0.5 * error * error, self.delta * (error - 0.5 * self.delta))
        return terms

    def slopes(self, A: Array, Y: Array, out: Array) -> None:
        np.subtract(A, Y, out=out)
        np.clip(out, -self.delta, self.delta, out=out)

    def term(self, a: float, y: float) -> float:
        error = abs(a - y)
        return 0.5 * error**2 if error <= self.delta else self.delta * (error - 0.5 * self.delta)

    def slope(self, a: float, y: float) -> float:
        return max(-self.delta, min(a - y, self.delta))


def _smoothed(Y: Array, smoothing: float, classes: int) -> Array:
    """Y (1 − s) + s / classes."""
    return Y * (1.0 - smoothing) + smoothing / classes if smoothing else Y


LOSSES: dict[str, type[Loss]] = {
    "summed_binary_crossentropy": SummedBinaryCrossentropy,
    "binary_crossentropy": BinaryCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "sum_of_squared_errors": SumOfSquaredErrors,
    "mean_squared_error": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "huber": Huber,
}
