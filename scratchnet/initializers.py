"""How weights start: each initializer draws W (n_l, n_{l-1}) from rng, n_l, n_{l-1}; biases start at zero.

A uniform initializer draws from ±√(3 · variance). All but `zeros` and `orthogonal` differ only in the variance.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Initializer = Callable[[np.random.Generator, int, int], NDArray[np.float64]]
Variance = Callable[[int, int], float]


def _zeros(rng: np.random.Generator, n_out: int, n_in: int) -> NDArray[np.float64]:
    return np.zeros((n_out, n_in))


def _orthogonal(rng: np.random.Generator, n_out: int, n_in: int) -> NDArray[np.float64]:
    """Orthonormal rows or columns, whichever are fewer (Saxe et al. 2014), uniformly among all such matrices."""
    q, r = np.linalg.qr(rng.normal(size=(max(n_out, n_in), min(n_out, n_in))))
    # Without the signs of R's diagonal the distribution would depend on LAPACK's convention (Mezzadri 2007).
    q *= np.where(np.diag(r) < 0.0, -1.0, 1.0)
    return q if n_out >= n_in else q.T


def _uniform(variance: Variance) -> Initializer:
    def draw(rng: np.random.Generator, n_out: int, n_in: int) -> NDArray[np.float64]:
        limit = np.sqrt(3.0 * variance(n_in, n_out))
        return rng.uniform(-limit, limit, size=(n_out, n_in))

    return draw


def _normal(variance: Variance) -> Initializer:
    def draw(rng: np.random.Generator, n_out: int, n_in: int) -> NDArray[np.float64]:
        return rng.normal(0.0, np.sqrt(variance(n_in, n_out)), size=(n_out, n_in))

    return draw


def _glorot(n_in: int, n_out: int) -> float:
    """Glorot & Bengio, AISTATS 2010, equation (16): keeps the variance forward and backward."""
    return 2.0 / (n_in + n_out)


def _he(n_in: int, n_out: int) -> float:
    """He et al., ICCV 2015, equation (10): keeps the variance through ReLU."""
    return 2.0 / n_in


def _lecun(n_in: int, n_out: int) -> float:
    """LeCun et al., Efficient BackProp, 1998, section 4.6."""
    return 1.0 / n_in


INITIALIZERS: dict[str, Initializer] = {
    "zeros": _zeros,
    "random_uniform": _uniform(lambda n_in, n_out: 0.05**2 / 3.0),  # Keras's `RandomUniform`: limits ±0.05
    "random_normal": _normal(lambda n_in, n_out: 0.05**2),  # Keras's `RandomNormal`: standard deviation 0.05
    "glorot_uniform": _uniform(_glorot),
    "glorot_normal": _normal(_glorot),
    "he_uniform": _uniform(_he),
    "he_normal": _normal(_he),
    "lecun_uniform": _uniform(_lecun),
    "lecun_normal": _normal(_lecun),
    "orthogonal": _orthogonal,
}
