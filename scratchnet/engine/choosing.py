"""Compiled code calls a kernel by its number, which is its place in `tables`."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from scratchnet.engine import kernels
from scratchnet.engine.intrinsics import INTEGER, call
from scratchnet.engine.tables import ACTIVATIONS, LOSSES, UPDATES


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


def _kernel(name: str) -> Any:
    return getattr(kernels, name)


_LOOPS = {names: kernels.loss_kernel(*map(_kernel, names)) for names in LOSSES.values()}
_FORWARD = _chosen([_kernel(one.forward) for one in ACTIVATIONS.values()])
_PRODUCT = _chosen([_kernel(one.product) for one in ACTIVATIONS.values()])
_LOSS = _chosen([_LOOPS[names] for names in LOSSES.values()])
_UPDATE = _chosen([_kernel(name) for name in UPDATES])


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
