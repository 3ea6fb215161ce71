"""Which kernel does what an activation, loss or optimizer says: the one place where the engine looks at their types."""

from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from scratchnet import activations, losses, optimizers
from scratchnet.engine import kernels
from scratchnet.engine.intrinsics import INTEGER, call


class Activation(NamedTuple):
    """f, the product with its derivative, and whether f keeps its derivative for it."""

    forward: Any
    product: Any
    keeps: bool = False


ACTIVATIONS: dict[type, Activation] = {
    activations.Softmax: Activation(kernels.linear, kernels.linear_product),  # by kernels of its own
    activations.Linear: Activation(kernels.linear, kernels.linear_product),
    activations.Relu: Activation(kernels.relu, kernels.relu_product),
    activations.LeakyRelu: Activation(kernels.leaky_relu, kernels.leaky_relu_product),
    activations.Elu: Activation(kernels.elu, kernels.elu_product),
    activations.Sigmoid: Activation(kernels.sigmoids, kernels.sigmoid_product),
    activations.Tanh: Activation(kernels.tanhs, kernels.tanh_product),
    activations.Softplus: Activation(kernels.softpluses, kernels.softplus_product),
    activations.Silu: Activation(kernels.silu, kernels.kept_product, keeps=True),
    activations.Gelu: Activation(kernels.gelu, kernels.kept_product, keeps=True),
}
SOFTMAX = 0
"""Softmax's place in the table."""
CLIP_VALUE, CLIP_NORM, CLIP_GLOBAL_NORM = 1, 2, 3

_squared = kernels.loss_kernel(kernels.squared, kernels.squared_slope)
_binary = kernels.loss_kernel(kernels.binary, kernels.difference)
_categorical = kernels.loss_kernel(kernels.categorical, kernels.difference)
LOSSES: dict[type, Any] = {
    losses.SumOfSquaredErrors: _squared,
    losses.MeanSquaredError: _squared,
    losses.MeanAbsoluteError: kernels.loss_kernel(kernels.distance, kernels.distance_slope),
    losses.Huber: kernels.loss_kernel(kernels.huber, kernels.huber_slope),
    losses.SummedBinaryCrossentropy: _binary,
    losses.BinaryCrossentropy: _binary,
    losses.CategoricalCrossentropy: _categorical,
    losses.SparseCategoricalCrossentropy: _categorical,
}

UPDATES: dict[str, Any] = {
    "nothing": kernels.nothing,
    "added": kernels.added,
    "momentum": kernels.momentum,
    "nesterov": kernels.nesterov,
    "rmsprop": kernels.rmsprop(False, False),
    "rmsprop, centered": kernels.rmsprop(True, False),
    "rmsprop, momentum": kernels.rmsprop(False, True),
    "rmsprop, centered, momentum": kernels.rmsprop(True, True),
    "adam": kernels.adam,
    "adagrad": kernels.adagrad,
}


def _of_sgd(optimizer: optimizers.SGD) -> str:
    if optimizer.in_product:
        return "added" if optimizer.momentum else "nothing"  # what is added is the velocity
    return "nesterov" if optimizer.nesterov else "momentum" if optimizer.momentum else "added"


def _of_rmsprop(optimizer: optimizers.RMSprop) -> str:
    options = {"centered": optimizer.centered, "momentum": optimizer.momentum > 0.0}
    return ", ".join(["rmsprop", *(name for name, is_set in options.items() if is_set)])


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
    return place(UPDATES, OPTIMIZERS[type(optimizer)](optimizer))


def clipping_of(optimizer: optimizers.Optimizer) -> tuple[int, float]:
    """The number of its clipping, 0 for none, and the limit."""
    name, limit = optimizer.clipping or ("", 0.0)
    return CLIPPINGS.get(name, 0), limit


def place(table: dict[Any, Any], key: Any) -> int:
    """The number by which compiled code knows an entry."""
    return list(table).index(key)


def _cases(context: Any, builder: Any, functions: list[Any], signature: Any, values: list[Any]) -> None:
    """Call the function whose number is the first value, with the others."""
    number, *arguments = values
    after = builder.append_basic_block("after")
    switch = builder.switch(number, after)
    for index, function in enumerate(functions):
        switch.add_case(ir.Constant(INTEGER, index), block := builder.append_basic_block("case"))
        builder.position_at_end(block)
        call(context, builder, function.body, types.void(*signature.args[1:]), arguments)
        builder.branch(after)
    builder.position_at_end(after)


def _chosen(functions: list[Any]) -> Callable[..., Any]:
    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _cases(context, builder, functions, signature, values)
        return context.get_dummy_value()

    return code


_FORWARD = _chosen([one.forward for one in ACTIVATIONS.values()])
_PRODUCT = _chosen([one.product for one in ACTIVATIONS.values()])
_LOSS = _chosen(list(LOSSES.values()))
_UPDATE = _chosen(list(UPDATES.values()))


@intrinsic
def activate(typing, activation, A, S, one):  # type: ignore[no-untyped-def]
    """A ← f(A)."""
    return types.void(activation, A, S, one), _FORWARD


@intrinsic
def derivative_product(typing, activation, A, S, G, one):  # type: ignore[no-untyped-def]
    """G ← f'(Z) ⊙ G."""
    return types.void(activation, A, S, G, one), _PRODUCT


@intrinsic
def loss_and_slope(typing, loss, Z, A, Y, shift, delta, losses, n, M, share, limit, one):  # type: ignore[no-untyped-def]
    """The losses of a batch and their derivatives."""
    return types.void(loss, Z, A, Y, shift, delta, losses, n, M, share, limit, one), _LOSS


@intrinsic
def update(typing, optimizer, theta, g, u, v, w, factors):  # type: ignore[no-untyped-def]
    """θ after a step."""
    return types.void(optimizer, theta, g, u, v, w, factors), _UPDATE
