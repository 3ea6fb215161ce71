"""What a spec asks a subject to compute, as scratchnet's own objects."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.backends.scratchnet import loss_of
from bench.spec import TrainingSpec
from bench.spec.optimizer import OptimizerSpec
from scratchnet.activations import ACTIVATIONS, Activation
from scratchnet.losses import Loss
from scratchnet.regularizers import L1L2
from scratchnet.schedules import SCHEDULES, Schedule

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Net:
    """One problem. Layers are counted from 1 to L, as in the derivation; `widths[0]` is n_0."""

    spec: TrainingSpec
    widths: tuple[int, ...]
    activations: tuple[str, ...]
    dropout: tuple[float, ...]
    loss: Loss
    regularizer: L1L2
    optimizer: OptimizerSpec
    schedule: Schedule

    @property
    def layers(self) -> range:
        """1 to L."""
        return range(1, len(self.widths))

    @property
    def depth(self) -> int:
        """L."""
        return len(self.widths) - 1

    @property
    def weighted(self) -> bool:
        """Whether examples have weights."""
        return self.spec.class_weights is not None or self.spec.sample_weight_range is not None

    def activation(self, l: int) -> type[Activation]:
        """f of layer l."""
        return ACTIVATIONS[self.activations[l - 1]]

    def option(self, name: str, default: Any = None) -> Any:
        """A field of the optimizer, `momentum` for example."""
        return getattr(self.optimizer, name, default)


def net_of(spec: TrainingSpec) -> Net:
    """The problem that a spec describes; its data, epochs and seeds do not matter here."""
    layers = spec.architecture.layers
    return Net(
        spec,
        spec.architecture.widths,
        tuple(layer.activation for layer in layers),
        tuple(layer.dropout for layer in layers),
        loss_of(spec),
        L1L2(spec.regularization.l1, spec.regularization.l2),
        spec.optimizer,
        _schedule(spec.optimizer),
    )


def _schedule(optimizer: OptimizerSpec) -> Schedule:
    rate = optimizer.learning_rate
    return (lambda step: rate) if isinstance(rate, float) else SCHEDULES[rate.name](**rate.options)
