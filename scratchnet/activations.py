"""Activation functions f with their derivatives, each a class that owns the scratch space of one layer and batch size.

Fed by a workspace, which makes one object a layer; all arrays are (n_l, M), columns are examples.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


class Activation:
    """f applied to each element of Z, equations (4), (11) and (20)."""

    def __init__(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        self._scratch = np.zeros(shape, dtype)

    def forward(self, Z: Array, A: Array) -> None:
        """A ← f(Z), equation (20); A may be Z itself."""
        raise NotImplementedError

    def derivative(self, A: Array, out: Array) -> None:
        """out ← f'(Z), computed from A = f(Z), which is cheaper."""
        raise NotImplementedError

    def jacobian_product(self, A: Array, G: Array, out: Array) -> None:
        """out ← G · ∂A/∂Z for each example, equations (26) to (31); out may be G itself.

        Element-wise activations have a diagonal Jacobian, so the product is f'(Z) ⊙ G.
        """
        self.derivative(A, self._scratch)
        np.multiply(self._scratch, G, out=out)


class Sigmoid(Activation):
    """f(z) = 1 / (1 + e^−z), f' = f (1 − f), equation (5). Where e^−z overflows, f is its limit, 0."""

    def forward(self, Z: Array, A: Array) -> None:
        np.negative(Z, out=A)
        np.exp(A, out=A)
        np.add(A, 1.0, out=A)
        np.reciprocal(A, out=A)

    def derivative(self, A: Array, out: Array) -> None:
        np.subtract(1.0, A, out=out)
        np.multiply(out, A, out=out)


class Tanh(Activation):
    """f(z) = tanh z, f' = 1 − f²."""

    def forward(self, Z: Array, A: Array) -> None:
        np.tanh(Z, out=A)

    def derivative(self, A: Array, out: Array) -> None:
        np.multiply(A, A, out=out)
        np.subtract(1.0, out, out=out)


class Relu(Activation):
    """f(z) = max(0, z), f' = 1 where z > 0, else 0: the founding document's f'(0) = 0."""

    def __init__(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        # An array of zeros: NumPy's maximum with a scalar is up to three times slower.
        self._zeros = np.zeros(shape, dtype)
        self._positive = np.zeros(shape, np.bool_)

    def forward(self, Z: Array, A: Array) -> None:
        np.maximum(Z, self._zeros, out=A)

    def jacobian_product(self, A: Array, G: Array, out: Array) -> None:
        np.greater(A, self._zeros, out=self._positive)
        np.multiply(G, self._positive, out=out)


class Linear(Activation):
    """f(z) = z, f' = 1."""

    def __init__(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        pass

    def forward(self, Z: Array, A: Array) -> None:
        if A is not Z:
            np.copyto(A, Z)

    def jacobian_product(self, A: Array, G: Array, out: Array) -> None:
        if out is not G:
            np.copyto(out, G)


class Softmax(Activation):
    """f_i(z) = e^(z_i) / Σ_k e^(z_k) over the neurons of one example.

    Each example is shifted by its own largest z first: the value is the same and nothing overflows.
    Its Jacobian is full, ∂a_j/∂z_i = a_j ([i = j] − a_i), so the product is A ⊙ (G − Σ_j G_j A_j).
    """

    def __init__(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        super().__init__(shape, dtype)
        self._row = np.zeros((1, shape[1]), dtype)

    def forward(self, Z: Array, A: Array) -> None:
        np.maximum.reduce(Z, axis=0, out=self._row, keepdims=True)
        np.subtract(Z, self._row, out=A)
        np.exp(A, out=A)
        np.add.reduce(A, axis=0, out=self._row, keepdims=True)
        np.divide(A, self._row, out=A)

    def jacobian_product(self, A: Array, G: Array, out: Array) -> None:
        np.multiply(G, A, out=self._scratch)
        np.add.reduce(self._scratch, axis=0, out=self._row, keepdims=True)
        np.subtract(G, self._row, out=out)
        np.multiply(out, A, out=out)


ACTIVATIONS: dict[str, type[Activation]] = {
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "relu": Relu,
    "linear": Linear,
    "softmax": Softmax,
}
