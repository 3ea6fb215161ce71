"""A network of plain Python numbers and lists, as `scratchbench locate` asks it: backpropagation neuron by neuron.

Run: scratchbench locate examples/adapters/lists_network.py:Network --spec sports
"""

import math
from itertools import pairwise

ACTIVATIONS = {
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": math.tanh,
    "relu": lambda z: max(z, 0.0),
    "linear": lambda z: z,
}
SLOPES = {  # from a = f(z)
    "sigmoid": lambda a: a * (1 - a),
    "tanh": lambda a: 1 - a * a,
    "relu": lambda a: float(a > 0),
    "linear": lambda a: 1.0,
}
LOSSES = {
    "summed_binary_crossentropy": lambda a, y: -math.log(a if y else 1 - a),
    "sum_of_squared_errors": lambda a, y: (a - y) ** 2,
}


class Network:
    """Each list of X is an example, each list of W[l] a neuron."""

    def __init__(self, spec):
        self.names = [layer.activation for layer in spec.architecture.layers]
        self.loss, self.rate = spec.loss, spec.optimizer.learning_rate
        sizes = list(pairwise(spec.architecture.widths))
        self.W = [[[0.0] * n_in for _ in range(n_out)] for n_in, n_out in sizes]
        self.b = [[0.0] * n_out for _, n_out in sizes]

    def get_parameters(self):
        return list(zip(self.W, self.b, strict=True))

    def set_parameters(self, parameters):
        self.W, self.b = [W for W, _ in parameters], [b for _, b in parameters]

    def activations(self, x):
        """[x, a[1], ..., a[L]] of one example."""
        A = [x]
        for W, b, name in zip(self.W, self.b, self.names, strict=True):
            A.append([ACTIVATIONS[name](dot(row, A[-1]) + bias) for row, bias in zip(W, b, strict=True)])
        return A

    def deltas(self, A, y):
        """[delta[1], ..., delta[L]] of one example."""
        found = [self.output_delta(A[-1], y)]
        for W, a, name in zip(self.W[:0:-1], A[-2:0:-1], self.names[-2::-1], strict=True):
            back = [dot(column, found[0]) for column in zip(*W, strict=True)]
            found.insert(0, [g * SLOPES[name](one) for g, one in zip(back, a, strict=True)])
        return found

    def output_delta(self, a, y):
        if self.loss == "summed_binary_crossentropy":
            return [one - wanted for one, wanted in zip(a, y, strict=True)]
        return [2 * (one - wanted) * SLOPES[self.names[-1]](one) for one, wanted in zip(a, y, strict=True)]

    def step(self, X, Y):
        for W, b, (dW, db) in zip(self.W, self.b, self.gradients(X, Y), strict=True):
            for i, row in enumerate(dW):
                b[i] -= self.rate * db[i]
                for j, slope in enumerate(row):
                    W[i][j] -= self.rate * slope

    def forward(self, X):
        return [self.activations(x)[-1] for x in X]

    def cost(self, X, Y):
        pairs = [pair for a, y in zip(self.forward(X), Y, strict=True) for pair in zip(a, y, strict=True)]
        return sum(LOSSES[self.loss](a, y) for a, y in pairs) / len(X)

    def errors(self, X, Y):
        """delta[l] of all examples, one layer after the other."""
        return [list(layer) for layer in zip(*self.deltas_of(X, Y), strict=True)]

    def deltas_of(self, X, Y):
        return [self.deltas(self.activations(x), y) for x, y in zip(X, Y, strict=True)]

    def gradients(self, X, Y):
        """(dW[l], db[l]) of each layer: the mean over the examples."""
        below = zip(*[self.activations(x)[:-1] for x in X], strict=True)
        return [self.gradient(D, A) for D, A in zip(self.errors(X, Y), below, strict=True)]

    def gradient(self, D, A):
        """Of one layer, from delta[l] and A[l-1], a row for each example."""
        D, A = list(zip(*D, strict=True)), list(zip(*A, strict=True))
        dW = [[dot(d, a) / len(d) for a in A] for d in D]
        return dW, [sum(d) / len(d) for d in D]


def dot(one, other):
    return sum(x * y for x, y in zip(one, other, strict=True))
