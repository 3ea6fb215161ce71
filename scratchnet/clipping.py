"""Gradient clipping in place, with Keras's names: by value, by the norm of each variable, by the joint norm.

Pascanu et al. 2013. Gradient and scratch space have the form of `Parameters`.
"""

from collections.abc import Callable

import numpy as np

from scratchnet.arrays import Array
from scratchnet.parameters import Parameters


def clip_by_norm(gradient: Parameters, scratch: Parameters, limit: float) -> None:
    """g ← g · c / max(‖g‖, c) for each W[l] and each b[l] alone."""
    for g, space in zip(gradient.weights + gradient.biases, scratch.weights + scratch.biases, strict=True):
        _shrink(g, space, limit)


def clip_by_global_norm(gradient: Parameters, scratch: Parameters, limit: float) -> None:
    """g ← g · c / max(‖g‖, c) for the whole gradient at once."""
    _shrink(gradient.vector, scratch.vector, limit)


def clip_by_value(gradient: Parameters, scratch: Parameters, limit: float) -> None:
    """Each element into [−c, c]."""
    np.clip(gradient.vector, -limit, limit, out=gradient.vector)


def _shrink(g: Array, scratch: Array, limit: float) -> None:
    np.multiply(g, g, out=scratch)
    norm = float(np.sqrt(np.sum(scratch)))
    g *= limit / max(norm, limit)


CLIPPINGS: dict[str, Callable[[Parameters, Parameters, float], None]] = {
    "clipnorm": clip_by_norm,
    "global_clipnorm": clip_by_global_norm,
    "clipvalue": clip_by_value,
}
