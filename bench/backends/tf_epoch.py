"""`tf-graph` and `tf-xla` as backends: a whole epoch is one call into TensorFlow, run as a graph or compiled by XLA.

Everything that is timed is the function that `reference_tf.epoch` makes.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bench.inputs.plan import Batch, Floats, Parameters
from bench.spec import TrainingSpec
from reference_tf.epoch import Examples, batch_bounds, gather, make_epoch
from reference_tf.model import build_model, optimizer_state, outputs, set_optimizer_state
from reference_tf.parameters import get_parameters, set_parameters
from reference_tf.threads import budget, configure
from scratchnet.dropout import Mask


class TfGraph:
    """See `backends.protocol.Backend`."""

    jit_compile: ClassVar[bool] = False

    def __init__(
        self,
        spec: TrainingSpec,
        parameters: Parameters,
        x: Floats,
        y: Floats,
        threads: int,
        weights: Floats | None = None,
    ) -> None:
        configure(spec, threads)
        self._model = build_model(spec)
        self.set_parameters(parameters)
        self._optimizer_at_start = optimizer_state(self._model)
        given = tf.constant(weights) if weights is not None else None
        self._examples = Examples(tf.constant(x), tf.constant(y), given)
        self._bounds = batch_bounds(len(x), spec.batch_size)
        self._epoch = make_epoch(self._model, len(x), spec.batch_size, self.jit_compile)
        self._costs: Floats = np.full(len(self._bounds), np.nan)

    def set_parameters(self, parameters: Parameters) -> None:
        set_parameters(self._model, parameters)

    def restart(self, parameters: Parameters) -> None:
        """Begin again from these parameters, the optimizer as it was at first; the trace is kept."""
        self.set_parameters(parameters)
        set_optimizer_state(self._model, self._optimizer_at_start)

    def parameters(self) -> Parameters:
        return get_parameters(self._model)

    def batches(self, order: NDArray[np.int64], masks: Sequence[Mask] = ()) -> Iterator[Batch]:
        rows, kept = tf.constant(order), [tf.constant(mask) for mask in masks]
        for start, size in self._bounds:
            (x, *masks_rows), y, weights = gather(self._examples, rows, kept, start, size)
            tensors = (x, y, *([weights] if weights is not None else []), *masks_rows)
            yield tuple(tensor.numpy() for tensor in tensors)

    def train_epoch(self, order: NDArray[np.int64], masks: Sequence[Mask] = ()) -> None:
        kept = [tf.constant(mask) for mask in masks]
        self._costs = self._epoch(self._examples, tf.constant(order), kept).numpy()

    @property
    def step_costs(self) -> Floats:
        """Cost of each step of the last epoch, before its update."""
        return self._costs

    def epoch_cost(self) -> float:
        return float(np.average(self._costs.astype(np.float64), weights=[size for _, size in self._bounds]))

    def predict(self, x: Floats) -> Floats:
        return outputs(self._model, x)

    def notes(self) -> dict[str, Any]:
        return {**budget(), "jit_compile": self.jit_compile}


class TfXla(TfGraph):
    """See `backends.protocol.Backend`."""

    jit_compile = True
