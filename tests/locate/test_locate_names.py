"""Dicts are matched by their names, not by the order in which they were filled."""

import pytest
from handwritten import HandWritten
from problems import PROBLEMS

from bench.locate.arrays import in_order_of, in_order_of_layers
from bench.locate.run import locate

SPEC = PROBLEMS["classes"]


class Named(HandWritten):
    """Parameters in a dict; gradients and errors in the order of the backward pass."""

    prefix = ""

    def get_parameters(self):
        return {f"{name}{l}": array for l, pair in self.numbered() for name, array in zip("Wb", pair, strict=True)}

    def numbered(self):
        return list(enumerate(zip(self.weights, self.biases, strict=True), start=1))

    def set_parameters(self, parameters):
        layers = range(1, len(self.weights) + 1)
        self.weights = [parameters[f"W{l}"] for l in layers]
        self.biases = [parameters[f"b{l}"] for l in layers]

    def gradients(self, X, Y):
        pairs = list(zip(*self.all_gradients(X, Y), strict=True))
        return {
            f"{self.prefix}{name}{l}": pairs[l - 1]["Wb".index(name)] for l in range(len(pairs), 0, -1) for name in "Wb"
        }

    def errors(self, X, Y):
        deltas = self.deltas(*self.run(X), Y)
        return {f"delta{l}": deltas[l - 1] for l in range(len(deltas), 0, -1)}


@pytest.mark.parametrize("prefix", ["", "d"])
def test_gradients_are_matched_by_name(prefix):
    named = type("Named", (Named,), {"prefix": prefix})
    document = locate(named, SPEC).document
    assert document.verdict == "right"
    assert {"dW[1]", "db[3]", "delta[1]"} <= {tensor.name for tensor in document.right}


def test_a_wrong_gradient_is_told_of_its_own_layer():
    class Wrong(Named):
        def bias_gradient(self, l, delta):
            return delta.sum(axis=0) * (1 if l == 1 else 1 / len(delta))

    (finding,) = locate(Wrong, SPEC).document.mistakes
    assert (finding.equation, finding.layer) == ("BP4.2", 2)


def test_names_that_do_not_match_keep_their_order():
    assert list(in_order_of({"W1": 0, "b1": 0}, {"b": 1, "a": 2})) == ["b", "a"]
    assert in_order_of([1, 2], {"W": 1}) == {"W": 1}
    assert in_order_of_layers({"A10": 10, "A2": 2}) == [2, 10]
    assert in_order_of_layers({"out": 1, "A1": 2}) == [1, 2]
