"""Exercise 1: one example, neuron by neuron, in plain numbers and loops.

Every neuron has the sigmoid. The loss is the binary cross entropy, summed over the outputs. A layer's numbers are a
list, `a[k]`; its weights are a list of rows: `W[i][k]` connects neuron k of the layer before to neuron i. Use loops,
`sum` and list comprehensions. For e^x and log use `np.exp` and `np.log`.
"""

import numpy as np


def weighted_input(a: list[float], W: list[list[float]], b: list[float]) -> list[float]:
    """z[i] = Σ_k W[i][k] a[k] + b[i], one number for each neuron i of the layer: equation (3).

    a : activations of the layer before; W, b : weights and biases of this layer.
    """
    # BEGIN SOLUTION
    return [sum(W[i][k] * a[k] for k in range(len(a))) + b[i] for i in range(len(b))]
    # END SOLUTION


def activation(z: list[float]) -> list[float]:
    """a[i] = 1 / (1 + e^(−z[i])), the sigmoid of each weighted input: equations (4) and (5)."""
    # BEGIN SOLUTION
    return [1.0 / (1.0 + np.exp(-z_i)) for z_i in z]
    # END SOLUTION


def loss(a: list[float], y: list[float]) -> float:
    """−Σ_i (y[i] log a[i] + (1 − y[i]) log(1 − a[i])), one number: equation (15).

    a : activations of the output layer, the predictions; y : targets, each 0 or 1.
    """
    # BEGIN SOLUTION
    terms = [y[i] * np.log(a[i]) + (1.0 - y[i]) * np.log(1.0 - a[i]) for i in range(len(y))]
    return float(-sum(terms))
    # END SOLUTION


def output_error(a: list[float], y: list[float]) -> list[float]:
    """delta[i] = ∂loss/∂z[i] of the output layer: equation BP1.1, for sigmoid and this loss (35).

    a : activations of the output layer; y : targets. Differentiate by hand first: what is left is very short.
    """
    # BEGIN SOLUTION
    return [a[i] - y[i] for i in range(len(y))]
    # END SOLUTION


def hidden_error(W: list[list[float]], delta: list[float], a: list[float]) -> list[float]:
    """delta[k] = f'(z[k]) Σ_i W[i][k] delta[i] of the layer before: equation BP2.1 in component form.

    W, delta : weights and errors of a layer; a : activations of the layer before, a[k] = f(z[k]). The sigmoid's
    derivative is known from its value: f'(z[k]) = a[k] (1 − a[k]).
    """
    # BEGIN SOLUTION
    back = [sum(W[i][k] * delta[i] for i in range(len(delta))) for k in range(len(a))]
    return [a[k] * (1.0 - a[k]) * back[k] for k in range(len(a))]
    # END SOLUTION


def weight_gradient(delta: list[float], a: list[float]) -> list[list[float]]:
    """dW[i][k] = ∂loss/∂W[i][k] = delta[i] a[k], a list of rows like W: equation BP3.1 in component form.

    delta : errors of a layer; a : activations of the layer before.
    """
    # BEGIN SOLUTION
    return [[delta[i] * a[k] for k in range(len(a))] for i in range(len(delta))]
    # END SOLUTION


def bias_gradient(delta: list[float]) -> list[float]:
    """db[i] = ∂loss/∂b[i]: equation BP4.1 in component form."""
    # BEGIN SOLUTION
    return list(delta)
    # END SOLUTION


def update(parameter: float, gradient: float, learning_rate: float) -> float:
    """The new value of one weight or bias after a step of gradient descent: equation (D2)."""
    # BEGIN SOLUTION
    return parameter - learning_rate * gradient
    # END SOLUTION
