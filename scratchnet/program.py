"""A step as a table of calls in C: those of `formulations.batch`, in the same order, with no Python in between.

Fed by a workspace, a loss and an optimizer; feeds `scratchnet.machine`. What NumPy does there a loop of
`scratchnet.loops` does here; where one is missing there is no program, and the step is that of `formulations.batch`.
"""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from scratchnet import activations, loops, losses, shared
from scratchnet.calls import Call, Loop, Row, compiles
from scratchnet.losses import Loss
from scratchnet.optimizers import Optimizer
from scratchnet.shared import Barrier
from scratchnet.workspace import LayerWorkspace, Workspace

Array = NDArray[np.floating[Any]]
Order = NDArray[np.integer[Any]]

ACTIVATIONS: dict[type, tuple[tuple[Loop, ...], Loop]] = {
    activations.Relu: ((loops.relu,), loops.relu_product),
    activations.LeakyRelu: ((loops.leaky_relu,), loops.leaky_relu_product),
    activations.Linear: ((loops.linear,), loops.linear_product),
    activations.Sigmoid: ((loops.sigmoid,), loops.sigmoid_product),
    activations.Softmax: ((loops.exponentials, loops.shares), loops.softmax_product),
}
"""f, in one loop or two, and the product with its derivative."""
EXPONENTIAL = (activations.Sigmoid, activations.Softmax)
MOST_EXPONENTIALS = 10_000
"""In one layer: NumPy takes a dozen at a time, a loop one by one, and beyond this that costs more than Python does."""
SLOPES: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    losses.SumOfSquaredErrors: lambda loss: (loops.scale, 2.0),
    losses.MeanSquaredError: lambda loss: (loops.scale, 2.0),
    losses.MeanAbsoluteError: lambda loss: (loops.sign,),
    losses.Huber: lambda loss: (loops.clip, loss.delta),
}
"""What makes the slope of a term of the loss of A − Y: a loop, and a number that it takes."""
CROSS_ENTROPIES = (
    losses.SummedBinaryCrossentropy,
    losses.BinaryCrossentropy,
    losses.CategoricalCrossentropy,
    losses.SparseCategoricalCrossentropy,
)
"""Their error is A − Y itself, equation (35)."""
WORK_BETWEEN_SIGNALS = 3_000_000_000
"""Batch size times parameters of the steps, a tenth of a second, after which Python may see a signal such as Ctrl-C."""


def has_loops(workspace: Workspace, loss: Loss) -> bool:
    """Whether all that this step does beside products and update is a loop, and worth being one."""
    return type(loss) in (*SLOPES, *CROSS_ENTROPIES) and all(
        type(layer.activation) in ACTIVATIONS
        and (layer.A.size <= MOST_EXPONENTIALS or not isinstance(layer.activation, EXPONENTIAL))
        for layer in workspace.layers
    )


