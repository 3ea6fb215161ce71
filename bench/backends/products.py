"""The floor of a step as a backend: only scratchnet's gather, matrix products and waits of threads for each other.

Everything else in a step of scratchnet is element-wise work and the update.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.backends.scratchnet import Scratchnet
from scratchnet import engine
from scratchnet.dropout import Mask
from scratchnet.examples import Examples
from scratchnet.formulations.trainer import Trainer
from scratchnet.network import Network

NEGLIGIBLE = -1e-30
"""Factor of what the products add to the weights: they must stay finite, and BLAS would skip a factor of 0."""


class NumpyProducts(Trainer):
    """By NumPy, where Numba is not installed."""

    def train(
        self, examples: Examples, order: NDArray[np.integer[Any]], batch_size: int, masks: Sequence[Mask] = ()
    ) -> NDArray[Any]:
        beta = self._optimizer.beta
        for _, workspace in self.batches(examples, order, batch_size):
            for layer in workspace.layers:
                layer.weighted_input()
            for layer, propagate, _above in workspace.descent:
                propagate()
                layer.accumulate(NEGLIGIBLE, beta)
            workspace.layers[0].accumulate(NEGLIGIBLE, beta)
        return np.zeros(-(-len(order) // batch_size))


class ProductsOnly(Network):
    """A network whose step is gather, products and waits; all errors are 0, and the parameters stay."""

    def trainer_kind(self) -> Any:
        compiled = engine.trainer_for(self.loss, self.optimizer)
        return type("CompiledProducts", (compiled,), {"products_only": True}) if compiled else NumpyProducts


class Products(Scratchnet):
    """See `backends.protocol.Backend`. It learns nothing."""

    network = ProductsOnly
