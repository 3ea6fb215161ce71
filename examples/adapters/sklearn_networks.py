"""scikit-learn's networks as `scratchbench locate` asks them: one call of `partial_fit` is one step.

Run: scratchbench locate examples/adapters/sklearn_networks.py:Classifier
"""

from types import MappingProxyType

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from bench.locate import spec_of


class Classifier:
    """7-5-3, tanh and softmax, plain SGD with scikit-learn's penalty, which is alpha / 2M times the squared weights."""

    sizes, alpha = (7, 5, 3), 0.01
    spec = spec_of(
        [7, (5, "tanh"), (3, "softmax")],
        "categorical_crossentropy",
        {"learning_rate": 0.1},
        regularization={"l2": alpha},
    )
    options = MappingProxyType(
        {"activation": "tanh", "alpha": alpha, "solver": "sgd", "learning_rate_init": 0.1, "momentum": 0.0}
    )
    kind = MLPClassifier

    def __init__(self):
        self.network = self.kind(hidden_layer_sizes=self.sizes[1:-1], random_state=0, **self.options)
        self.fit(np.zeros((1, self.sizes[0])), np.eye(1, self.sizes[-1]))  # makes its arrays
        del self.network._optimizer  # which remembers that step

    def fit(self, X, Y):
        self.network.partial_fit(X, Y.argmax(axis=1), classes=range(self.sizes[-1]))

    def get_parameters(self):
        return [*self.network.coefs_, *self.network.intercepts_]

    def set_parameters(self, parameters):
        for mine, given in zip(self.get_parameters(), parameters, strict=True):
            mine[...] = given

    def step(self, X, Y):
        self.fit(X, Y)
        return self.network.loss_

    def forward(self, X):
        return self.network.predict_proba(X)


class Nesterov(Classifier):
    """Its momentum is Nesterov's unless it is told not to be."""

    spec = spec_of(
        [7, (5, "tanh"), (3, "softmax")],
        "categorical_crossentropy",
        {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
    )
    options = MappingProxyType({**Classifier.options, "alpha": 0.0, "momentum": 0.9})


class Adam(Classifier):
    """Its epsilon is 1e-8, where Keras's is 1e-7."""

    spec = spec_of(
        [7, (5, "tanh"), (3, "softmax")], "categorical_crossentropy", {"name": "adam", "learning_rate": 0.001}
    )
    options = MappingProxyType({"activation": "tanh", "alpha": 0.0})


class Regressor(Classifier):
    """7-5-1, tanh and linear; its cost is half the mean squared error."""

    sizes = (7, 5, 1)
    spec = spec_of([7, (5, "tanh"), (1, "linear")], "mean_squared_error", {"learning_rate": 0.1})
    options = MappingProxyType({**Classifier.options, "alpha": 0.0})
    kind = MLPRegressor

    def fit(self, X, Y):
        self.network.partial_fit(X, Y[:, 0])

    def forward(self, X):
        return self.network.predict(X)
