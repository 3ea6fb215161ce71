"""Exercise 3: a whole batch in matrix form.

Now the network is a classifier: the hidden layers have ReLU, the output layer has softmax, the loss is the categorical
cross entropy. Examples are columns: Z, A, delta have the shape (n, M) for M examples. M is the number of columns. It
is not a setting, because the last batch of an epoch is shorter.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def weighted_input(A: Array, W: Array, b: Array) -> Array:
    """Z = W A + b, with the bias added to every column, (n, M): equation (18).

    A : (n_before, M), activations of the layer before; W : (n, n_before); b : (n, 1).
    """
    # BEGIN SOLUTION
    return W @ A + b
    # END SOLUTION


def relu(Z: Array) -> Array:
    """A = max(Z, 0), element by element: equations (20) and (A4), for the hidden layers."""
    # BEGIN SOLUTION
    A: Array = np.maximum(Z, 0.0)
    return A
    # END SOLUTION


def softmax(Z: Array) -> Array:
    """A[i, m] = e^Z[i, m] / Σ_j e^Z[j, m], so that each column has the sum 1: equation (A13), for the output layer.

    e^1000 is infinite. The result stays the same if you first subtract from each column its largest element.
    """
    # BEGIN SOLUTION
    powers = np.exp(Z - np.max(Z, axis=0, keepdims=True))
    A: Array = powers / np.sum(powers, axis=0, keepdims=True)
    return A
    # END SOLUTION


def cost(A: Array, Y: Array) -> float:
    """C = −(1/M) Σ_m Σ_i Y[i, m] log A[i, m], one number: equation (24), the mean of the losses of the batch.

    A, Y : (n, M), predictions and targets; each column of Y has one 1, and else 0.
    """
    # BEGIN SOLUTION
    return float(-np.sum(Y * np.log(A)) / Y.shape[1])
    # END SOLUTION


def output_error(A: Array, Y: Array) -> Array:
    """delta[:, m] = ∂loss_m/∂Z[:, m] of the output layer, (n, M): equation BP1.2, for softmax and this loss (H5).

    The loss is that of one example, so there is no 1/M here.
    """
    # BEGIN SOLUTION
    return A - Y
    # END SOLUTION


def hidden_error(W: Array, delta: Array, A: Array) -> Array:
    """The errors of the layer before, f'(Z) ⊙ Wᵀ delta, (n_before, M): equation BP2.2.

    W : (n, n_before) and delta : (n, M) of a layer; A : (n_before, M), activations of the layer before. The
    derivative of ReLU is 1 where A > 0, and else 0.
    """
    # BEGIN SOLUTION
    error: Array = (A > 0.0) * (W.T @ delta)
    return error
    # END SOLUTION


def weight_gradient(delta: Array, A: Array) -> Array:
    """∂C/∂W = (1/M) delta Aᵀ, of the shape of W (n, n_before): equation BP3.2.

    delta : (n, M), errors of a layer; A : (n_before, M), activations of the layer before. Here is the 1/M.
    """
    # BEGIN SOLUTION
    mean: Array = delta @ A.T / delta.shape[1]
    return mean
    # END SOLUTION


def bias_gradient(delta: Array) -> Array:
    """∂C/∂b = (1/M) Σ_m delta[:, m], of the shape of b (n, 1): equation BP4.2."""
    # BEGIN SOLUTION
    mean: Array = np.sum(delta, axis=1, keepdims=True) / delta.shape[1]
    return mean
    # END SOLUTION


def update(parameter: Array, gradient: Array, learning_rate: float) -> Array:
    """The new W or b after a step of gradient descent, a new array: equation (D2)."""
    # BEGIN SOLUTION
    return parameter - learning_rate * gradient
    # END SOLUTION
