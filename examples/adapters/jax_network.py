"""JAX as `scratchbench locate` asks it: `jax.nn`, `jax.grad` and the optimizers of `jax.example_libraries`.

Run: scratchbench locate examples/adapters/jax_network.py:Network --spec classes
"""

from itertools import pairwise

import jax
import jax.numpy as jnp
from jax.example_libraries import optimizers

jax.config.update("jax_enable_x64", True)

ACTIVATIONS = {
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "leaky_relu": lambda Z: jax.nn.leaky_relu(Z, 0.2),
    "elu": jax.nn.elu,
    "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
    "softplus": jax.nn.softplus,
    "linear": lambda Z: Z,
    "softmax": jax.nn.softmax,
}


def binary(Z, Y):
    return -Y * jax.nn.log_sigmoid(Z) - (1 - Y) * jax.nn.log_sigmoid(-Z)


# The loss of each example, from Z[L], A[L] and the targets.
LOSSES = {
    "categorical_crossentropy": lambda Z, A, Y: -(Y * jax.nn.log_softmax(Z)).sum(axis=1),
    "binary_crossentropy": lambda Z, A, Y: binary(Z, Y).mean(axis=1),
    "summed_binary_crossentropy": lambda Z, A, Y: binary(Z, Y).sum(axis=1),
    "mean_squared_error": lambda Z, A, Y: ((A - Y) ** 2).mean(axis=1),
    "sum_of_squared_errors": lambda Z, A, Y: ((A - Y) ** 2).sum(axis=1),
    "mean_absolute_error": lambda Z, A, Y: jnp.abs(A - Y).mean(axis=1),
}
OPTIMIZERS = {
    "sgd": lambda o, rate: (optimizers.nesterov if o.nesterov else optimizers.momentum)(rate, o.momentum),
    "rmsprop": lambda o, rate: optimizers.rmsprop_momentum(rate, o.rho, o.epsilon, o.momentum),
    "adam": lambda o, rate: optimizers.adam(rate, o.beta_1, o.beta_2, o.epsilon),
}


class Network:
    """Rows are examples, W is (n_in, n_out)."""

    def __init__(self, spec):
        self.activations = [ACTIVATIONS[layer.activation] for layer in spec.architecture.layers]
        self.loss, self.penalty = LOSSES[spec.loss], spec.regularization
        sizes = pairwise(spec.architecture.widths)
        start = [(jnp.zeros((n_in, n_out), spec.dtype), jnp.zeros(n_out, spec.dtype)) for n_in, n_out in sizes]
        begin, self.update, self.parameters_of = self.make_optimizer(spec)
        self.state, self.steps = begin(start), 0

    def make_optimizer(self, spec):
        return OPTIMIZERS[spec.optimizer.name](spec.optimizer, spec.optimizer.learning_rate)

    def outputs(self, parameters, X):
        for (W, b), activation in zip(parameters, self.activations, strict=True):
            Z = X @ W + b
            X = activation(Z)
        return Z, X

    def cost_of(self, parameters, X, Y, weights=1.0):
        losses = self.loss(*self.outputs(parameters, X), Y)
        penalties = [self.penalty.l1 * jnp.abs(W).sum() + self.penalty.l2 * (W**2).sum() for W, _ in parameters]
        return (losses * weights).mean() + sum(penalties)

    def get_parameters(self):
        return self.parameters_of(self.state)

    def set_parameters(self, parameters):
        """The optimizer keeps what it remembers, which stands behind each parameter."""
        memories = [memory for _, *memory in self.state.packed_state]
        arrays = map(jnp.asarray, jax.tree.leaves(parameters))
        held = [[array, *memory] for array, memory in zip(arrays, memories, strict=True)]
        self.state = self.state._replace(packed_state=held)

    def step(self, X, Y, **weights):
        self.state = self.update(self.steps, self.gradients(X, Y, **weights), self.state)
        self.steps += 1

    def forward(self, X):
        return self.outputs(self.get_parameters(), X)[1]

    def cost(self, X, Y, **weights):
        return self.cost_of(self.get_parameters(), X, Y, **weights)

    def gradients(self, X, Y, **weights):
        return jax.grad(self.cost_of)(self.get_parameters(), X, Y, **weights)
