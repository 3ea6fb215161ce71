"""Exercise 2: one example in matrix form.

The same network as in exercise 1: every neuron has the sigmoid, the loss is the summed binary cross entropy. A layer's
numbers are a column, an array of shape (n, 1); its weights are an array of shape (n, n_before). Use `@`, `*`, `.T`
and NumPy's functions, and no loops. Look at the shapes: most mistakes show there.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def weighted_input(a: Array, W: Array, b: Array) -> Array:
    """z = W a + b, a column (n, 1): equation (9).

    a : (n_before, 1), activations of the layer before; W : (n, n_before); b : (n, 1).
    """
    # BEGIN SOLUTION
    return W @ a + b
    # END SOLUTION


def activation(z: Array) -> Array:
    """a = f(z), the sigmoid of each element: equation (11)."""
    # BEGIN SOLUTION
    a: Array = 1.0 / (1.0 + np.exp(-z))
    return a
    # END SOLUTION


def loss(a: Array, y: Array) -> float:
    """−Σ (y log a + (1 − y) log(1 − a)) over the outputs, one number: equation (15).

    a, y : (n, 1), predictions and targets.
    """
    # BEGIN SOLUTION
    return float(-np.sum(y * np.log(a) + (1.0 - y) * np.log(1.0 - a)))
    # END SOLUTION


def output_error(a: Array, y: Array) -> Array:
    """delta = ∂loss/∂z of the output layer, a column (n, 1): equation BP1.1, for sigmoid and this loss (35)."""
    # BEGIN SOLUTION
    return a - y
    # END SOLUTION


def hidden_error(W: Array, delta: Array, a: Array) -> Array:
    """The error of the layer before, f'(z) ⊙ Wᵀ delta, a column (n_before, 1): equation BP2.1.

    W : (n, n_before) and delta : (n, 1) of a layer; a : (n_before, 1), activations of the layer before.
    """
    # BEGIN SOLUTION
    return a * (1.0 - a) * (W.T @ delta)
    # END SOLUTION


def weight_gradient(delta: Array, a: Array) -> Array:
    """∂loss/∂W = delta aᵀ, of the shape of W (n, n_before): equation BP3.1.

    delta : (n, 1), errors of a layer; a : (n_before, 1), activations of the layer before.
    """
    # BEGIN SOLUTION
    return delta @ a.T
    # END SOLUTION


def bias_gradient(delta: Array) -> Array:
    """∂loss/∂b, of the shape of b (n, 1): equation BP4.1."""
    # BEGIN SOLUTION
    return delta.copy()
    # END SOLUTION


def update(parameter: Array, gradient: Array, learning_rate: float) -> Array:
    """The new W or b after a step of gradient descent, a new array: equation (D2)."""
    # BEGIN SOLUTION
    return parameter - learning_rate * gradient
    # END SOLUTION
