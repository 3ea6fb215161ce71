"""Each process takes its share of the examples of a batch, then updates its share of the parameters.

Fed by a network; feeds `scratchnet.team`. The cost (24) is a mean over examples, so the gradient of a batch is the sum
of the gradients of its shares: BP3.2 and BP4.2 add up example by example. Synchronous data parallelism.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scratchnet import loops
from scratchnet.calls import WAIT, Call, Row
from scratchnet.optimizers import Optimizer
from scratchnet.parameters import Parameters
from scratchnet.shared import Barrier

if TYPE_CHECKING:
    from scratchnet.network import Network


Array = NDArray[np.floating[Any]]


class GradientsAdded(Optimizer):
    """An optimizer that updates one share of the parameters, once the gradients of all shares of a batch are there.

    gradients : what each process accumulates into; index : which process this is; share : its part of a batch.
    """

    beta = 0.0

    def __init__(
        self, optimizer: Optimizer, gradients: Sequence[Parameters], index: int, share: float, barrier: Barrier
    ) -> None:
        self._optimizer, self._barrier = optimizer, barrier
        self.target, self.share, self.now = gradients[index], share, optimizer.now
        size, processes = len(gradients[0].vector), len(gradients)
        part = slice(size * index // processes, size * (index + 1) // processes)
        first, *others = (optimizer.blocks(gradient.vector, part) for gradient in gradients)
        self._work = [(block, [g for _, g, *_ in same]) for block, *same in zip(first, *others, strict=True)]

    @property
    def scale(self) -> float:  # type: ignore[override]
        """Factor of the gradient in what is accumulated."""
        return self._optimizer.scale

    def take(self, count: int) -> Array:
        return self._optimizer.take(count)

    def calls(self) -> list[Row] | None:
        updates = self._optimizer.calls_of([block for block, _ in self._work])
        if updates is None:
            return None
        self._sums = [
            [Call(loops.add, np.array([g.size]), other, g) for other in others] for (_, g, *_), others in self._work
        ]
        of_blocks = (
            row for sums, update in zip(self._sums, updates, strict=True) for row in (*(s.row for s in sums), update)
        )
        return [WAIT, *of_blocks, WAIT]

    def finish(self) -> None:
        """Add up the gradients and update, both of this share of the parameters alone."""
        self._barrier.wait()
        update = self._optimizer.updater()
        for block, others in self._work:
            for other in others:
                np.add(block[1], other, out=block[1])
            update(*block)
        self._optimizer.steps += 1
        self._barrier.wait()


def shares_of_examples(batch_size: int, processes: int) -> list[slice]:
    """Which examples of a batch each process takes; never more processes than there are examples."""
    processes = min(processes, batch_size)
    bounds = [batch_size * index // processes for index in range(processes + 1)]
    return [slice(*bound) for bound in pairwise(bounds)]


def members(network: "Network", batch_size: int, processes: int, barrier: Barrier) -> list["Network"]:
    """The network as each process trains it; the first alone adds the regularization, which is no sum over examples."""
    gradients = [network.parameters.zeros_like() for _ in range(processes)]
    parts = [(share.stop - share.start) / batch_size for share in shares_of_examples(batch_size, processes)]
    optimizers = [
        GradientsAdded(network.optimizer, gradients, index, part, barrier) for index, part in enumerate(parts)
    ]
    return [network.share(one, barrier, regularizes=one is optimizers[0]) for one in optimizers]
