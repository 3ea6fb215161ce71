"""A known slowdown, made by real extra work: when an epoch is over, the forward pass of some batches once more.

Fed by the validation of the gate; the parameters that are learned stay the same to the last bit.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.backends.scratchnet import Scratchnet
from scratchnet import Network
from scratchnet.dropout import Mask
from scratchnet.examples import Examples
from scratchnet.formulations import batch

Order = NDArray[np.integer[Any]]


def planted(share: float) -> type[Scratchnet]:
    """The backend whose network repeats the forward pass of that share of its steps, evenly; 2 is twice of each."""

    class RepeatingNetwork(Network):
        def steps(self, examples: Examples, order: Order, batch_size: int, masks: Sequence[Mask]) -> tuple[Any, Any]:
            answer = super().steps(examples, order, batch_size, masks)
            again = [
                order[batch_size * (step - 1) : batch_size * step]
                for step in range(1, len(order) // batch_size + 1)
                for _ in range(int(step * share) - int((step - 1) * share))
            ]
            with np.errstate(over="ignore"):
                for _, workspace in self.batches(examples, np.concatenate([order[:0], *again]), batch_size):
                    batch.forward(workspace)
            return answer

    class RepeatingScratchnet(Scratchnet):
        network = RepeatingNetwork

    return RepeatingScratchnet
