"""A network in JAX as `scratchbench locate` asks it: the derivatives are JAX's, the update is written by hand.

Run: scratchbench locate examples/adapters/jax_network.py:Regression
"""

import jax
import jax.numpy as jnp

from bench.locate import spec_of

jax.config.update("jax_enable_x64", True)


def outputs(parameters, X):
    *hidden, (W, b) = parameters
    for weights, biases in hidden:
        X = jnp.tanh(X @ weights + biases)
    return X @ W + b


@jax.jit
def cost(parameters, X, Y):
    return jnp.mean((outputs(parameters, X) - Y) ** 2)


@jax.jit
def updated(parameters, X, Y):
    gradients = jax.grad(cost)(parameters, X, Y)
    return jax.tree.map(lambda parameter, gradient: parameter - 0.1 * gradient, parameters, gradients)


class Regression:
    """5-6-4-2, tanh and linear, mean squared error; rows are examples, W is (n_in, n_out)."""

    spec = spec_of([5, (6, "tanh"), (4, "tanh"), (2, "linear")], "mean_squared_error", {"learning_rate": 0.1})

    def __init__(self):
        sizes = [(5, 6), (6, 4), (4, 2)]
        self.parameters = [(jnp.zeros(size), jnp.zeros(size[1])) for size in sizes]

    def get_parameters(self):
        return self.parameters

    def set_parameters(self, parameters):
        self.parameters = parameters

    def step(self, X, Y):
        self.parameters = updated(self.parameters, X, Y)

    def forward(self, X):
        return outputs(self.parameters, X)

    def cost(self, X, Y):
        return cost(self.parameters, X, Y)

    def gradients(self, X, Y):
        return jax.grad(cost)(self.parameters, X, Y)
