"""What is added to the cost to keep weights small, and its gradient.

Fed by the weights W of each layer, never by biases; feeds the cost and the update.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


class L2:
    """l2 · Σ w² with gradient 2 · l2 · w: Keras's convention. Nielsen's λ/2n is this with l2 = λ/2n."""

    def __init__(self, l2: float) -> None:
        if not 0 <= l2 < np.inf:
            raise ValueError(f"l2 is {l2}; allowed: a finite number, 0 or greater")
        self.l2 = float(l2)

    def cost(self, weights: Sequence[Array], scratch: Sequence[Array]) -> float:
        """l2 · Σ w² over all layers; `scratch` holds an array of each weight's shape."""
        total = 0.0
        for W, square in zip(weights, scratch, strict=True):
            np.multiply(W, W, out=square)
            total += float(np.sum(square))
        return self.l2 * total

    def gradient(self, W: Array, scale: float, out: Array) -> None:
        """out ← scale · 2 · l2 · W."""
        np.multiply(W, scale * 2.0 * self.l2, out=out)
