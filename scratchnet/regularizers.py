"""The penalty that is added to the cost to keep weights (never biases) small, and its gradient."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scratchnet.arrays import Array
from scratchnet.checks import Checked, NotNegative


@dataclass(frozen=True)
class L1L2(Checked):
    """l1 · Σ|w| + l2 · Σ w², gradient l1 · sign(w) + 2 · l2 · w: Keras's convention, with sign(0) = 0.

    Nielsen's λ/2n Σ w² is this with l2 = λ/2n.
    """

    l1: NotNegative = 0.0
    l2: NotNegative = 0.0

    def __bool__(self) -> bool:
        return bool(self.l1 or self.l2)

    def cost(self, weights: Sequence[Array], scratch: Sequence[Array]) -> float:
        """l1 · Σ|w| + l2 · Σ w² over the W of all layers; `scratch` holds an array of each shape."""
        return float(sum(self._cost(W, part) for W, part in zip(weights, scratch, strict=True)))

    def _cost(self, W: Array, scratch: Array) -> float:
        total = 0.0
        if self.l1:
            total += self.l1 * float(np.sum(np.abs(W, out=scratch)))
        if self.l2:
            total += self.l2 * float(np.sum(np.multiply(W, W, out=scratch)))
        return total

    def gradient(self, W: Array, scale: float, out: Array, scratch: Array) -> None:
        """out ← scale · (l1 · sign(W) + 2 · l2 · W)."""
        np.multiply(W, scale * 2.0 * self.l2, out=out)
        if self.l1:
            np.sign(W, out=scratch)
            scratch *= scale * self.l1
            out += scratch

    def value(self, w: float) -> float:
        """What one weight adds to the cost."""
        return self.l1 * abs(w) + self.l2 * w**2

    def slope(self, w: float) -> float:
        """The derivative of `value`."""
        return self.l1 * ((w > 0.0) - (w < 0.0)) + 2.0 * self.l2 * w
