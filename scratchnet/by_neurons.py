"""Each process takes its share of the neurons of each layer: it computes their activations and errors for all examples
of a batch, and it alone reads and updates their weights in the forward product and in BP3.2 and BP4.2.

Fed by a network; feeds `scratchnet.team`. A core finds the rows of W̃ that it has just updated in its own cache, and
only activations and errors, which are small where batches are small, pass from core to core. Model parallelism.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scratchnet.activations import ACTIVATIONS, Activation
from scratchnet.calls import WAIT, Row
from scratchnet.layers import Dense
from scratchnet.optimizers import Optimizer
from scratchnet.parameters import Parameters
from scratchnet.product import Product
from scratchnet.shared import Barrier, shared_zeros
from scratchnet.workspace import LayerWorkspace, Multiply, Workspace

if TYPE_CHECKING:
    from scratchnet.network import Network

Array = NDArray[np.floating[Any]]
Signals = tuple[Array, Array]
"""Ã and the errors of one layer, (n_l + 1, M) and (n_l, M), which all processes see."""


class Waiting:
    """A product with a wait before it, and another after it where that is asked for."""

    def __init__(self, product: Multiply, barrier: Barrier, also_after: bool = False) -> None:
        self._product, self._barrier, self._also_after = product, barrier, also_after

    def __call__(self, alpha: float = 1.0, beta: float = 0.0) -> None:
        self._barrier.wait()
        self._product(alpha, beta)
        if self._also_after:
            self._barrier.wait()

    def calls(self, alpha: Array, beta: Array) -> list[Row]:
        """The same in a table of calls."""
        return [WAIT, *self._product.calls(alpha, beta), *([WAIT] if self._also_after else [])]


class HiddenNeurons(LayerWorkspace):
    """The rows `own` of a hidden layer: Z, A and delta (own rows, M) are views of what all processes see."""

    def __init__(
        self, layer: Dense, W_b: Array, target: Array, A_above: Array, signals: Signals, own: slice, width: int
    ) -> None:
        self.A_augmented, self.G_augmented = signals
        self.A = self.Z = self.A_augmented[own]
        self.delta = self.G_augmented[own]
        self.activation: Activation = ACTIVATIONS[layer.activation](self.A.shape, self.A.dtype)
        self.weighted_input = Product(W_b[own], A_above, self.Z, width)
        self.accumulate = Product(self.delta, A_above.T, target[own], width)


class OutputNeurons(LayerWorkspace):
    """The output layer: the rows `own` of Z and of the gradient; activations and errors of all rows, for itself."""

    def __init__(
        self, layer: Dense, W_b: Array, target: Array, A_above: Array, signals: Signals, own: slice, width: int
    ) -> None:
        self.Z, _ = signals
        self.A_augmented, self.G_augmented = np.zeros_like(self.Z), np.zeros_like(self.Z)
        self.A, self.delta = self.A_augmented, self.G_augmented
        self.activation = ACTIVATIONS[layer.activation](self.A.shape, self.A.dtype)
        self.weighted_input = Product(W_b[own], A_above, self.Z[own], width)
        self.accumulate = Product(self.delta[own], A_above.T, target[own], width)


class NeuronWorkspace(Workspace):
    """The buffers of one process for batches of one size; `rows` and `signals` are those that all processes share.

    They wait before a layer reads the activations below it, or the rows that each has gathered a share of, before the
    output layer reads all rows of Z, and before BP3.2 and BP4.2 overwrite weights that others need to propagate the
    error; then all errors below are complete too.
    """

    def __init__(
        self,
        layers: Sequence[Dense],
        parameters: Parameters,
        target: Parameters,
        rows: Array,
        signals: Sequence[Signals],
        own_examples: slice,
        own: Sequence[slice],
        barrier: Barrier,
    ) -> None:
        self.batch_size, self.width = len(rows), parameters.width
        self.rows, self.own_rows, self.own_examples = rows, rows[own_examples], own_examples
        kinds = [HiddenNeurons] * (len(layers) - 1) + [OutputNeurons]
        inputs = [self.rows.T, *(A for A, _ in signals)]
        self.layers = [
            kind(*arguments, self.width)
            for kind, *arguments in zip(
                kinds, layers, parameters.augmented, target.augmented, inputs, signals, own, strict=False
            )
        ]
        self.output, self._dropouts = self.layers[-1], []
        self.descent = [
            (layer, Product(W_b[:, rows].T, layer.G_augmented, above.delta, self.width), above)
            for layer, above, W_b, rows in zip(
                self.layers[:0:-1], self.layers[-2::-1], parameters.augmented[:0:-1], own[-2::-1], strict=True
            )
        ]
        self._wait_between_layers(barrier)

    def _wait_between_layers(self, barrier: Barrier) -> None:
        for layer in self.layers:
            layer.weighted_input = Waiting(layer.weighted_input, barrier, also_after=layer is self.output)
        for layer in self.layers[1:]:
            layer.accumulate = Waiting(layer.accumulate, barrier)


class OwnRows(Optimizer):
    """An optimizer that updates the rows `own` of each layer, once all processes have accumulated."""

    def __init__(self, optimizer: Optimizer, parameters: Parameters, own: Sequence[slice], barrier: Barrier) -> None:
        self._optimizer, self._barrier = optimizer, barrier
        self.target, self.beta, self.now = optimizer.target, optimizer.beta, optimizer.now
        parts = _parts(parameters, own)
        self._blocks = [block for part in parts for block in optimizer.blocks(optimizer.target.vector, part)]

    @property
    def scale(self) -> float:  # type: ignore[override]
        """Factor of the gradient in what is accumulated."""
        return self._optimizer.scale

    def take(self, count: int) -> Array:
        return self._optimizer.take(count)

    def calls(self) -> list[Row] | None:
        update = self._optimizer.calls_of(self._blocks)
        return None if update is None else [WAIT, *update]

    def finish(self) -> None:
        """Wait until nobody reads the activations of this step any more, and update."""
        self._barrier.wait()
        self._optimizer.finish_blocks(self._blocks)


def _parts(parameters: Parameters, own: Sequence[slice]) -> list[slice]:
    """Where the rows `own` of each W̃ stand in the vector of all parameters."""
    starts = np.cumsum([0, *(W_b.size for W_b in parameters.augmented)])
    widths = [W_b.shape[1] for W_b in parameters.augmented]
    return [
        slice(int(start) + rows.start * width, int(start) + rows.stop * width)
        for start, rows, width in zip(starts, own, widths, strict=False)
    ]


def suits(layers: Sequence[Dense], processes: int) -> bool:
    """Whether each neuron of these layers can be computed alone, and each process gets some of every layer."""
    return all(
        layer.units >= processes and not layer.dropout and (layer.activation != "softmax" or layer is layers[-1])
        for layer in layers
    )


def members(network: "Network", batch_size: int, processes: int, barrier: Barrier) -> list["Network"]:
    """The network as each process trains it."""
    rows = shared_zeros((batch_size, network.inputs + 1), network.dtype)
    rows[:, -1] = 1.0  # the column that multiplies the biases
    signals = _signals(network, batch_size)
    return [_member(network, rows, signals, index, processes, barrier) for index in range(processes)]


def _signals(network: "Network", batch_size: int) -> list[Signals]:
    units = [layer.units for layer in network.layers]
    rows = [*(n + 1 for n in units[:-1]), units[-1]]
    signals = [
        (shared_zeros((n_A, batch_size), network.dtype), shared_zeros((n, batch_size), network.dtype))
        for n_A, n in zip(rows, units, strict=True)
    ]
    for A_augmented, _ in signals[:-1]:
        A_augmented[-1] = 1.0  # the row that multiplies the biases
    return signals


def _member(
    network: "Network", rows: Array, signals: Sequence[Signals], index: int, processes: int, barrier: Barrier
) -> "Network":
    examples, *own = (
        slice(count * index // processes, count * (index + 1) // processes)
        for count in (len(rows), *(layer.units for layer in network.layers))
    )
    optimizer = OwnRows(network.optimizer, network.parameters, own, barrier)
    workspace = NeuronWorkspace(
        network.layers, network.parameters, optimizer.target, rows, signals, examples, own, barrier
    )
    return network.share(optimizer, barrier, regularizes=False, workspace=workspace)
