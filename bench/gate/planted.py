"""A known slowdown, made by real extra work in the step: it computes the forward pass of some batches once more.

Fed by the validation of the gate; the parameters that are learned stay the same to the last bit.
"""

from collections.abc import Iterator
from typing import Any

from bench.backends.scratchnet import Scratchnet
from scratchnet import Network
from scratchnet.examples import Examples
from scratchnet.formulations import batch
from scratchnet.workspace import Workspace


def planted(share: float) -> type[Scratchnet]:
    """The backend whose network repeats the forward pass in that share of its steps, evenly; 2 is twice in each."""

    class RepeatingNetwork(Network):
        def batches(self, examples: Examples, order: Any, batch_size: int) -> Iterator[tuple[slice, Workspace]]:
            for step, (columns, workspace) in enumerate(super().batches(examples, order, batch_size), 1):
                for _ in range(int(step * share) - int((step - 1) * share)):
                    batch.forward(workspace)
                yield columns, workspace

    class RepeatingScratchnet(Scratchnet):
        network = RepeatingNetwork

    return RepeatingScratchnet
