"""A network with a mistake in it, and what `locate` says: the derivative of tanh is taken as that of the sigmoid.

Run: python examples/locate_a_mistake.py
"""

import numpy as np

from bench import locate
from bench.locate import spec_of


class MyNetwork:
    """4-5-3, tanh and softmax; rows are examples."""

    spec = spec_of([4, (5, "tanh"), (3, "softmax")], "categorical_crossentropy", {"learning_rate": 0.1})

    def __init__(self):
        self.W1, self.b1 = np.zeros((4, 5)), np.zeros(5)
        self.W2, self.b2 = np.zeros((5, 3)), np.zeros(3)

    def backpropagate(self, X, Y):
        hidden = np.tanh(X @ self.W1 + self.b1)
        e = np.exp(hidden @ self.W2 + self.b2)
        delta2 = e / e.sum(axis=1, keepdims=True) - Y
        delta1 = delta2 @ self.W2.T * hidden * (1 - hidden)  # here
        M = len(X)
        return X.T @ delta1 / M, delta1.mean(axis=0), hidden.T @ delta2 / M, delta2.mean(axis=0)

    def step(self, X, Y):
        gradients = self.backpropagate(X, Y)
        for parameter, gradient in zip(self.get_parameters(), gradients, strict=True):
            parameter -= 0.1 * gradient

    def get_parameters(self):
        return [self.W1, self.b1, self.W2, self.b2]

    def set_parameters(self, parameters):
        self.W1, self.b1, self.W2, self.b2 = parameters

    def gradients(self, X, Y):
        return list(self.backpropagate(X, Y))


report = locate(MyNetwork)
print(report.hint())
print(report)
