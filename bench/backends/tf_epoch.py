"""`tf-graph` and `tf-xla` as backends: a whole epoch is one call into TensorFlow, run as a graph or compiled by XLA.

Fed by a worker; everything that is timed is the function that `reference_tf.epoch` makes.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bench.plan import Batch, Floats, Parameters
from bench.spec import TrainingSpec
from reference_tf.epoch import batch_bounds, gather, make_epoch
from reference_tf.model import build_model, outputs
from reference_tf.parameters import get_parameters, set_parameters
from reference_tf.threads import budget, configure


class TfGraph:
    """See `bench.backend.Backend`."""

    jit_compile: ClassVar[bool] = False

    def __init__(self, spec: TrainingSpec, parameters: Parameters, x: Floats, y: Floats, threads: int) -> None:
        configure(spec, threads)
        self._model = build_model(spec)
        set_parameters(self._model, parameters)
        self._x, self._y = tf.constant(x), tf.constant(y)
        self._bounds = batch_bounds(len(x), spec.batch_size)
        self._epoch = make_epoch(self._model, len(x), spec.batch_size, self.jit_compile)
        self._costs: Floats = np.full(len(self._bounds), np.nan)

    def parameters(self) -> Parameters:
        return get_parameters(self._model)

    def batches(self, order: NDArray[np.int64]) -> Iterator[Batch]:
        rows = tf.constant(order)
        for start, size in self._bounds:
            x, y = gather(self._x, self._y, rows, start, size)
            yield x.numpy(), y.numpy()

    def train_epoch(self, order: NDArray[np.int64]) -> None:
        self._costs = self._epoch(self._x, self._y, tf.constant(order)).numpy()

    def epoch_cost(self) -> float:
        return float(np.average(self._costs.astype(np.float64), weights=[size for _, size in self._bounds]))

    def predict(self, x: Floats) -> Floats:
        return outputs(self._model, x)

    def notes(self) -> dict[str, Any]:
        return {**budget(), "jit_compile": self.jit_compile}


class TfXla(TfGraph):
    """See `bench.backend.Backend`."""

    jit_compile = True
