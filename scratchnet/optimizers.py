"""Optimizers: each says where the product Δ Ãᵀ of BP3 and BP4 is accumulated, how, and what is left to do.

Fed by the parameters once; the batch formulation then accumulates straight into `target`, layer by layer.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratchnet.parameters import Parameters

Array = NDArray[np.floating[Any]]


class SGD:
    """Mini-batch gradient descent with momentum (Polyak 1964): v ← μ v − η ∂C/∂θ, θ ← θ + v.

    Without momentum v is not kept: the product adds −η/M · Δ Ãᵀ into the weights themselves.
    """

    def __init__(self, learning_rate: float, momentum: float = 0.0) -> None:
        if not 0 < learning_rate < np.inf:
            raise ValueError(f"learning_rate is {learning_rate}; allowed: a finite number greater than 0")
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum is {momentum}; allowed: 0 or greater, and less than 1")
        self.learning_rate = float(learning_rate)
        self.momentum = float(momentum)

    def attach(self, parameters: Parameters) -> None:
        """Bind the parameters that are updated; with momentum, v is made here and starts at 0."""
        self._parameters = parameters.vector
        self.target = parameters.zeros_like() if self.momentum else parameters
        self._velocity = self.target.vector if self.momentum else None
        self.beta = self.momentum if self.momentum else 1.0

    @property
    def scale(self) -> float:
        """Factor of ∂C/∂θ in what is accumulated: −η."""
        return -self.learning_rate

    def finish(self) -> None:
        """θ ← θ + v, where v was accumulated apart."""
        if self._velocity is not None:
            np.add(self._parameters, self._velocity, out=self._parameters)
