"""A known slowdown, made by real extra work: when an epoch is over, the forward pass of some batches once more.

It goes the way that the steps went, compiled or by NumPy.
The parameters that are learned stay the same to the last bit.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.backends.scratchnet import Scratchnet
from scratchnet import Network
from scratchnet.calls import Row
from scratchnet.dropout import Mask
from scratchnet.examples import Examples
from scratchnet.formulations import batch
from scratchnet.losses import Loss
from scratchnet.program import Program
from scratchnet.shared import PATIENCE
from scratchnet.workspace import Workspace

Order = NDArray[np.integer[Any]]


class ForwardProgram(Program):
    """The compiled forward pass alone; the optimizer is left as it is."""

    def rows(self, workspace: Workspace, loss: Loss, update: list[Row]) -> list[Row]:
        return self._forward(workspace, loss)

    def _run_steps(self, first: int, count: int) -> None:
        factors = np.tile(self._now, (count, 1))
        batches = (self._column, first * self._batch_size, self._batch_size)
        barrier = (self._barrier.flags, self._barrier.mine, PATIENCE)
        self._run(self._table, np.zeros(2, np.int64), factors, self._now, *batches, *barrier)


class RepeatingNetwork(Network):
    """Repeats the forward pass of that proportion of its steps, evenly; 2 is twice of each."""

    proportion: ClassVar[float] = 0.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._forwards: dict[int, Program] = {}

    def steps(self, examples: Examples, order: Order, batch_size: int, masks: Sequence[Mask]) -> tuple[Any, Any]:
        answer = super().steps(examples, order, batch_size, masks)
        again = [
            order[batch_size * (step - 1) : batch_size * step]
            for step in range(1, len(order) // batch_size + 1)
            for _ in range(int(step * self.proportion) - int((step - 1) * self.proportion))
        ]
        with np.errstate(over="ignore"):
            self._repeat(examples, np.concatenate([order[:0], *again]), batch_size)
        return answer

    def _repeat(self, examples: Examples, order: Order, batch_size: int) -> None:
        compiled = self._programs.get((batch_size, self.loss))  # there only where it took the steps
        if compiled is None:
            for _, workspace in self.batches(examples, order, batch_size):
                batch.forward(workspace)
        elif len(order):
            unread = np.empty((self.layers[-1].units, len(order)), self.dtype)
            self._forward_program(batch_size).train(examples.X_augmented, order, unread, unread)

    def _forward_program(self, batch_size: int) -> Program:
        if batch_size not in self._forwards:
            made = ForwardProgram.of(self._workspace(batch_size), self.loss, self.optimizer, self._barrier)
            assert made is not None, "the steps were compiled"
            self._forwards[batch_size] = made
        return self._forwards[batch_size]


def planted(share: float) -> type[Scratchnet]:
    """The backend whose network repeats the forward pass of that share of its steps."""

    class Repeating(RepeatingNetwork):
        proportion = share

    class RepeatingScratchnet(Scratchnet):
        network = Repeating

    return RepeatingScratchnet
