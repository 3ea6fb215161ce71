"""Gradient clipping in place: by value, by the norm of each variable, by the joint norm (Pascanu et al. 2013).

Fed by a gradient in the form of `Parameters`, and scratch space of the same form; feeds the optimizers. Names and
formulas are Keras's.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratchnet.parameters import Parameters

Array = NDArray[np.floating[Any]]


def clip_by_norm(gradient: Parameters, scratch: Parameters, limit: float) -> None:
    """g ← g · c / max(‖g‖, c) for each W[l] and each b[l] alone."""
    for g, space in zip(_variables(gradient), _variables(scratch), strict=True):
        _shrink(g, space, limit)


def clip_by_global_norm(gradient: Parameters, scratch: Parameters, limit: float) -> None:
    """g ← g · c / max(‖g‖, c) for the whole gradient at once."""
    _shrink(gradient.vector, scratch.vector, limit)


def clip_by_value(gradient: Parameters, scratch: Parameters, limit: float) -> None:
    """Each element into [−c, c]."""
    np.clip(gradient.vector, -limit, limit, out=gradient.vector)


def _variables(parameters: Parameters) -> list[Array]:
    return [*parameters.weights, *parameters.biases]


def _shrink(g: Array, scratch: Array, limit: float) -> None:
    np.multiply(g, g, out=scratch)
    norm = float(np.sqrt(np.sum(scratch)))
    np.multiply(g, limit / max(norm, limit), out=g)


CLIPPINGS: dict[str, Callable[[Parameters, Parameters, float], None]] = {
    "clipnorm": clip_by_norm,
    "global_clipnorm": clip_by_global_norm,
    "clipvalue": clip_by_value,
}
