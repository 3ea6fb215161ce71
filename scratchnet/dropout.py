"""Dropout as an activation around another: f(z) where a neuron is kept, 0 where it is dropped (Srivastava et al. 2014).

Each step is given its masks, so that two implementations can drop the same neurons.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from scratchnet.activations import Activation
from scratchnet.arrays import Array, Mask

__all__ = ["Dropout", "DropsOut", "Mask", "masks_of"]


class Dropout(Activation):
    """mask ⊙ f(z) / (1 − rate): inverted, so that nothing is scaled when the network predicts, as in Keras."""

    def __init__(self, activation: Activation, rate: float, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        self._activation, self._kept_scale = activation, 1.0 / (1.0 - rate)
        self._factors: Array = np.ones(shape, dtype)
        self._A: Array = np.zeros(shape, dtype)  # f' is computed from f(z), not from what the mask left of it

    def keep(self, mask: Mask | None) -> None:
        """The neurons that the next pass keeps: (M, n_l), or None for all of them, unscaled."""
        if mask is None:
            self._factors.fill(1.0)
        else:
            np.multiply(mask.T, self._kept_scale, out=self._factors, casting="same_kind")

    def forward(self, Z: Array, A: Array) -> None:
        self._activation.forward(Z, self._A)
        np.multiply(self._A, self._factors, out=A)

    def jacobian_product(self, A: Array, G: Array, out: Array) -> None:
        np.multiply(G, self._factors, out=out)
        self._activation.jacobian_product(self._A, out, out)


class DropsOut(Protocol):
    """What a layer says of its dropout: `scratchnet.Dense`, or the description of a layer elsewhere."""

    @property
    def units(self) -> int:
        """n_l."""

    @property
    def dropout(self) -> float:
        """Rate at which activations are dropped."""


def masks_of(rng: np.random.Generator, layers: Sequence[DropsOut], examples: int) -> list[Mask]:
    """A mask (examples, n_l) for each layer with dropout, in order of the layers: which neurons are kept."""
    dropped = [layer for layer in layers if layer.dropout]
    return [rng.random((examples, layer.units), np.float32) >= layer.dropout for layer in dropped]
