"""scratchnet's own network behind the protocol of `locate`: it reports cost, forward and gradients."""

import numpy as np

from bench.backends.scratchnet import network_of


class OfScratchnet:
    """Rows are examples, W is (n_out, n_in)."""

    examples, weights = "rows", "out_in"

    def __init__(self, spec):
        self.network = network_of(spec)
        if any(layer.dropout for layer in spec.architecture.layers):
            self.forward = None  # `predict` takes no masks

    def get_parameters(self):
        return self.network.parameters.get()

    def set_parameters(self, parameters):
        self.network.parameters.set(parameters)

    def step(self, X, Y, weights=None, masks=()):
        examples = self.network.prepare(X, Y, weights)
        return self.network.train_epoch(examples, np.arange(len(X)), len(X), kept(masks))

    def forward(self, X):
        return self.network.predict(X)

    def cost(self, X, Y, weights=None, masks=()):
        return self.network.cost(X, Y, weights, kept(masks))

    def gradients(self, X, Y, weights=None, masks=()):
        found = self.network.parameters.zeros_like()
        found.vector[...] = self.network.gradient(X, Y, weights, kept(masks))
        return found.get()


def kept(masks):
    return [np.asarray(mask) > 0 for mask in masks]
