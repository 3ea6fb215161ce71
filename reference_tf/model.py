"""The Keras model of a spec, compiled with the document's cost, and its outputs."""

from functools import reduce
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from bench.spec import RegularizationSpec, TrainingSpec
from reference_tf.losses import LOSSES
from reference_tf.optimizers import build_optimizer
from reference_tf.parameters import dense_layers

PREDICTION_ROWS = 4096
"""Rows sent through the model at once: few calls, and yet no array of a whole data set for each layer."""


def build_model(spec: TrainingSpec, steps_per_execution: int = 1) -> keras.Model:
    """The network, its loss and its optimizer, built and compiled; no metric, so that training evaluates nothing.

    Its input is x (M, n_0), and, where layers drop out, a mask (M, n_l) of each of them after it.
    Sets Keras's `floatx` to the spec's dtype for the whole process, and it must stay so while the model is used: loss,
    optimizer, learning rate, the running mean of `fit` and the arrays given to `fit` take it, not the model's dtype.
    """
    keras.config.set_floatx(spec.dtype)
    # Layers take the dtype policy, which keeps the floatx of the moment when Keras was first asked for it.
    keras.config.set_dtype_policy(spec.dtype)
    layers, x = _layers(spec), keras.Input((spec.architecture.inputs,))
    drops_out = any(layer.dropout for layer in spec.architecture.layers)
    model = _with_dropout(spec, layers, x) if drops_out else keras.Sequential([x, *layers])
    model.compile(
        optimizer=build_optimizer(spec.optimizer),
        loss=LOSSES[spec.loss](spec),
        steps_per_execution=steps_per_execution,
    )
    model.optimizer.build(model.trainable_variables)
    return model


class PlannedDropout(keras.layers.Layer):  # type: ignore[misc]
    """a ⊙ mask / (1 − rate), Keras's dropout with a mask from outside, so that others can drop the same neurons."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self._kept_scale = np.float64(1.0 / (1.0 - rate))

    def call(self, a: Any, mask: Any) -> Any:
        """What is left of the activations a (M, n_l) under the mask (M, n_l)."""
        return a * (keras.ops.cast(mask, a.dtype) * keras.ops.cast(self._kept_scale, a.dtype))


def _with_dropout(spec: TrainingSpec, layers: list[keras.layers.Dense], x: Any) -> keras.Model:
    a, inputs = x, [x]
    for layer, dense in zip(spec.architecture.layers, layers, strict=True):
        a = dense(a)
        if layer.dropout:
            inputs.append(keras.Input((layer.units,), dtype="bool"))
            a = PlannedDropout(layer.dropout)(a, inputs[-1])
    return keras.Model(inputs, a)


def _layers(spec: TrainingSpec) -> list[keras.layers.Dense]:
    """The dense layers; a spec's names of activations are Keras's own."""
    regularizer = _regularizer(spec.regularization)
    return [
        keras.layers.Dense(layer.units, activation=layer.activation, kernel_regularizer=regularizer)
        for layer in spec.architecture.layers
    ]


def _regularizer(spec: RegularizationSpec) -> keras.regularizers.L1L2 | None:
    """Keras's l1 · Σ|w| + l2 · Σ w²; nothing at all for 0, so that no time goes into adding zeros."""
    if not spec.l1 and not spec.l2:
        return None
    regularizer = keras.regularizers.L1L2()
    # The constructor would make them Python floats: see reference_tf.optimizers.
    regularizer.l1, regularizer.l2 = np.float64(spec.l1), np.float64(spec.l2)
    return regularizer


def outputs(model: keras.Model, x: NDArray[Any]) -> NDArray[Any]:
    """A[L] as rows (N, n_L) for x (N, n_0), nothing dropped; called eagerly, so that no size of x costs a trace."""
    starts, layers = range(0, len(x), PREDICTION_ROWS), dense_layers(model)
    return np.concatenate([_forward(layers, x[start : start + PREDICTION_ROWS]) for start in starts])


def _forward(layers: list[keras.layers.Dense], x: NDArray[Any]) -> NDArray[Any]:
    a: NDArray[Any] = reduce(lambda a, layer: layer(a), layers, keras.ops.convert_to_tensor(x)).numpy()
    return a


def optimizer_state(model: keras.Model) -> list[NDArray[Any]]:
    """Copies of everything that the optimizer remembers, its count of updates and its learning rate among it."""
    return [variable.numpy() for variable in model.optimizer.variables]


def set_optimizer_state(model: keras.Model, state: list[NDArray[Any]]) -> None:
    """Put a state back, so that a model that is traced already can be trained again from the start."""
    for variable, value in zip(model.optimizer.variables, state, strict=True):
        variable.assign(value)
