"""The backends `keras-fit`, which is what a user of Keras writes, and `keras-fit-tuned`, with one setting tuned.

Everything that is timed is the gather of the epoch's rows and `Model.fit`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.inputs.plan import Batch, Floats, Parameters
from bench.spec import TrainingSpec
from reference_tf.epoch import batch_bounds
from reference_tf.model import build_model, outputs
from reference_tf.parameters import get_parameters, set_parameters
from reference_tf.threads import budget, configure
from scratchnet.dropout import Mask


class KerasFit:
    """See `backends.protocol.Backend`. Keras's defaults, except for the thread budget."""

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
        self._bounds = batch_bounds(len(x), spec.batch_size)
        self._model = build_model(spec, steps_per_execution=self._steps_per_execution(len(self._bounds)))
        self.set_parameters(parameters)
        self._x, self._y, self._weights, self._batch_size = x, y, weights, spec.batch_size
        self._cost = float("nan")

    @staticmethod
    def _steps_per_execution(steps: int) -> int:
        """How many of the epoch's steps TensorFlow takes before it returns to Python."""
        return 1

    def _gather(self, order: NDArray[np.int64]) -> tuple[Floats, Floats, Floats | None]:
        """The epoch's rows in that order: x (N, n_0), y (N, n_L), weights (N,)."""
        return self._x[order], self._y[order], self._weights[order] if self._weights is not None else None

    def set_parameters(self, parameters: Parameters) -> None:
        set_parameters(self._model, parameters)

    def parameters(self) -> Parameters:
        return get_parameters(self._model)

    def batches(self, order: NDArray[np.int64], masks: Sequence[Mask] = ()) -> Iterator[Batch]:
        gathered = [array for array in self._gather(order) if array is not None]
        # Keras cuts what it is given in the same way; its own iterator is not public.
        for start, size in self._bounds:
            yield tuple(array[start : start + size] for array in (*gathered, *masks))

    def train_epoch(self, order: NDArray[np.int64], masks: Sequence[Mask] = ()) -> None:
        x, y, weights = self._gather(order)
        history = self._model.fit(
            [x, *masks] if masks else x,
            y,
            sample_weight=weights,
            batch_size=self._batch_size,
            epochs=1,
            shuffle=False,
            verbose=0,
        )
        self._cost = history.history["loss"][0]

    def epoch_cost(self) -> float:
        return self._cost

    def predict(self, x: Floats) -> Floats:
        return outputs(self._model, x)

    def notes(self) -> dict[str, Any]:
        return {
            **budget(),
            "steps_per_execution": self._model.steps_per_execution,
            "jit_compile": self._model.jit_compile,
        }


class KerasFitTuned(KerasFit):
    """See `backends.protocol.Backend`. `steps_per_execution` is the number of steps of an epoch.

    Epoch of `keras-fit` / epoch with so many steps an execution, one run a cell on two cores that others used too:
    784-128-10 M = 32        10: 1.8          50: 2.3          200: 2.4   all 1,875: 2.4
    784-128-10 M = 512       10: 0.8          50: 1.2                     all 118: 1.1 to 1.3
    784-512-512-10 M = 128   10: 0.8 to 1.2   50: 0.8 to 0.9              all 469: 1.3 to 1.4 (two runs)
    """

    @staticmethod
    def _steps_per_execution(steps: int) -> int:
        return steps