class Program:
    """The step on one workspace; `update` is what the optimizer does at its end."""

    @classmethod
    def of(cls, workspace: Workspace, loss: Loss, optimizer: Optimizer, barrier: Barrier) -> Self | None:
        """The step on that workspace; None where loops are not compiled, or one is missing."""
        update = optimizer.calls() if compiles() and has_loops(workspace, loss) else None
        return cls(workspace, loss, optimizer, update, barrier) if update is not None else None

    def __init__(
        self, workspace: Workspace, loss: Loss, optimizer: Optimizer, update: list[Row], barrier: Barrier
    ) -> None:
        from scratchnet import machine  # Numba, which only what trains with it pays

        self._run, self._optimizer, self._now, self._barrier = machine.run, optimizer, optimizer.now, barrier
        self._dtype, self._batch_size = workspace.rows.dtype, workspace.batch_size
        self._column, self._examples = np.zeros(1, np.int64), np.zeros(1, np.int64)
        # X, order, Y and what the loss reads: each run has its own, whose addresses take the place of these.
        self._stand_ins = [np.zeros(1, dtype) for dtype in (self._dtype, np.int64, self._dtype, self._dtype)]
        self._rows = self.rows(workspace, loss, update)
        self._table = np.array([row.words for row in self._rows], np.int64)
        self._cells = [np.nonzero(self._table == array.ctypes.data) for array in self._stand_ins]
        self._run_steps(0, 0)  # compiled here, before processes are forked

    def rows(self, workspace: Workspace, loss: Loss, update: list[Row]) -> list[Row]:
        """The calls of a step, the gather first."""
        return [*self._forward(workspace, loss), *self._backward(workspace, loss), *update]

    def _forward(self, workspace: Workspace, loss: Loss) -> list[Row]:
        X, order, _, loss_input = self._stand_ins
        rows, start = workspace.own_rows, np.array([workspace.own_examples.start], np.int64)
        table = [_loop(loops.gather, _shape(rows), start, self._column, order, X, rows)]  # (16)
        for layer in workspace.layers:
            table += layer.weighted_input.calls(self._number(1.0), self._number(0.0))  # (18)
            functions, _ = ACTIVATIONS[type(layer.activation)]
            table += [self._of_activation(loop, layer, layer.Z, layer.A) for loop in functions]  # (20)
        kept = workspace.output.Z if loss.from_weighted_input else workspace.output.A
        table.append(_loop(loops.keep, _shape(kept), self._examples, self._column, kept, loss_input))
        return table

    def _backward(self, workspace: Workspace, loss: Loss) -> list[Row]:
        scale, beta = self._now, self._number(self._optimizer.beta)
        table = self._output_error(workspace.output, loss)  # BP1.2
        for layer, propagate, above in workspace.descent:
            table += propagate.calls(self._number(1.0), self._number(0.0))
            table.append(self._jacobian_product(above))  # BP2.2
            table += layer.accumulate.calls(scale, beta)  # BP3.2 and BP4.2
        return table + workspace.layers[0].accumulate.calls(scale, beta)

    def _output_error(self, output: LayerWorkspace, loss: Loss) -> list[Row]:
        A, delta, shape = output.A, output.delta, _shape(output.A)
        Y = self._stand_ins[2]
        table = [_loop(loops.difference, shape, self._examples, self._column, A, Y, delta)]
        for loop, *numbers in [SLOPES[type(loss)](loss)] if type(loss) in SLOPES else []:
            table.append(_loop(loop, shape, *(self._number(number) for number in numbers), delta))
        if loss.averaged:
            table.append(_loop(loops.scale, shape, self._number(1.0 / len(A)), delta))
        return table if type(loss) in CROSS_ENTROPIES else [*table, self._jacobian_product(output)]

    def _jacobian_product(self, layer: LayerWorkspace) -> Row:
        _, product = ACTIVATIONS[type(layer.activation)]
        return self._of_activation(product, layer, layer.A, layer.delta)

    def _of_activation(self, loop: Loop, layer: LayerWorkspace, *arrays: Array) -> Row:
        """A loop with what else the activation takes."""
        extra = {
            activations.LeakyRelu: self._number(activations.LEAKY_SLOPE),
            activations.Sigmoid: self._number(1.0),
            activations.Softmax: np.zeros(self._batch_size, self._dtype),
        }
        more = [array for kind, array in extra.items() if type(layer.activation) is kind]
        return _loop(loop, _shape(layer.A), *more, *arrays)

    def _number(self, number: float) -> Array:
        return np.full(1, number, self._dtype)

    def train(self, X: Array, order: Order, Y: Array, loss_input: Array) -> None:
        """Train whole batches; X (N, n_0 + 1), order (N',), Y and `loss_input`, which is written to, (n_L, N')."""
        order = np.ascontiguousarray(order, np.int64)
        for cells, array in zip(self._cells, (X, order, Y, loss_input), strict=True):
            self._table[cells] = array.ctypes.data
        self._examples[0] = Y.shape[1]
        steps, size = len(order) // self._batch_size, len(self._optimizer.target.vector)
        at_once = 1 + WORK_BETWEEN_SIGNALS // (size * self._batch_size)
        for first in range(0, steps, at_once):
            self._run_steps(first, min(at_once, steps - first))

    def _run_steps(self, first: int, count: int) -> None:
        factors, at = self._optimizer.take(count), np.zeros(2, np.int64)
        factors[:, 0] *= self._optimizer.share / self._batch_size  # the 1/M of (24)
        batches = (self._column, first * self._batch_size, self._batch_size)
        step = (self._table, at, factors.astype(self._dtype), self._now, *batches)
        while not self._run(*step, self._barrier.flags, self._barrier.mine, shared.PATIENCE):
            self._barrier.await_others()


def _loop(loop: Loop, *arrays: NDArray[Any]) -> Row:
    return Call(loop, *arrays).row


def _shape(array: Array) -> NDArray[np.int64]:
    return np.array(array.shape, np.int64)
