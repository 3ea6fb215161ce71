"""Losses of one example each, with the error that they send back through the output layer (BP1).

Fed by the last layer's weighted input Z[L] or activation A[L] and the targets Y, all (n_L, M); feeds the cost (24).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratchnet.activations import Activation

Array = NDArray[np.floating[Any]]


class Loss:
    """L(y, ŷ) of each example, equation (22), and BP1."""

    outputs: frozenset[str]
    """Names of the output activations that the loss is defined on."""
    from_weighted_input: bool
    """Whether `per_example` reads Z[L]: a logarithm of a probability that was rounded to 0 would be infinite."""

    def per_example(self, outputs: Array, Y: Array) -> Array:
        """L of each column, (M,), equation (22); `outputs` is Z[L] or A[L] as `from_weighted_input` says."""
        raise NotImplementedError

    def output_error(self, activation: Activation, A: Array, Y: Array, delta: Array) -> None:
        """delta ← ∂L/∂Z[L] of each example, BP1, equation (25)."""
        raise NotImplementedError


class _CrossEntropy(Loss):
    from_weighted_input = True

    def output_error(self, activation: Activation, A: Array, Y: Array, delta: Array) -> None:
        """delta ← A − Y, equation (35): holds only on `outputs`, where f' cancels (softmax: where Σ_i y_i = 1)."""
        np.subtract(A, Y, out=delta)


class SummedBinaryCrossentropy(_CrossEntropy):
    """L = −Σ_i y_i log a_i + (1 − y_i) log(1 − a_i), equation (15), on sigmoid outputs.

    Computed as Σ_i max(z_i, 0) − z_i y_i + log(1 + e^−|z_i|), which is the same and finite for every z.
    """

    outputs = frozenset({"sigmoid"})

    def per_example(self, outputs: Array, Y: Array) -> Array:
        softplus = np.maximum(outputs, 0.0) + np.log1p(np.exp(-np.abs(outputs)))
        losses: Array = np.sum(softplus - outputs * Y, axis=0)
        return losses


class CategoricalCrossentropy(_CrossEntropy):
    """L = −Σ_i y_i log a_i on softmax outputs, with Σ_i y_i = 1.

    Computed as log Σ_k e^(z_k) − Σ_i y_i z_i, shifted by the largest z of the example.
    """

    outputs = frozenset({"softmax"})

    def per_example(self, outputs: Array, Y: Array) -> Array:
        shifted = outputs - np.max(outputs, axis=0)
        target = np.sum(shifted * Y, axis=0)
        np.exp(shifted, out=shifted)
        losses: Array = np.log(np.sum(shifted, axis=0)) - target
        return losses


class SumOfSquaredErrors(Loss):
    """L = Σ_i (a_i − y_i)², without a factor of one half, on any output."""

    outputs = frozenset({"sigmoid", "tanh", "relu", "linear", "softmax"})
    from_weighted_input = False

    def per_example(self, outputs: Array, Y: Array) -> Array:
        losses: Array = np.sum(np.square(outputs - Y), axis=0)
        return losses

    def output_error(self, activation: Activation, A: Array, Y: Array, delta: Array) -> None:
        np.subtract(A, Y, out=delta)
        np.multiply(delta, 2.0, out=delta)
        activation.jacobian_product(A, delta, delta)


LOSSES: dict[str, Loss] = {
    "summed_binary_crossentropy": SummedBinaryCrossentropy(),
    "categorical_crossentropy": CategoricalCrossentropy(),
    "sum_of_squared_errors": SumOfSquaredErrors(),
}
