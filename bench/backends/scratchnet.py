"""scratchnet as a backend: the network from scratch, trained as `scratchnet.Network` trains it.

Fed by a worker; everything that is timed is `Network.train_epoch`.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.plan import Batch, Floats, Parameters
from bench.spec import TrainingSpec
from scratchnet import SGD, Dense, Network


class Scratchnet:
    """See `bench.backend.Backend`. The thread budget reaches BLAS through the worker's environment."""

    def __init__(self, spec: TrainingSpec, parameters: Parameters, x: Floats, y: Floats, threads: int) -> None:
        self._batch_size = spec.batch_size
        self._network = Network(
            spec.architecture.inputs,
            [Dense(layer.units, layer.activation, layer.initializer) for layer in spec.architecture.layers],
            loss=spec.loss,
            optimizer=SGD(spec.optimizer.learning_rate, spec.optimizer.momentum),
            l2=spec.regularization.l2,
            dtype=spec.dtype,
        )
        self._network.parameters.set(parameters)
        self._examples = self._network.prepare(x, y)
        self._cost = float("nan")

    def parameters(self) -> Parameters:
        return self._network.parameters.get()

    def batches(self, order: NDArray[np.int64]) -> Iterator[Batch]:
        Y = np.take(self._examples.Y, order, axis=1)
        for columns, workspace in self._network.batches(self._examples, order, self._batch_size):
            yield workspace.rows[:, :-1], Y[:, columns].T

    def train_epoch(self, order: NDArray[np.int64]) -> None:
        self._cost = self._network.train_epoch(self._examples, order, self._batch_size)

    def epoch_cost(self) -> float:
        return self._cost

    @property
    def step_costs(self) -> Floats:
        """Cost of each step of the last epoch, before its update."""
        return self._network.step_costs

    def predict(self, x: Floats) -> Floats:
        return self._network.predict(x)

    def notes(self) -> dict[str, Any]:
        return {}
