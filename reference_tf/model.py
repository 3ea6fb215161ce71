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

# Keras casts factors where it uses them, and TensorFlow casts a Python float by way of float32: 0.9 would be off by
# 2.6e-8 in a float64 model. A NumPy float goes straight to the dtype asked for.
OPTIMIZERS: dict[str, Callable[[OptimizerSpec], keras.optimizers.Optimizer]] = {
    "sgd": lambda spec: keras.optimizers.SGD(spec.learning_rate, np.float64(spec.momentum)),
}

PREDICTION_ROWS = 4096
"""Rows sent through the model at once: few calls, and yet no array of a whole data set for each layer."""


def build_model(spec: TrainingSpec, steps_per_execution: int = 1) -> keras.Sequential:
    """The network, its loss and its optimizer, built and compiled; no metric, so that training evaluates nothing.

    Sets Keras's `floatx` to the spec's dtype for the whole process, and it must stay so while the model is used: loss,
    optimizer, learning rate, the running mean of `fit` and the arrays given to `fit` take it, not the model's dtype.
    """
    keras.config.set_floatx(spec.dtype)
    # Layers take the dtype policy, which keeps the floatx of the moment when Keras was first asked for it.
    keras.config.set_dtype_policy(spec.dtype)
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
    regularizer = _l2(spec.regularization.l2)
    return [
        keras.layers.Dense(layer.units, activation=layer.activation, kernel_regularizer=regularizer)
        for layer in spec.architecture.layers
    ]


def _l2(factor: float) -> keras.regularizers.L2 | None:
    """Keras's l2 · Σ w²; nothing at all for 0, so that no time goes into adding zeros."""
    if not factor:
        return None
    regularizer = keras.regularizers.L2()
    regularizer.l2 = np.float64(factor)  # the constructor would make it a Python float
    return regularizer


def outputs(model: keras.Sequential, x: NDArray[Any]) -> NDArray[Any]:
    """A[L] as rows (N, n_L) for x (N, n_0): the model called eagerly, so that no size of x costs a trace."""
    starts = range(0, len(x), PREDICTION_ROWS)
    return np.concatenate([model(x[start : start + PREDICTION_ROWS]).numpy() for start in starts])
