"""Central differences of the reported cost, equation (50) made symmetric: the proof that backpropagation is right.

All is computed in float64, on a copy of the network: in float32 the difference of two costs is mostly rounding.
"""

from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from scratchnet.arrays import Array
from scratchnet.network import Network

ROUNDING = 8 * float(np.finfo(np.float64).eps)
"""Relative error of a cost; larger than one rounding, since a cost is a sum."""
RIGHT = 1e-7
"""A ratio below it is right."""


def central_differences(network: Network, X: ArrayLike, y: ArrayLike, epsilon: float = 1e-5, **options: Any) -> Array:
    """(C(θ + ε e_j) − C(θ − ε e_j)) / 2ε for each parameter j, (50) made symmetric, of the cost that is reported.

    In float64, whatever the network's dtype; the network stays as it is.
    options : sample_weight, masks, as `Network.cost` takes them.
    """
    return _differences(_in_float64(network), X, y, epsilon, options)


def gradient_error(network: Network, X: ArrayLike, y: ArrayLike, epsilon: float = 1e-5, **options: Any) -> float:
    """‖analytic − numeric‖ / (‖analytic‖ + ‖numeric‖) of the whole gradient; below 1e-7 is right.

    In float64, whatever the network's dtype. A gradient so small that a cost's rounding alone would exceed 1e-7 of it,
    such as that of dead neurons, is divided by the smallest one of which that is not so.
    """
    return gradient_errors(network, X, y, epsilon, **options)["all"]


def gradient_errors(
    network: Network, X: ArrayLike, y: ArrayLike, epsilon: float = 1e-5, **options: Any
) -> dict[str, float]:
    """The ratio of `gradient_error` for each tensor, "W[1]", "b[1]", "W[2]" and so on, and for "all" of them.

    It says where a mistake is: the ratio of the whole hides one in a small tensor.
    """
    twin = _in_float64(network)
    analytic, numeric = twin.parameters.zeros_like(), twin.parameters.zeros_like()
    analytic.vector[...] = twin.gradient(X, y, **options)
    numeric.vector[...] = _differences(twin, X, y, epsilon, options)
    smallest = ROUNDING * abs(twin.cost(X, y, **options)) / epsilon / RIGHT
    pairs = {"all": (analytic.vector, numeric.vector)}
    for index in range(len(twin.layers)):
        pairs[f"W[{index + 1}]"] = analytic.weights[index], numeric.weights[index]
        pairs[f"b[{index + 1}]"] = analytic.biases[index], numeric.biases[index]
    return {name: _ratio(*pair, smallest) for name, pair in pairs.items()}


def _in_float64(network: Network) -> Network:
    """A copy in float64: the same layers, loss, regularization and parameters."""
    l1, l2 = network.regularizer.l1, network.regularizer.l2
    twin = type(network)(network.inputs, network.layers, loss=network.loss, l1=l1, l2=l2, dtype="float64")
    twin.parameters.vector[...] = network.parameters.vector
    return twin


def _differences(network: Network, X: ArrayLike, y: ArrayLike, epsilon: float, options: dict[str, Any]) -> Array:
    vector = network.parameters.vector
    differences = np.empty_like(vector)
    for j, value in enumerate(vector.tolist()):
        vector[j] = value + epsilon
        upper = network.cost(X, y, **options)
        vector[j] = value - epsilon
        differences[j] = (upper - network.cost(X, y, **options)) / (2 * epsilon)
        vector[j] = value
    return differences


def _ratio(analytic: Array, numeric: Array, smallest: float) -> float:
    scale = max(float(np.linalg.norm(analytic) + np.linalg.norm(numeric)), smallest * sqrt(analytic.size))
    return float(np.linalg.norm(analytic - numeric)) / scale if scale else 0.0
