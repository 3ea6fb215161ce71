"""Small networks with random parameters, and the mathematics in its plainest form to hold them against.

Of scratchnet only the constructor is used, and constants that it rounds as Keras does. Layers are numbered as in the
equations: index 0 is layer 1.
"""

from collections.abc import Callable, Sequence
from math import exp, log
from typing import Any

import numpy as np
from scipy.special import erf

from scratchnet import Dense, Network
from scratchnet.activations import LEAKY_SLOPE, SQRT_HALF
from scratchnet.formulations import batch
from scratchnet.workspace import Workspace

Array = np.ndarray[Any, np.dtype[np.float64]]
Function = Callable[[Array], Array]

FUNCTIONS: dict[str, Function] = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, LEAKY_SLOPE * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(z) - 1),
    "gelu": lambda z: z * (1 + erf(z * SQRT_HALF)) / 2,
    "silu": lambda z: z / (1 + np.exp(-z)),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "linear": lambda z: z,
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=0),
}
"""f of one example (n,) or of a batch (n, M)."""

ELEMENTWISE = [name for name in FUNCTIONS if name != "softmax"]


def network(
    *names: str, loss: str = "summed_binary_crossentropy", widths: Sequence[int] = (3, 2, 4), **options: Any
) -> Network:
    """A float64 network of these activations; figure 1 of the founding document has widths (3, 2, 1)."""
    layers = [Dense(n, name) for n, name in zip(widths[1:], names, strict=True)]
    made = Network(widths[0], layers, loss=loss, dtype="float64", **options)
    made.parameters.vector[...] = np.random.default_rng(0).normal(size=made.parameters.vector.shape)
    return made


def figure_1(**options: Any) -> Network:
    """3-2-1, sigmoid throughout."""
    return network("sigmoid", "sigmoid", widths=(3, 2, 1), **options)


def examples(of: Network, count: int = 5) -> tuple[Array, Array]:
    """X (N, n_0) and Y (N, n_L) of zeros and ones."""
    rng = np.random.default_rng(1)
    return rng.normal(size=(count, of.inputs)), rng.integers(0, 2, (count, of.layers[-1].units)).astype(float)


def weighted_inputs(of: Network, x: Array) -> list[Array]:
    """z of the layers 1 to L of one example x (n_0,), component by component: equations (3) and (4)."""
    found, a = [], list(x)
    for layer, (W, b) in zip(of.layers, of.parameters.get(), strict=True):
        z = [sum(W[i, k] * a[k] for k in range(len(a))) + b[i] for i in range(len(b))]
        found.append(np.array(z))
        a = list(FUNCTIONS[layer.activation](np.array(z)))
    return found


def activations(of: Network, x: Array) -> list[Array]:
    """a of the layers 0 to L of one example."""
    z = weighted_inputs(of, x)
    return [x, *(FUNCTIONS[layer.activation](one) for layer, one in zip(of.layers, z, strict=True))]


def from_layer(of: Network, l: int, z: Array) -> Array:  # noqa: E741 - the equations' own letter
    """a^L (n_L,) as a function of z^l (n_l,), l counted from 1."""
    rest = list(zip(of.layers, of.parameters.get(), strict=True))[l:]
    a = FUNCTIONS[of.layers[l - 1].activation](z)
    for layer, (W, b) in rest:
        a = FUNCTIONS[layer.activation](W @ a + b)
    return a


def binary_crossentropy(a: Sequence[float], y: Sequence[float]) -> float:
    """(15), summed over the outputs."""
    return -sum(y_i * log(a_i) + (1 - y_i) * log(1 - a_i) for a_i, y_i in zip(a, y, strict=True))


def squared_errors(a: Array, y: Array) -> float:
    return sum((a_i - y_i) ** 2 for a_i, y_i in zip(a, y, strict=True))


def sigmoid(z: float) -> float:
    """(51)."""
    return 1 / (1 + exp(-z))


def jacobian(function: Callable[[Array], Any], at: Array, epsilon: float = 1e-5) -> Array:
    """∂f/∂x (m, n) by central differences: row j holds the derivatives of f_j. A number f gives one row."""
    columns = []
    for step in epsilon * np.eye(len(at)):
        columns.append(np.atleast_1d((function(at + step) - function(at - step)) / (2 * epsilon)))
    return np.stack(columns, axis=1)


def forward_passed(of: Network, X: Array) -> tuple[Workspace, Any]:
    """A workspace after the forward pass of all rows of X, and the target that its gradient goes into."""
    target = of.parameters.zeros_like()
    workspace = Workspace(of.layers, of.parameters, target, len(X))
    batch.gather(workspace, np.hstack([X, np.ones((len(X), 1))]), np.arange(len(X)))
    batch.forward(workspace)
    return workspace, target


def close(values: Any, expected: Any, tolerance: float = 1e-12) -> None:
    """Equal in shape and to so many digits; differences by `jacobian` are right to about 1e-9."""
    assert np.shape(values) == np.shape(expected)
    np.testing.assert_allclose(values, expected, rtol=tolerance, atol=tolerance)


NUMERIC = 1e-8
"""Tolerance beside central differences."""
