"""The floor of a step as a backend: its matrix products and its gather alone, bound exactly as scratchnet binds them.

Fed by a worker; what scratchnet's step takes above this is element-wise work and Python.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.backends.scratchnet import Scratchnet
from scratchnet.dropout import Mask

NEGLIGIBLE = -1e-30
"""Factor of what the products add to the weights: they must stay finite, and BLAS would skip a factor of 0."""


class Products(Scratchnet):
    """See `bench.backend.Backend`. It learns nothing: errors are the ones that it was given at the start."""

    def train_epoch(self, order: NDArray[np.int64], masks: Sequence[Mask] = ()) -> None:
        beta = self._network.optimizer.beta
        for _, workspace in self._network.batches(self._examples, order, self._batch_size):
            for layer in workspace.layers:
                layer.weighted_input()
            for layer, propagate, _above in workspace.descent:
                propagate()
                layer.accumulate(NEGLIGIBLE, beta)
            workspace.layers[0].accumulate(NEGLIGIBLE, beta)
        self._cost = 0.0
