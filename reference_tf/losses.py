"""A spec's loss as Keras computes it: Keras's own loss if it has one, otherwise the document's sums.

The losses take targets y and activations a of a batch, both as rows (M, n_L).
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from bench.spec import TrainingSpec

Loss = Callable[[Any, Any], Any]


def _summed_binary_crossentropy(spec: TrainingSpec) -> Loss:
    def summed_binary_crossentropy(y: Any, a: Any) -> Any:
        """−Σ_i y_i log a_i + (1 − y_i) log(1 − a_i), the document's (15): (M,). Keras's own takes the mean over i.

        `a` must be what the sigmoid returned, not a cast or a copy: it carries the weighted inputs, from which Keras
        then computes the loss without clipping.
        """
        smoothed = y * (1.0 - spec.label_smoothing) + spec.label_smoothing / 2.0
        return keras.ops.sum(keras.ops.binary_crossentropy(smoothed, a), axis=-1)

    return summed_binary_crossentropy


def _sparse_categorical_crossentropy(spec: TrainingSpec) -> Loss:
    def sparse_categorical_crossentropy(y: Any, a: Any) -> Any:
        """Keras's own: (M,). The plan's targets are one-hot for every loss; the classes are read back from them."""
        return keras.losses.sparse_categorical_crossentropy(keras.ops.argmax(y, axis=-1), a)

    return sparse_categorical_crossentropy


def _sum_of_squared_errors(spec: TrainingSpec) -> Loss:
    def sum_of_squared_errors(y: Any, a: Any) -> Any:
        """Σ_i (a_i − y_i)², without a factor of one half: (M,). Keras's `mean_squared_error` takes the mean over i."""
        return keras.ops.sum(keras.ops.square(a - y), axis=-1)

    return sum_of_squared_errors


LOSSES: dict[str, Callable[[TrainingSpec], Loss]] = {
    "summed_binary_crossentropy": _summed_binary_crossentropy,
    "binary_crossentropy": lambda spec: keras.losses.BinaryCrossentropy(label_smoothing=spec.label_smoothing),
    "categorical_crossentropy": lambda spec: keras.losses.CategoricalCrossentropy(label_smoothing=spec.label_smoothing),
    "sparse_categorical_crossentropy": _sparse_categorical_crossentropy,
    "sum_of_squared_errors": _sum_of_squared_errors,
    "mean_squared_error": lambda spec: keras.losses.MeanSquaredError(),
    "mean_absolute_error": lambda spec: keras.losses.MeanAbsoluteError(),
    # A NumPy float: see reference_tf.optimizers.
    "huber": lambda spec: keras.losses.Huber(delta=np.float64(spec.huber_delta)),
}
