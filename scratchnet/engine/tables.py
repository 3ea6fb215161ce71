"""Tables from each activation, loss and optimizer to its kernel: only here does the engine look at their types.

A kernel is given by its name in `kernels`, so a process that only runs compiled code needs no compiler.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from scratchnet import activations, losses, optimizers


class Activation(NamedTuple):
    """f, the product with its derivative, and whether f keeps its derivative for it."""

    forward: str
    product: str
    keeps: bool = False


ACTIVATIONS: dict[type, Activation] = {
    activations.Softmax: Activation("linear", "linear_product"),  # by kernels of its own
    activations.Linear: Activation("linear", "linear_product"),
    activations.Relu: Activation("relu", "relu_product"),
    activations.LeakyRelu: Activation("leaky_relu", "leaky_relu_product"),
    activations.Elu: Activation("elu", "elu_product"),
    activations.Sigmoid: Activation("sigmoids", "sigmoid_product"),
    activations.Tanh: Activation("tanhs", "tanh_product"),
    activations.Softplus: Activation("softpluses", "softplus_product"),
    activations.Silu: Activation("silu", "kept_product", keeps=True),
    activations.Gelu: Activation("gelu", "kept_product", keeps=True),
}
SOFTMAX = 0
"""Softmax's place in the table."""
CLIP_VALUE, CLIP_NORM, CLIP_GLOBAL_NORM = 1, 2, 3

_SQUARED = "squared", "squared_slope"
_BINARY = "binary", "difference"
_CATEGORICAL = "categorical", "difference"
LOSSES: dict[type, tuple[str, str]] = {
    losses.SumOfSquaredErrors: _SQUARED,
    losses.MeanSquaredError: _SQUARED,
    losses.MeanAbsoluteError: ("distance", "distance_slope"),
    losses.Huber: ("huber", "huber_slope"),
    losses.SummedBinaryCrossentropy: _BINARY,
    losses.BinaryCrossentropy: _BINARY,
    losses.CategoricalCrossentropy: _CATEGORICAL,
    losses.SparseCategoricalCrossentropy: _CATEGORICAL,
}
"""The term of one output, and its slope."""

UPDATES = (
    "nothing",
    "added",
    "momentum",
    "nesterov",
    "rmsprop",
    "rmsprop_centered",
    "rmsprop_momentum",
    "rmsprop_centered_momentum",
    "adam",
    "adagrad",
)


def _of_sgd(optimizer: optimizers.SGD) -> str:
    if optimizer.in_product:
        return "added" if optimizer.momentum else "nothing"  # what is added is the velocity
    return "nesterov" if optimizer.nesterov else "momentum" if optimizer.momentum else "added"


def _of_rmsprop(optimizer: optimizers.RMSprop) -> str:
    options = {"centered": optimizer.centered, "momentum": optimizer.momentum > 0.0}
    return "_".join(["rmsprop", *(name for name, is_set in options.items() if is_set)])


OPTIMIZERS: dict[type, Callable[[Any], str]] = {
    optimizers.SGD: _of_sgd,
    optimizers.RMSprop: _of_rmsprop,
    optimizers.Adam: lambda optimizer: "adam",
    optimizers.AdamW: lambda optimizer: "adam",
    optimizers.Adagrad: lambda optimizer: "adagrad",
}
CLIPPINGS = {"clipvalue": CLIP_VALUE, "clipnorm": CLIP_NORM, "global_clipnorm": CLIP_GLOBAL_NORM}


def update_of(optimizer: optimizers.Optimizer) -> int:
    """The number of the update that an optimizer makes."""
    return UPDATES.index(OPTIMIZERS[type(optimizer)](optimizer))


def clipping_of(optimizer: optimizers.Optimizer) -> tuple[int, float]:
    """The number of its clipping, 0 for none, and the limit."""
    name, limit = optimizer.clipping or ("", 0.0)
    return CLIPPINGS.get(name, 0), limit


def place(table: dict[Any, Any], key: Any) -> int:
    """The number by which compiled code knows an entry."""
    return list(table).index(key)
