"""A spec's optimizer and its learning-rate schedule, as Keras's own classes.

Keras casts factors where it uses them, and TensorFlow casts a Python float by way of float32: 0.9 would be off by
2.6e-8 in a float64 model. A NumPy float goes straight to the dtype.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras.optimizers import schedules

from bench.spec.optimizer import OptimizerSpec

OPTIMIZERS: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "adagrad": keras.optimizers.Adagrad,
}

SCHEDULES: dict[str, Callable[..., schedules.LearningRateSchedule]] = {
    "exponential_decay": schedules.ExponentialDecay,
    "inverse_time_decay": schedules.InverseTimeDecay,
    "polynomial_decay": schedules.PolynomialDecay,
    "cosine_decay": schedules.CosineDecay,
    "piecewise_constant_decay": schedules.PiecewiseConstantDecay,
}


def build_optimizer(spec: OptimizerSpec) -> keras.optimizers.Optimizer:
    """Keras's optimizer with the spec's hyperparameters, each of them exact in a float64 model."""
    rate = spec.learning_rate
    if not isinstance(rate, float):
        rate = SCHEDULES[rate.name](**_exact(rate.options))
    return OPTIMIZERS[spec.name](rate, **_exact(spec.options))


def _exact(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _exact_value(value) for name, value in options.items()}


def _exact_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_exact_value(one) for one in value]
    return np.float64(value) if isinstance(value, float) else value
