"""scratchnet as a backend: the network from scratch; everything that is timed is `Network.train_epoch`."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.inputs.plan import Batch, Floats, Parameters
from bench.spec import TrainingSpec
from bench.spec.optimizer import OptimizerSpec
from scratchnet import Dense, Network
from scratchnet.dropout import Mask
from scratchnet.losses import LOSSES, Loss
from scratchnet.optimizers import OPTIMIZERS, Optimizer
from scratchnet.schedules import SCHEDULES


class Scratchnet:
    """See `backends.protocol.Backend`. The budget is threads."""

    network: ClassVar[type[Network]] = Network

    def __init__(
        self,
        spec: TrainingSpec,
        parameters: Parameters,
        x: Floats,
        y: Floats,
        threads: int,
        weights: Floats | None = None,
    ) -> None:
        self._batch_size = spec.batch_size
        self._network = network_of(spec, threads, self.network)
        self.set_parameters(parameters)
        self._examples = self._network.prepare(x, y, weights)
        self._cost = float("nan")

    def parameters(self) -> Parameters:
        return self._network.parameters.get()

    def set_parameters(self, parameters: Parameters) -> None:
        self._network.parameters.set(parameters)

    def batches(self, order: NDArray[np.int64], masks: Sequence[Mask] = ()) -> Iterator[Batch]:
        examples = self._examples
        for number, x in enumerate(self._network.batches(examples, order, self._batch_size)):
            places = slice(number * self._batch_size, number * self._batch_size + len(x))
            rows = order[places]
            weights = [] if examples.weights is None else [examples.weights[rows]]
            yield (x, examples.given_Y[:, rows].T, *weights, *(mask[places] for mask in masks))

    def train_epoch(self, order: NDArray[np.int64], masks: Sequence[Mask] = ()) -> None:
        self._cost = self._network.train_epoch(self._examples, order, self._batch_size, masks)

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


def network_of(spec: TrainingSpec, threads: int = 1, kind: type[Network] = Network) -> Network:
    """The network that a spec describes; so many threads may train it."""
    return kind(
        spec.architecture.inputs,
        [Dense(**layer.model_dump()) for layer in spec.architecture.layers],
        loss=loss_of(spec),
        optimizer=_optimizer(spec.optimizer),
        l1=spec.regularization.l1,
        l2=spec.regularization.l2,
        dtype=spec.dtype,
        threads=threads,
    )


def loss_of(spec: TrainingSpec) -> Loss:
    """The spec's loss with the options that it takes."""
    given = {"label_smoothing": spec.label_smoothing, "delta": spec.huber_delta}
    kind = LOSSES[spec.loss]
    return kind(**{name: value for name, value in given.items() if name in kind.__dataclass_fields__})


def _optimizer(spec: OptimizerSpec) -> Optimizer:
    rate = spec.learning_rate
    return OPTIMIZERS[spec.name](
        rate if isinstance(rate, float) else SCHEDULES[rate.name](**rate.options), **spec.options
    )
