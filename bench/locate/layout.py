"""How a subject stores its arrays: examples as rows or columns, W as (out, in) or (in, out), a bias inside W."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from bench.locate.net import Array, Net

Shapes = Sequence[tuple[int, ...]]
Pairs = list[tuple[Array, Array]]

EXAMPLES, WEIGHTS, BIAS = ("rows", "columns"), ("out_in", "in_out"), ("last", "first")
ORDERS = ("pairs", "weights_first", "inside")
"""W[1], b[1], W[2], ...; W[1], W[2], ..., b[1], ...; W̃[1], W̃[2], ... with the bias inside."""


@dataclass(frozen=True)
class Layout:
    """One way to lay things out; `bias` says where in W̃ it is, and means nothing where it is an array of its own.

    last_first : the parameters begin with layer L. No subject is asked so; it is told.
    """

    examples: str
    weights: str
    order: str
    bias: str = "last"
    last_first: bool = False

    @property
    def words(self) -> str:
        """For the report."""
        shape = "(n_out, n_in)" if self.weights == "out_in" else "(n_in, n_out)"
        inside = f", the bias inside W, {self.bias}" if self.order == "inside" else ""
        return f"{self.examples} are examples, W is {shape}{inside}"

    def batch(self, columns: Array) -> Array:
        """A batch (n, M) as the subject has it."""
        return np.array(columns.T if self.examples == "rows" else columns)

    def shape(self, n: int, M: int) -> tuple[int, int]:
        """Of a batch of M examples with n numbers each."""
        return (M, n) if self.examples == "rows" else (n, M)

    def columns(self, batch: Array, n: int, M: int) -> Array | None:
        """A batch of the subject's as (n, M); None where its shape is another."""
        if batch.ndim == 1 and batch.size == n * M and 1 in (n, M):
            return batch.reshape(n, M)
        if batch.shape != self.shape(n, M):
            return None
        return batch.T.copy() if self.examples == "rows" else batch.copy()

    def pairs_in_any_order(self, arrays: Sequence[Array], net: Net) -> Pairs | None:
        """As `pairs`, where gradients may stand in another order than the parameters."""
        orders = dict.fromkeys((self.order, *ORDERS))
        found = (replace(self, order=order).pairs(arrays, net) for order in orders)
        return next((pairs for pairs in found if pairs is not None), None)

    def pairs(self, arrays: Sequence[Array], net: Net) -> Pairs | None:
        """(W, b) of each layer, (n_l, n_{l-1}) and (n_l,); None where a shape or the number of arrays is another."""
        if len(arrays) != (net.depth if self.order == "inside" else 2 * net.depth):
            return None
        found = [self._pair(parts, n_in, n) for parts, n_in, n in _grouped(self._turned_round(arrays), self.order, net)]
        return None if any(pair is None for pair in found) else [pair for pair in found if pair is not None]

    def _pair(self, parts: Sequence[Array], n_in: int, n: int) -> tuple[Array, Array] | None:
        wide = n_in + 1 if self.order == "inside" else n_in
        W = parts[0] if self.weights == "out_in" else parts[0].T
        if W.shape != (n, wide):
            return None
        if self.order == "inside":
            W, b = (W[:, :-1], W[:, -1]) if self.bias == "last" else (W[:, 1:], W[:, 0])
            return W.copy(), b.copy()
        b = parts[1]
        return (W.copy(), b.reshape(n).copy()) if b.size == n else None

    def arrays(self, pairs: Sequence[tuple[Array, Array]], shapes: Shapes) -> list[Array]:
        """The subject's arrays, of these shapes, with those parameters."""
        if self.order == "inside":
            return list(self._turned_round([self._turned(self._joined(W, b)) for W, b in pairs]))
        Ws, bs = [self._turned(W) for W, _ in pairs], [b for _, b in pairs]
        side_by_side = [array for pair in zip(Ws, bs, strict=True) for array in pair]
        made = self._turned_round(side_by_side if self.order == "pairs" else [*Ws, *bs])
        return [array.reshape(shape) for array, shape in zip(made, shapes, strict=True)]

    def _turned_round(self, arrays: Sequence[Array]) -> Sequence[Array]:
        """Layer 1 first; or, the other way, layer L first."""
        if not self.last_first:
            return arrays
        half = len(arrays) // 2
        if self.order == "weights_first":
            return [*arrays[:half][::-1], *arrays[half:][::-1]]
        size = 2 if self.order == "pairs" else 1
        return [arrays[place + part] for place in range(len(arrays) - size, -1, -size) for part in range(size)]

    def _joined(self, W: Array, b: Array) -> Array:
        parts = (W, b[:, None]) if self.bias == "last" else (b[:, None], W)
        return np.hstack(parts)

    def _turned(self, W: Array) -> Array:
        return np.array(W if self.weights == "out_in" else W.T)


def _grouped(arrays: Sequence[Array], order: str, net: Net) -> Iterator[tuple[Sequence[Array], int, int]]:
    """The arrays of each layer, n_{l-1}, n_l."""
    L = net.depth
    for l in net.layers:
        if order == "inside":
            parts = arrays[l - 1 : l]
        else:
            parts = arrays[2 * l - 2 : 2 * l] if order == "pairs" else [arrays[l - 1], arrays[L + l - 1]]
        yield parts, net.widths[l - 1], net.widths[l]


def layouts(arrays: Sequence[Array], net: Net, said: dict[str, str]) -> list[Layout]:
    """Every layout in which these parameters have the shapes of the spec, as far as `said` allows."""
    ways = [said.get("examples", ""), said.get("weights", ""), said.get("bias", "")]
    choices = [(way,) if way else allowed for way, allowed in zip(ways, (EXAMPLES, WEIGHTS, BIAS), strict=True)]
    made = [Layout(e, w, o, b) for o, e, w, b in product(ORDERS, *choices) if o == "inside" or b == choices[2][0]]
    turned = [replace(one, last_first=True) for one in made if net.depth > 1]
    return [one for one in (*made, *turned) if one.pairs(arrays, net) is not None]


def has_no_biases(arrays: Sequence[Array], net: Net) -> bool:
    """Whether there is W[l] of each layer, and nothing else."""
    shapes = [{(net.widths[l], net.widths[l - 1]), (net.widths[l - 1], net.widths[l])} for l in net.layers]
    return len(arrays) == net.depth and all(array.shape in two for array, two in zip(arrays, shapes, strict=True))


def remedy(layouts: Sequence[Layout]) -> str:
    """What tells these layouts apart: the attributes that a subject may have."""
    fields = {"examples": EXAMPLES, "weights": WEIGHTS, "bias": BIAS}
    apart = [name for name in fields if len({getattr(one, name) for one in layouts}) > 1]
    said = [f'{name} = "{fields[name][0]}" or "{fields[name][1]}"' for name in apart]
    return f"the attribute {' and '.join(said)}" if said else "get_parameters() returns pairs (W, b)"
