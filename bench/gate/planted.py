"""A known slowdown, made by real extra work: the forward pass of some batches twice.

It goes the way of the steps, compiled or by NumPy. The parameters that are learned stay the same to the last bit.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.backends.scratchnet import Scratchnet
from scratchnet import Network, engine
from scratchnet.dropout import Mask
from scratchnet.examples import Examples
from scratchnet.formulations import batch
from scratchnet.formulations.trainer import Trainer

Order = NDArray[np.integer[Any]]


class RepeatingNetwork(Network):
    """Repeats the forward pass of that proportion of its steps, evenly; 2 is twice of each."""

    proportion: ClassVar[float] = 0.0

    def trainer_kind(self) -> Any:
        trainer = engine.trainer_for(self.loss, self.optimizer)
        if trainer is None:
            return type("RepeatingByNumpy", (NumpyRepeating,), {"proportion": self.proportion})
        return type("RepeatingCompiled", (trainer,), {"function": staticmethod(compiled_steps(self.proportion))})


class NumpyRepeating(Trainer):
    """By NumPy: when an epoch is over, the forward passes once more."""

    proportion: ClassVar[float] = 0.0

    def train(self, examples: Examples, order: Order, batch_size: int, masks: Sequence[Mask] = ()) -> NDArray[Any]:
        costs = super().train(examples, order, batch_size, masks)
        again = [
            order[batch_size * step : batch_size * (step + 1)]
            for step in range(len(order) // batch_size)
            for _ in range(times(step, self.proportion))
        ]
        with np.errstate(over="ignore"):
            for _, workspace in self.batches(examples, np.concatenate([order[:0], *again]), batch_size):
                batch.forward(workspace)
        return costs


def times(step: int, proportion: float) -> int:
    """How often the forward pass of a step is repeated."""
    return int((step + 1) * proportion) - int(step * proportion)


def compiled_steps(proportion: float) -> Any:
    """The engine's task of a thread, with such repetitions."""
    from scratchnet.engine.compiling import compiled

    return compiled(repeating, proportion)


def repeating(proportion: float) -> Callable[..., bool]:
    """The same, not compiled yet."""
    from scratchnet.engine.intrinsics import question
    from scratchnet.engine.propagation import forward, gather_batch
    from scratchnet.engine.records import TRAIN
    from scratchnet.engine.step import train, work

    task = question(work)

    def work_twice(jobs, layers, first, last):  # type: ignore[no-untyped-def]
        job = jobs[0]
        if job.task != TRAIN:
            return task(jobs, layers, first, last)
        for step in range(first, last):
            if not train(job, layers, step, step + 1):
                return False
            for _ in range(int((step + 1) * proportion) - int(step * proportion)):
                if job.team == 1:
                    gather_batch(job, step)
                if not forward(job, layers, step):
                    return False
        return True

    return work_twice


def planted(share: float) -> type[Scratchnet]:
    """The backend whose network repeats the forward pass of that share of its steps."""

    class Repeating(RepeatingNetwork):
        proportion = share

    class RepeatingScratchnet(Scratchnet):
        network = Repeating

    return RepeatingScratchnet
