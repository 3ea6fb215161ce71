"""All parameters of a network as one flat vector, with W̃ = [W b] of each layer as views into it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from scratchnet.arrays import Array


class Parameters:
    """θ, and the views that the equations speak of.

    vector : (Σ n_l (n_{l-1} + 1),); augmented[l] : W̃ (n_l, n_{l-1} + 1), C-ordered;
    weights[l] : W (n_l, n_{l-1}); biases[l] : b (n_l,). Lists start at layer 1, so `weights[0]` is W[1].
    A vector that is left out is zeros.
    """

    def __init__(self, widths: Sequence[int], dtype: DTypeLike, vector: Array | None = None) -> None:
        self._widths = tuple(widths)
        shapes = [(n_out, n_in + 1) for n_in, n_out in pairwise(widths)]
        ends = np.cumsum([rows * columns for rows, columns in shapes])
        self.vector: Array = np.zeros(int(ends[-1]), dtype) if vector is None else vector
        parts = np.split(self.vector, ends[:-1])
        self.augmented = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        self.weights = [W_b[:, :-1] for W_b in self.augmented]
        self.biases = [W_b[:, -1] for W_b in self.augmented]

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, or what is pickled, is made anew: copied one by one, views would no longer be views."""
        return Parameters, (self._widths, self.vector.dtype, self.vector)

    def zeros_like(self) -> "Parameters":
        """Zeros of the same shapes and dtype: a gradient or a velocity."""
        return Parameters(self._widths, self.vector.dtype)

    def like(self, vector: Array) -> "Parameters":
        """The same shapes, as views into that vector."""
        return Parameters(self._widths, vector.dtype, vector)

    def set(self, layers: Sequence[tuple[Array, Array]]) -> None:
        """Copy (W, b) of each layer in; a ValueError names what has another shape."""
        if len(layers) != len(self.weights):
            raise ValueError(f"parameters of {len(layers)} layers given; the network has {len(self.weights)}")
        for index, (W, b) in enumerate(layers):
            for name, view, array in (("W", self.weights[index], W), ("b", self.biases[index], b)):
                if view.shape != np.shape(array):
                    given = f"{name}[{index + 1}] given with shape {np.shape(array)}"
                    raise ValueError(f"{given}; allowed: {view.shape}")
                view[...] = array

    def get(self) -> list[tuple[Array, Array]]:
        """Copies of (W, b) of each layer."""
        return [(W.copy(), b.copy()) for W, b in zip(self.weights, self.biases, strict=True)]
