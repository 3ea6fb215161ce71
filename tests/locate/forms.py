"""The hand-written network in the layouts and containers that people use."""

import numpy as np
from handwritten import HandWritten


class Columns(HandWritten):
    """Columns are examples, W is (n_out, n_in), b is a column."""

    def get_parameters(self):
        return {
            f"{name}{l}": array
            for l, (W, b) in enumerate(super().get_parameters())
            for name, array in (("W", W.T.copy()), ("b", b[:, None]))
        }

    def set_parameters(self, parameters):
        arrays = list(parameters.values())
        super().set_parameters([(W.T, b[:, 0]) for W, b in zip(arrays[::2], arrays[1::2], strict=True)])

    def take(self, weights=None, masks=None):
        super().take(weights, None if masks is None else [mask.T for mask in masks])

    def step(self, X, Y, **extras):
        super().step(X.T, Y.T, **extras)

    def forward(self, X, **extras):
        zs, acts = super().forward(X.T, **extras)
        return [z.T for z in zs], [X, *(a.T for a in acts)]

    def cost(self, X, Y, **extras):
        return np.array([[super().cost(X.T, Y.T, **extras)]])

    def errors(self, X, Y, **extras):
        return tuple(d.T for d in super().errors(X.T, Y.T, **extras))

    def gradients(self, X, Y, **extras):
        return [array for W, b in super().gradients(X.T, Y.T, **extras) for array in (W.T, b[:, None])]


class ColumnsInOut(Columns):
    """Columns are examples, W is (n_in, n_out)."""

    def get_parameters(self):
        return HandWritten.get_parameters(self)

    def set_parameters(self, parameters):
        HandWritten.set_parameters(self, parameters)

    def gradients(self, X, Y, **extras):
        return HandWritten.gradients(self, X.T, Y.T, **extras)


class WeightsFirst(HandWritten):
    """All weights, then all biases."""

    def get_parameters(self):
        return tuple(zip(*super().get_parameters(), strict=True))

    def set_parameters(self, parameters):
        super().set_parameters(list(zip(*parameters, strict=True)))


class Inside(HandWritten):
    """The bias is the last row of W, which is (n_in + 1, n_out)."""

    first = False

    def get_parameters(self):
        return [np.vstack([b, W] if self.first else [W, b]) for W, b in super().get_parameters()]

    def set_parameters(self, parameters):
        super().set_parameters([(W[1:], W[0]) if self.first else (W[:-1], W[-1]) for W in parameters])

    def gradients(self, X, Y, **extras):
        return [np.vstack([b, W] if self.first else [W, b]) for W, b in super().gradients(X, Y, **extras)]


class Lists(HandWritten):
    """Plain lists in pairs; examples one after the other."""

    def get_parameters(self):
        return [[W.tolist(), b.tolist()] for W, b in super().get_parameters()]

    def set_parameters(self, parameters):
        super().set_parameters([(np.array(W), np.array(b)) for W, b in parameters])

    def step(self, X, Y):
        assert isinstance(X, list)
        super().step(np.array(X), np.array(Y))

    def forward(self, X):
        return super().forward(np.array(X))[1][-1].tolist()

    def cost(self, X, Y):
        return super().cost(np.array(X), np.array(Y))

    def errors(self, X, Y):
        return [d.tolist() for d in super().errors(np.array(X), np.array(Y))]

    def gradients(self, X, Y):
        return [[W.tolist(), b.tolist()] for W, b in super().gradients(np.array(X), np.array(Y))]


FORMS = {
    "columns": (Columns, "columns are examples, W is (n_out, n_in)"),
    "columns in_out": (ColumnsInOut, "columns are examples, W is (n_in, n_out)"),
    "out_in": (type("OutIn", (HandWritten,), {"out_in": True}), "rows are examples, W is (n_out, n_in)"),
    "weights first": (WeightsFirst, "rows are examples, W is (n_in, n_out)"),
    "inside": (Inside, "rows are examples, W is (n_in, n_out), the bias inside W, last"),
    "inside first": (
        type("First", (Inside,), {"first": True}),
        "rows are examples, W is (n_in, n_out), the bias inside W, first",
    ),
    "lists": (Lists, "rows are examples, W is (n_in, n_out)"),
}
