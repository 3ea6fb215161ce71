"""scikit-learn as `scratchbench locate` asks it: one call of `partial_fit` is one step.

Run: scratchbench locate examples/adapters/sklearn_network.py:Network --spec momentum
"""

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

ACTIVATIONS = {"sigmoid": "logistic", "tanh": "tanh", "relu": "relu", "linear": "identity"}
OPTIMIZERS = {
    "sgd": lambda o: {"solver": "sgd", "momentum": o.momentum, "nesterovs_momentum": o.nesterov},
    "adam": lambda o: {"solver": "adam", "beta_1": o.beta_1, "beta_2": o.beta_2, "epsilon": o.epsilon},
}
KINDS = {
    "categorical_crossentropy": MLPClassifier,
    "summed_binary_crossentropy": MLPClassifier,
    "mean_squared_error": MLPRegressor,
}


class Network:
    """Rows are examples, W is (n_in, n_out); all weights come first. The hidden layers share one activation."""

    def __init__(self, spec):
        inputs, *hidden, self.outputs = spec.architecture.widths
        self.loss = spec.loss
        self.network = KINDS[spec.loss](hidden_layer_sizes=hidden, shuffle=False, **self.options(spec))
        self.fit(np.zeros((1, inputs), spec.dtype), np.eye(1, self.outputs))  # makes its arrays
        del self.network._optimizer  # which remembers that step

    def options(self, spec):
        return {
            "activation": ACTIVATIONS[spec.architecture.layers[0].activation],
            "alpha": spec.regularization.l2,
            "learning_rate_init": spec.optimizer.learning_rate,
            **OPTIMIZERS[spec.optimizer.name](spec.optimizer),
        }

    def fit(self, X, Y):
        """Classes are numbers, several yes-or-no targets a row of whole numbers; one target is no matrix."""
        if self.loss == "categorical_crossentropy":
            Y = Y.argmax(axis=1)
        elif self.outputs == 1:
            Y = Y[:, 0]
        if self.loss == "mean_squared_error":
            self.network.partial_fit(X, Y)
        else:
            self.network.partial_fit(X, Y.astype(int), classes=range(max(self.outputs, 2)))

    def get_parameters(self):
        return [*self.network.coefs_, *self.network.intercepts_]

    def set_parameters(self, parameters):
        for mine, given in zip(self.get_parameters(), parameters, strict=True):
            mine[...] = given

    def step(self, X, Y):
        self.fit(X, Y)
        return self.network.loss_

    def forward(self, X):
        if self.loss == "mean_squared_error":
            return self.network.predict(X).reshape(len(X), self.outputs)
        return self.network.predict_proba(X)[:, -self.outputs :]  # of one output it also has 1 − a
