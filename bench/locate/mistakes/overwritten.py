"""Mistakes from shared memory: Z and A are one array, so f(Z) overwrites Z."""

from collections.abc import Sequence

from bench.locate.mistakes.mistake import Change, Entry, every
from bench.locate.net import Array, Net
from bench.locate.state import State

CAUSE = "Z and A share their memory: f(Z) is written over Z (remedy: A = Z.copy() before f works in place)"


def _bent(net: Net) -> Sequence[int]:
    """Layers in which A is not Z."""
    return [l for l in every(net) if net.activations[l - 1] != "linear"]


def _weighted_input(s: State, l: int) -> Array:
    Z: Array = s.W(l) @ s.A(l - 1) + s.b(l)[:, None]
    return Z


def _over_weighted_input(s: State, l: int) -> Array:
    A: Array = s.call("f", l, _weighted_input(s, l))
    return A


def _same_array(s: State, l: int) -> Array:
    A: Array = s.Z(l) * s.call("(D35)", l)
    return A


FORWARD: dict[str, Change] = {
    "(18)": lambda right: _over_weighted_input,
    "(20)": lambda right: _same_array,
}
OVERWRITTEN = [
    Entry("weighted-input-overwritten", "(18)", CAUSE, FORWARD, _bent),
    Entry(
        "weighted-input-overwritten-later",
        "(18)",
        f"{CAUSE}; the derivative is still taken at Z",
        {**FORWARD, "f'": lambda right: lambda s, l, Z, G: right(s, l, _weighted_input(s, l), G)},
        _bent,
    ),
]
"""In the first, f' is taken at what stands in Z; in the second, at Z itself, as where f' is made of A."""
