"""Central differences of the reported cost, equation (50) made symmetric: the proof that backpropagation is right.

Fed by a network and a batch; compares with `Network.gradient`.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scratchnet.network import Network

Array = NDArray[np.floating[Any]]


def central_differences(network: Network, X: ArrayLike, y: ArrayLike, epsilon: float = 1e-5, **options: Any) -> Array:
    """(C(θ + ε e_j) − C(θ − ε e_j)) / 2ε for each parameter j, (50) made symmetric, of the cost that is reported.

    options : sample_weight, masks, as `Network.cost` takes them.
    """
    vector = network.parameters.vector
    differences = np.empty_like(vector)
    for j, value in enumerate(vector.tolist()):
        vector[j] = value + epsilon
        upper = network.cost(X, y, **options)
        vector[j] = value - epsilon
        differences[j] = (upper - network.cost(X, y, **options)) / (2 * epsilon)
        vector[j] = value
    return differences


def gradient_error(network: Network, X: ArrayLike, y: ArrayLike, epsilon: float = 1e-5, **options: Any) -> float:
    """‖analytic − numeric‖ / (‖analytic‖ + ‖numeric‖), 0 where both are 0; below 1e-7 in float64 is right."""
    analytic, numeric = network.gradient(X, y, **options), central_differences(network, X, y, epsilon, **options)
    scale = float(np.linalg.norm(analytic) + np.linalg.norm(numeric))
    return float(np.linalg.norm(analytic - numeric)) / scale if scale else 0.0
