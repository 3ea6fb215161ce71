"""One hidden layer of tanh, trained by formulas derived by hand in float64: what TensorFlow is held against.

Fed by a `TrainingSpec` and arrays; imports neither scratchnet nor TensorFlow, so that no fault can hide in both.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bench.spec import TrainingSpec

Array = np.ndarray[Any, np.dtype[np.float64]]


class Output(NamedTuple):
    """An output layer, all in rows: its activation of z, loss per example of (a, y), and ∂loss/∂z of (a, y)."""

    name: str
    activation: Callable[[Array], Array]
    loss: Callable[[Array, Array], Array]
    delta: Callable[[Array, Array], Array]


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def _softmax(z: Array) -> Array:
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


OUTPUTS = {
    "summed_binary_crossentropy": Output(
        "sigmoid",
        _sigmoid,
        lambda a, y: -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(axis=1),
        lambda a, y: a - y,
    ),
    "categorical_crossentropy": Output(
        "softmax",
        _softmax,
        lambda a, y: -(y * np.log(a)).sum(axis=1),
        lambda a, y: a - y,
    ),
    # d/dz (a − y)² = 2 (a − y) a', and a' = a (1 − a) for a sigmoid
    "sum_of_squared_errors": Output(
        "sigmoid",
        _sigmoid,
        lambda a, y: ((a - y) ** 2).sum(axis=1),
        lambda a, y: 2 * (a - y) * a * (1 - a),
    ),
}


class HandDerived:
    """The network x (N, n_0) → tanh → output, with weights W (n_l, n_{l-1}) and biases b (n_l,)."""

    def __init__(self, spec: TrainingSpec, parameters: Any) -> None:
        self.spec, self.output = spec, OUTPUTS[spec.loss]
        self.theta = [np.array(array, np.float64) for layer in parameters for array in layer]  # W1, b1, W2, b2
        self.velocity = [np.zeros_like(array) for array in self.theta]

    def train_epoch(self, x: Array, y: Array, order: Any) -> float:
        """One epoch; returns the mean over examples of loss plus regularization, before each update."""
        M = self.spec.batch_size
        batches = [order[start : start + M] for start in range(0, len(order), M)]
        return sum(len(rows) * self._step(x[rows], y[rows]) for rows in batches) / len(order)

    def _step(self, x: Array, y: Array) -> float:
        W1, b1, W2, b2 = self.theta
        l2 = self.spec.regularization.l2
        hidden = np.tanh(x @ W1.T + b1)
        a = self.output.activation(hidden @ W2.T + b2)
        cost = self.output.loss(a, y).mean() + l2 * ((W1**2).sum() + (W2**2).sum())

        delta2 = self.output.delta(a, y) / len(x)
        delta1 = (delta2 @ W2) * (1 - hidden**2)
        gradient = [delta1.T @ x + 2 * l2 * W1, delta1.sum(0), delta2.T @ hidden + 2 * l2 * W2, delta2.sum(0)]
        self._update(gradient)
        return float(cost)

    def _update(self, gradient: list[Array]) -> None:
        optimizer = self.spec.optimizer
        pairs = zip(self.velocity, gradient, strict=True)
        self.velocity = [optimizer.momentum * v - optimizer.learning_rate * g for v, g in pairs]
        self.theta = [array + v for array, v in zip(self.theta, self.velocity, strict=True)]
