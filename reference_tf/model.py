"""The Keras model of a spec, compiled with the document's cost, and its outputs.

Fed by a `TrainingSpec`; feeds `fit` (the `keras-fit` backends) and `reference_tf.epoch` (the `tf-` backends).
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from bench.spec import OptimizerSpec, TrainingSpec
from reference_tf.losses import LOSSES

OPTIMIZERS: dict[str, Callable[[OptimizerSpec], keras.optimizers.Optimizer]] = {
    "sgd": lambda spec: keras.optimizers.SGD(spec.learning_rate, spec.momentum),
}

PREDICTION_ROWS = 4096
"""Rows sent through the model at once: few calls, and yet no array of a whole data set for each layer."""


def build_model(spec: TrainingSpec, steps_per_execution: int = 1) -> keras.Sequential:
    """The network, its loss and its optimizer, built and compiled; no metric, so that training evaluates nothing.

    Sets Keras's `floatx` to the spec's dtype for the whole process, and it must stay so while the model is used: loss,
    optimizer, learning rate, the running mean of `fit` and the arrays given to `fit` all take it, not the model's dtype.
    """
    keras.config.set_floatx(spec.dtype)
    model = keras.Sequential([keras.Input((spec.architecture.inputs,)), *_layers(spec)])
    model.compile(
        optimizer=OPTIMIZERS[spec.optimizer.name](spec.optimizer),
        loss=LOSSES[spec.loss],
        steps_per_execution=steps_per_execution,
    )
    model.optimizer.build(model.trainable_variables)
    return model


def _layers(spec: TrainingSpec) -> list[keras.layers.Dense]:
    """The dense layers; a spec's names of activations are Keras's own."""
    l2 = spec.regularization.l2
    regularizer = keras.regularizers.L2(l2) if l2 else None
    return [
        keras.layers.Dense(layer.units, activation=layer.activation, kernel_regularizer=regularizer)
        for layer in spec.architecture.layers
    ]


def outputs(model: keras.Sequential, x: NDArray[Any]) -> NDArray[Any]:
    """A[L] as rows (N, n_L) for x (N, n_0): the model called eagerly, so that no size of x costs a trace."""
    starts = range(0, len(x), PREDICTION_ROWS)
    return np.concatenate([model(x[start : start + PREDICTION_ROWS]).numpy() for start in starts])
