"""The floor of a step as a backend: its matrix products and its gather alone, bound exactly as scratchnet binds them.

Fed by a worker; what scratchnet's step takes above this is element-wise work and Python.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.backends.scratchnet import Scratchnet
from scratchnet.dropout import Mask
from scratchnet.examples import Examples
from scratchnet.network import Network

Array = NDArray[np.floating[Any]]
NEGLIGIBLE = -1e-30
"""Factor of what the products add to the weights: they must stay finite, and BLAS would skip a factor of 0."""


class ProductsOnly(Network):
    """A network whose step is gather, products and the waits of processes for each other."""

    def steps(
        self, examples: Examples, order: NDArray[np.integer[Any]], batch_size: int, masks: Sequence[Mask]
    ) -> tuple[Array, Array]:
        beta, zeros = self.optimizer.beta, np.zeros(-(-len(order) // batch_size))
        for _, workspace in self.batches(examples, order, batch_size):
            for layer in workspace.layers:
                layer.weighted_input()
            for layer, propagate, _above in workspace.descent:
                propagate()
                layer.accumulate(NEGLIGIBLE, beta)
            workspace.layers[0].accumulate(NEGLIGIBLE, beta)
        return zeros, zeros


class Products(Scratchnet):
    """See `bench.backend.Backend`. It learns nothing."""

    network = ProductsOnly
