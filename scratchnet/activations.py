"""Activation functions f with their derivatives; an object has the scratch space of one layer and batch size.

Arrays are (n_l, M), a column an example. `value` and `slope` are f and f' of one number, for `formulations.scalar`.
"""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from scratchnet.arrays import Array

# TensorFlow rounds these two constants to float32 whatever the dtype. So do we: in float64 a network would part from
# Keras by 2e-8 otherwise, and in float32 it makes no difference.
LEAKY_SLOPE = float(np.float32(0.2))
SQRT_HALF = float(np.float32(math.sqrt(0.5)))


class Activation:
    """f applied to each element of Z, equations (4), (11), (12), (20) and (21)."""

    value: ClassVar["staticmethod[[float], float]"]
    """f(z) of one neuron."""
    slope: ClassVar["staticmethod[[float], float]"]
    """f'(z) of one neuron."""

    def __init__(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        self._scratch: Array = np.zeros(shape, dtype)
        # NumPy's maximum and minimum with an array of zeros are up to three times faster than with the number 0.
        self._zeros: Array = np.zeros(shape, dtype)

    def forward(self, Z: Array, A: Array) -> None:
        """A ← f(Z), equation (20); A may be Z itself."""
        raise NotImplementedError

    def derivative(self, A: Array, out: Array) -> None:
        """out ← f'(Z) of the last forward pass, computed from A = f(Z) where that is possible: it is cheaper."""
        raise NotImplementedError

    def jacobian_product(self, A: Array, G: Array, out: Array) -> None:
        """out ← G · ∂A/∂Z for each example, equations (26) to (31); out may be G itself.

        Element-wise activations have a diagonal Jacobian, so the product is f'(Z) ⊙ G.
        """
        self.derivative(A, self._scratch)
        np.multiply(self._scratch, G, out=out)

    @classmethod
    def component(cls, z: Sequence[float], i: int) -> float:
        """a_i = f(z_i), equation (4)."""
        return cls.value(z[i])

    @classmethod
    def partial(cls, z: Sequence[float], j: int, i: int) -> float:
        """∂a_j/∂z_i, an element of the Jacobian in (26): 0 for i ≠ j, since a_j depends on z_j alone."""
        return cls.slope(z[i]) if i == j else 0.0


def _sigmoid(Z: Array, out: Array) -> None:
    """out ← 1 / (1 + e^−Z). Where e^−z overflows, the result is its limit, 0."""
    np.negative(Z, out=out)
    np.exp(out, out=out)
    out += 1.0
    np.reciprocal(out, out=out)


def _sigmoid_value(z: float) -> float:
    return 1.0 / (1.0 + math.exp(-z)) if z >= 0.0 else math.exp(z) / (1.0 + math.exp(z))


class Sigmoid(Activation):
    """f(z) = 1 / (1 + e^−z), f' = f (1 − f), equations (5) and (51)."""

    value = staticmethod(_sigmoid_value)
    slope = staticmethod(lambda z: _sigmoid_value(z) * _sigmoid_value(-z))

    def forward(self, Z: Array, A: Array) -> None:
        _sigmoid(Z, A)

    def derivative(self, A: Array, out: Array) -> None:
        np.subtract(1.0, A, out=out)
        out *= A


class Tanh(Activation):
    """f(z) = tanh z, f' = 1 − f²."""

    value = staticmethod(math.tanh)
    slope = staticmethod(lambda z: 1.0 - math.tanh(z) ** 2)

    def forward(self, Z: Array, A: Array) -> None:
        np.tanh(Z, out=A)

    def derivative(self, A: Array, out: Array) -> None:
        np.multiply(A, A, out=out)
        np.subtract(1.0, out, out=out)


class Relu(Activation):
    """f(z) = max(0, z), f' = 1 where z > 0, else 0: the founding document's f'(0) = 0."""

    value = staticmethod(lambda z: max(0.0, z))
    slope = staticmethod(lambda z: 1.0 if z > 0.0 else 0.0)

    def __init__(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        super().__init__(shape, dtype)
        self._positive = np.zeros(shape, np.bool_)

    def forward(self, Z: Array, A: Array) -> None:
        np.maximum(Z, self._zeros, out=A)

    def jacobian_product(self, A: Array, G: Array, out: Array) -> None:
        np.greater(A, self._zeros, out=self._positive)
        np.multiply(G, self._positive, out=out)


class LeakyRelu(Activation):
    """f(z) = max(z, 0.2 z), f' = 1 where z > 0, else 0.2 (Maas et al. 2013; the slope is Keras's `leaky_relu`'s)."""

    value = staticmethod(lambda z: max(z, LEAKY_SLOPE * z))
    slope = staticmethod(lambda z: 1.0 if z > 0.0 else LEAKY_SLOPE)

    def forward(self, Z: Array, A: Array) -> None:
        np.multiply(Z, LEAKY_SLOPE, out=self._scratch)
        np.maximum(Z, self._scratch, out=A)

    def derivative(self, A: Array, out: Array) -> None:
        np.greater(A, 0.0, out=out)
        out *= 1.0 - LEAKY_SLOPE
        out += LEAKY_SLOPE


class Elu(Activation):
    """f(z) = z where z > 0, else e^z − 1; f' = 1 where z ≥ 0, else f + 1 (Clevert et al. 2016, α = 1)."""

    value = staticmethod(lambda z: z if z > 0.0 else math.expm1(z))
    slope = staticmethod(lambda z: 1.0 if z > 0.0 else math.exp(z))

    def forward(self, Z: Array, A: Array) -> None:
        # e^z is taken of min(z, 0) only, so that it cannot overflow.
        np.minimum(Z, self._zeros, out=self._scratch)
        np.expm1(self._scratch, out=self._scratch)
        np.maximum(Z, self._zeros, out=A)
        A += self._scratch

    def derivative(self, A: Array, out: Array) -> None:
        np.minimum(A, self._zeros, out=out)
        out += 1.0


def _normal(z: float) -> tuple[float, float]:
    """Φ(z) and φ(z) of the normal distribution. erfc keeps the digits of a very negative z; 1 + erf loses them."""
    density = math.exp(-((z * SQRT_HALF) ** 2)) * SQRT_HALF / math.sqrt(math.pi)
    return 0.5 * math.erfc(-z * SQRT_HALF), density


class Gelu(Activation):
    """f(z) = z Φ(z), f' = Φ(z) + z φ(z) (Hendrycks & Gimpel 2016, exact form), with Φ(z) = erfc(−z √½) / 2.

    f is not monotonic, so that f' cannot be had from A: Z is kept.
    """

    value = staticmethod(lambda z: z * _normal(z)[0])
    slope = staticmethod(lambda z: _normal(z)[0] + z * _normal(z)[1])

    def __init__(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        super().__init__(shape, dtype)
        self._Z, self._cdf = np.zeros(shape, dtype), np.zeros(shape, dtype)

    def forward(self, Z: Array, A: Array) -> None:
        from scipy.special import erfc  # takes 0.2 s to import, and the engine needs none

        np.copyto(self._Z, Z)
        np.multiply(Z, -SQRT_HALF, out=self._cdf)
        erfc(self._cdf, out=self._cdf)
        self._cdf *= 0.5
        np.multiply(Z, self._cdf, out=A)

    def derivative(self, A: Array, out: Array) -> None:
        np.multiply(self._Z, self._Z, out=out)
        out *= -(SQRT_HALF**2)
        np.exp(out, out=out)
        out *= SQRT_HALF / math.sqrt(math.pi)
        out *= self._Z
        out += self._cdf


class Silu(Activation):
    """f(z) = z σ(z), f' = σ + f (1 − σ) (Elfwing et al. 2018). f is not monotonic: σ(Z) is kept."""

    value = staticmethod(lambda z: z * _sigmoid_value(z))
    slope = staticmethod(lambda z: _sigmoid_value(z) * (1.0 + z * _sigmoid_value(-z)))

    def __init__(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        super().__init__(shape, dtype)
        self._sigmoid: Array = np.zeros(shape, dtype)

    def forward(self, Z: Array, A: Array) -> None:
        _sigmoid(Z, self._sigmoid)
        np.multiply(Z, self._sigmoid, out=A)

    def derivative(self, A: Array, out: Array) -> None:
        np.subtract(1.0, self._sigmoid, out=out)
        out *= A
        out += self._sigmoid


class Softplus(Activation):
    """f(z) = log(1 + e^z), f' = σ(z) = 1 − e^−f (Dugas et al. 2001).

    Computed as max(z, 0) + log(1 + e^−|z|): no exponential overflows, and log1p keeps the digits of a small f.
    """

    value = staticmethod(lambda z: max(z, 0.0) + math.log1p(math.exp(-abs(z))))
    slope = staticmethod(_sigmoid_value)

    def forward(self, Z: Array, A: Array) -> None:
        np.abs(Z, out=self._scratch)
        np.negative(self._scratch, out=self._scratch)
        np.exp(self._scratch, out=self._scratch)
        np.log1p(self._scratch, out=self._scratch)
        np.maximum(Z, self._zeros, out=A)
        A += self._scratch

    def derivative(self, A: Array, out: Array) -> None:
        np.negative(A, out=out)
        np.expm1(out, out=out)
        np.negative(out, out=out)


class Linear(Activation):
    """f(z) = z, f' = 1."""

    value = staticmethod(lambda z: z)
    slope = staticmethod(lambda z: 1.0)

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
        self._row: Array = np.zeros((1, shape[1]), dtype)

    def forward(self, Z: Array, A: Array) -> None:
        np.maximum.reduce(Z, axis=0, out=self._row, keepdims=True)
        np.subtract(Z, self._row, out=A)
        np.exp(A, out=A)
        np.add.reduce(A, axis=0, out=self._row, keepdims=True)
        A /= self._row

    def jacobian_product(self, A: Array, G: Array, out: Array) -> None:
        np.multiply(G, A, out=self._scratch)
        np.add.reduce(self._scratch, axis=0, out=self._row, keepdims=True)
        np.subtract(G, self._row, out=out)
        out *= A

    @classmethod
    def component(cls, z: Sequence[float], i: int) -> float:
        largest = max(z)
        return math.exp(z[i] - largest) / sum(math.exp(one - largest) for one in z)

    @classmethod
    def partial(cls, z: Sequence[float], j: int, i: int) -> float:
        return cls.component(z, j) * (float(i == j) - cls.component(z, i))


ACTIVATIONS: dict[str, type[Activation]] = {
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "relu": Relu,
    "leaky_relu": LeakyRelu,
    "elu": Elu,
    "gelu": Gelu,
    "silu": Silu,
    "softplus": Softplus,
    "linear": Linear,
    "softmax": Softmax,
}
