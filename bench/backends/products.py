"""The floor of a step as a backend: its matrix products and its gather alone, bound exactly as scratchnet binds them.

Fed by a worker; what scratchnet's step takes above this is element-wise work, update and, where Numba is not installed,
Python. With Numba the floor is a table of calls in C as well.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.backends.scratchnet import Scratchnet
from scratchnet.calls import WAIT, Row
from scratchnet.dropout import Mask
from scratchnet.examples import Examples
from scratchnet.losses import Loss
from scratchnet.network import Network
from scratchnet.product import Product
from scratchnet.program import Program
from scratchnet.workspace import Workspace

Array = NDArray[np.floating[Any]]
NEGLIGIBLE = -1e-30
"""Factor of what the products add to the weights: they must stay finite, and BLAS would skip a factor of 0."""


class ProductsProgram(Program):
    """The table of a step without its element-wise rows: all errors are 0, and the parameters stay."""

    def rows(self, workspace: Workspace, loss: Loss, update: list[Row]) -> list[Row]:
        gather, *others = super().rows(workspace, loss, [])
        return [gather, *(row for row in others if row is WAIT or isinstance(row.alive[0], Product))]


class ProductsOnly(Network):
    """A network whose step is gather, products and the waits of processes for each other."""

    program_kind = ProductsProgram

    def steps(
        self, examples: Examples, order: NDArray[np.integer[Any]], batch_size: int, masks: Sequence[Mask]
    ) -> tuple[Array, Array]:
        beta, zeros = self.optimizer.beta, np.zeros(-(-len(order) // batch_size))
        nothing = np.zeros((1, len(order)), self.dtype)
        done = self.steps_in_c(examples, order, batch_size, nothing, nothing)
        for _, workspace in self.batches(examples, order[done:], batch_size):
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
