"""An adapter for `scratchbench locate`: your network behind a few plain methods.

    scratchbench locate adapter:MyNetwork

As it stands, it holds a small network of its own (7-5-6-3 of the spec "classes"), so that it can be tried at once.
Replace that network by yours, and `spec` by what yours computes.
"""

import numpy as np

from bench.locate import spec_of

# What your network computes. Or leave it out, and name one with --spec: a shipped name or a TOML file.
SPEC = spec_of(
    layers=[7, (5, "tanh"), (6, "sigmoid"), (3, "softmax")],  # n_0, then units and activation of each layer
    loss="categorical_crossentropy",  # per example; the cost is its mean over the batch
    optimizer={"learning_rate": 0.1},  # or {"name": "adam", "learning_rate": 0.001}, ...
)


class YourNetwork:
    """Stands for your own class. Rows are examples here, and W is (n_in, n_out); yours may do it the other way."""

    def __init__(self, sizes):
        self.W = [np.zeros((n_in, n_out)) for n_in, n_out in zip(sizes, sizes[1:])]
        self.b = [np.zeros(n_out) for n_out in sizes[1:]]

    def forward(self, X):
        self.Z, self.A = [], [X]
        for number, (W, b) in enumerate(zip(self.W, self.b)):
            self.Z.append(self.A[-1] @ W + b)
            self.A.append([np.tanh, sigmoid, softmax][number](self.Z[-1]))
        return self.A[-1]

    def backward(self, Y):
        slopes = [lambda a: 1 - a**2, lambda a: a * (1 - a)]
        self.delta = [self.A[-1] - Y]
        for number in (1, 0):
            self.delta.insert(0, self.delta[0] @ self.W[number + 1].T * slopes[number](self.A[number + 1]))
        self.dW = [A.T @ delta / len(Y) for A, delta in zip(self.A, self.delta)]
        self.db = [delta.mean(axis=0) for delta in self.delta]

    def update(self, learning_rate):
        for W, b, dW, db in zip(self.W, self.b, self.dW, self.db):
            W -= learning_rate * dW
            b -= learning_rate * db


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class MyNetwork:
    """The adapter. Only the first three methods are needed; each of the others makes the answer finer."""

    spec = SPEC

    # Rows or columns as examples, (n_out, n_in) or (n_in, n_out), a bias inside W: found out by itself. Or say it:
    # examples = "rows"      # or "columns"
    # weights = "in_out"     # or "out_in"
    # bias = "last"          # or "first", where the bias is a row or column of W

    def __init__(self):
        self.network = YourNetwork([7, 5, 6, 3])

    def get_parameters(self):
        """W and b of each layer, in order: pairs, one list, or a dict. W alone where the bias is inside it."""
        return list(zip(self.network.W, self.network.b))

    def set_parameters(self, parameters):
        """The same form comes back, with other numbers."""
        self.network.W = [W for W, b in parameters]
        self.network.b = [b for W, b in parameters]

    def step(self, X, Y):
        """One step of training on the batch X, Y. It may return the cost before the step."""
        self.network.forward(X)
        self.network.backward(Y)
        self.network.update(learning_rate=0.1)

    # From here on all is optional: leave out what you do not have. No method but `step` may change the parameters.

    def forward(self, X):
        """A[L] alone, or [A[1], ..., A[L]], or both lists: ([Z[1], ...], [A[1], ...])."""
        self.network.forward(X)
        return self.network.Z, self.network.A

    def cost(self, X, Y):
        """One number. With it, a convention of your own (sum for mean, half or not) is told from a mistake."""
        self.network.forward(X)
        Z = self.network.Z[-1] - self.network.Z[-1].max(axis=1, keepdims=True)  # log(softmax) without a log of 0
        return np.mean(np.log(np.exp(Z).sum(axis=1)) - (Y * Z).sum(axis=1))

    def errors(self, X, Y):
        """[delta[1], ..., delta[L]]: the derivative of each example's loss with respect to Z."""
        self.network.forward(X)
        self.network.backward(Y)
        return self.network.delta

    def gradients(self, X, Y):
        """dW and db, in the form of the parameters."""
        self.network.forward(X)
        self.network.backward(Y)
        return list(zip(self.network.dW, self.network.db))
