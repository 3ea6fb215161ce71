"""A network made of the functions of one exercise, with the methods that `bench.locate` calls.

All functions but one are the solution's. So that one gets right inputs, and whatever `locate` finds is its own.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.locate.problems import spec_of
from bench.spec import TrainingSpec

Array = NDArray[np.float64]
Functions = Mapping[str, Callable[..., Any]]


class Formulation(NamedTuple):
    """What an exercise works on. A unit is one example, or the whole batch.

    split : (n, M) → the units; join : units → (n, M); parameters : W (n, n_before), b (n,) → as the exercise has them.
    """

    split: Callable[[Array], list[Any]]
    join: Callable[[list[Any]], Array]
    parameters: Callable[[Array, Array], tuple[Any, Any]]
    hidden: str
    output: str
    cost: str


SCALAR = Formulation(
    lambda X: X.T.tolist(),
    lambda units: np.array(units).T,
    lambda W, b: (W.tolist(), b.tolist()),
    *("activation", "activation", "loss"),
)
VECTOR = Formulation(
    lambda X: [X[:, [m]] for m in range(X.shape[1])],
    np.hstack,
    lambda W, b: (W, b[:, None]),
    *("activation", "activation", "loss"),
)
BATCH = Formulation(
    lambda X: [X],
    lambda units: np.array(units[0]),
    lambda W, b: (W, b[:, None]),
    *("relu", "softmax", "cost"),
)
FORMULATIONS = {"scalar": SCALAR, "vector": VECTOR, "batch": BATCH, "optimizers": BATCH}

SIGMOIDS: Sequence[Any] = [5, (4, "sigmoid"), (3, "sigmoid"), (2, "sigmoid")]
CLASSES: Sequence[Any] = [7, (6, "relu"), (5, "relu"), (3, "softmax")]
RATE, MU = 0.05, 0.9
ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "update": {"learning_rate": RATE},
    "momentum": {"learning_rate": RATE, "momentum": MU},
    "adam": {"name": "adam", "learning_rate": RATE, **ADAM},
}
"""The function that updates → the optimizer that it is."""


def spec_for(exercise: str, function: str) -> TrainingSpec:
    """What the network of an exercise computes, with the optimizer of that function."""
    layers, loss = (CLASSES, "categorical_crossentropy")
    if FORMULATIONS[exercise] is not BATCH:
        layers, loss = (SIGMOIDS, "summed_binary_crossentropy")
    return spec_of(layers, loss, OPTIMIZERS.get(function, OPTIMIZERS["update"]), name=exercise)


class CourseNetwork:
    """The protocol of `bench.locate.subject.Subject`. `rule` names the function that updates."""

    examples, weights = "columns", "out_in"

    def __init__(self, exercise: str, functions: Functions, rule: str = "update") -> None:
        self._form, self._functions, self._rule = FORMULATIONS[exercise], functions, rule
        sizes = [SIGMOIDS, CLASSES][self._form is BATCH]
        widths = [sizes[0], *(layer[0] for layer in sizes[1:])]
        self._parameters = [(np.zeros((n, k)), np.zeros(n)) for k, n in pairwise(widths)]
        self._memory: dict[tuple[int, int], tuple[Array, ...]] = {}
        self._t = 0

    def get_parameters(self) -> list[tuple[Array, Array]]:
        """(W, b) of each layer."""
        return [(W.copy(), b.copy()) for W, b in self._parameters]

    def set_parameters(self, parameters: Sequence[tuple[Array, Array]]) -> None:
        """Take them."""
        self._parameters = [(np.array(W), np.array(b)) for W, b in parameters]

    def forward(self, X: Array) -> tuple[list[Array], list[Array]]:
        """Z and A of each layer, (n_l, M)."""
        passes = [self._forward(unit) for unit in self._form.split(X)]
        Z, A = (
            [self._form.join(list(layer)) for layer in zip(*each, strict=True)] for each in zip(*passes, strict=True)
        )
        return Z, A[1:]

    def cost(self, X: Array, Y: Array) -> float:
        """The mean over the units."""
        return float(np.mean([self._call(self._form.cost, A[-1], y) for A, y in self._units(X, Y)]))

    def errors(self, X: Array, Y: Array) -> list[Array]:
        """delta of each layer, (n_l, M)."""
        of_units = [self._errors(A, y) for A, y in self._units(X, Y)]
        return [self._form.join(list(layer)) for layer in zip(*of_units, strict=True)]

    def gradients(self, X: Array, Y: Array) -> list[tuple[Array, Array]]:
        """(dW, db) of each layer: the mean over the units."""
        of_units = [self._gradients(A, self._errors(A, y)) for A, y in self._units(X, Y)]
        means = [
            [np.mean(parts, axis=0) for parts in zip(*layer, strict=True)] for layer in zip(*of_units, strict=True)
        ]
        return [(dW, db) for dW, db in means]

    def step(self, X: Array, Y: Array) -> None:
        """One update."""
        self._t += 1
        gradients = self.gradients(X, Y)
        self._parameters = [
            (self._updated((l, 0), W, dW), self._updated((l, 1), b, db))
            for l, ((W, b), (dW, db)) in enumerate(zip(self._parameters, gradients, strict=True))
        ]

    def _updated(self, key: tuple[int, int], theta: Array, g: Array) -> Array:
        if self._rule == "update":
            return self._plain_update(theta, g)
        zeros = (np.zeros_like(theta),) * (1 if self._rule == "momentum" else 2)
        kept = self._memory.get(key, zeros)
        options = (g, RATE, MU) if self._rule == "momentum" else (self._t, g, RATE, *ADAM.values())
        new, *remembered = self._call(self._rule, theta, *kept, *options)
        self._memory[key] = tuple(remembered)
        return np.array(new)

    def _plain_update(self, theta: Array, g: Array) -> Array:
        if self._form is not SCALAR:
            return np.array(self._call("update", theta, g, RATE))
        pairs = zip(theta.ravel().tolist(), g.ravel().tolist(), strict=True)
        return np.array([self._call("update", one, slope, RATE) for one, slope in pairs]).reshape(theta.shape)

    def _call(self, name: str, *arguments: Any) -> Any:
        return self._functions[name](*arguments)

    def _layers(self) -> list[tuple[Any, Any]]:
        return [self._form.parameters(W, b) for W, b in self._parameters]

    def _units(self, X: Array, Y: Array) -> list[tuple[list[Any], Any]]:
        """Activations and targets of each unit."""
        pairs = zip(self._form.split(X), self._form.split(Y), strict=True)
        return [(self._forward(x)[1], y) for x, y in pairs]

    def _forward(self, x: Any) -> tuple[list[Any], list[Any]]:
        """Z[1] to Z[L], and A[0] to A[L]."""
        Z, A = list[Any](), [x]
        layers = self._layers()
        for l, (W, b) in enumerate(layers, start=1):
            Z.append(self._call("weighted_input", A[-1], W, b))
            A.append(self._call(self._form.output if l == len(layers) else self._form.hidden, Z[-1]))
        return Z, A

    def _errors(self, A: list[Any], y: Any) -> list[Any]:
        layers = self._layers()
        delta = [self._call("output_error", A[-1], y)]
        for l in range(len(layers) - 1, 0, -1):
            delta.insert(0, self._call("hidden_error", layers[l][0], delta[0], A[l]))
        return delta

    def _gradients(self, A: list[Any], delta: list[Any]) -> list[tuple[Array, Array]]:
        pairs = zip(delta, A, strict=False)
        return [
            (np.array(self._call("weight_gradient", d, a)), np.array(self._call("bias_gradient", d)).reshape(-1))
            for d, a in pairs
        ]
