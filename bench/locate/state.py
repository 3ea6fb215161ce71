"""One step of the derivation, tensor by tensor: an equation reads what the subject reported, or else what was computed.

`Equations` is a table, so a mistake replaces one entry of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.locate.net import Array, Net

Equations = Mapping[str, Callable[..., Any]]
"""Name of an equation → what computes it from a `State` and the number of a layer; see `bench.locate.equations`."""
Memory = Mapping["Key", tuple[Array, ...]]
"""What the optimizer remembers of each W[l] and b[l]."""


LARGE_INPUTS = "large weighted inputs"
"""The label of a moment at which careless formulas overflow."""


class Key(NamedTuple):
    """A tensor: Z, A, delta, dW, db, uW, ub (the updates) of layer l; cost and its parts have layer 0."""

    name: str
    layer: int = 0

    def __str__(self) -> str:
        symbol = {"uW": "update of W", "ub": "update of b"}.get(self.name, self.name)
        return f"{symbol}[{self.layer}]" if self.layer else symbol


Given = Mapping[Key, Array]
"""What a subject reported, in the derivation's layout: columns are examples."""


@dataclass(frozen=True)
class Moment:
    """Where a step is taken: parameters, and a batch (columns are examples).

    parameters : (W, b) of each layer; X (n_0, M); Y (n_L, M); weights (M,) or None; masks : layer → (n_l, M), kept or
    not. `label` says what the moment is for.
    """

    label: str
    parameters: Sequence[tuple[Array, Array]]
    X: Array
    Y: Array
    weights: Array | None
    masks: Mapping[int, NDArray[np.bool_]]

    @property
    def M(self) -> int:
        """Number of examples."""
        return int(self.X.shape[1])


class State:
    """All tensors of one step. `expected` is what the equations say; an equation reads `given` where there is one."""

    def __init__(self, net: Net, equations: Equations, moment: Moment, given: Given, memory: Memory, t: int) -> None:
        self.net, self.equations, self.moment, self.given, self.memory = net, equations, moment, given, memory
        self.t = t
        """Number of the update since the optimizer was new, from 1."""
        self.expected: dict[Key, Array] = {}
        self.remembered: dict[Key, tuple[Array, ...]] = {}
        self.clipped: dict[Key, Array] = {}

    @property
    def M(self) -> int:
        """Number of examples."""
        return self.moment.M

    @property
    def X(self) -> Array:
        """(n_0, M)."""
        return self.moment.X

    @property
    def Y(self) -> Array:
        """(n_L, M), not smoothed."""
        return self.moment.Y

    def value(self, name: str, l: int = 0) -> Array:
        """The tensor that later equations read."""
        key = Key(name, l)
        return self.given[key] if self.reads(key) else self.expected[key]

    def reads(self, key: Key) -> bool:
        """Whether later equations read what was reported: not where that is no number and no overflow explains it."""
        if key not in self.given:
            return False
        return self.moment.label == LARGE_INPUTS or bool(np.isfinite(self.given[key]).all())

    def W(self, l: int) -> Array:
        """(n_l, n_{l-1}), before the step."""
        return self.moment.parameters[l - 1][0]

    def b(self, l: int) -> Array:
        """(n_l,), before the step."""
        return self.moment.parameters[l - 1][1]

    def Z(self, l: int) -> Array:
        """(n_l, M)."""
        return self.value("Z", l)

    def A(self, l: int) -> Array:
        """(n_l, M), after dropout; A(0) is X."""
        return self.value("A", l) if l else self.X

    def delta(self, l: int) -> Array:
        """(n_l, M)."""
        return self.value("delta", l)

    def call(self, equation: str, *arguments: Any) -> Any:
        """What an equation of the table says."""
        return self.equations[equation](self, *arguments)


def step(net: Net, equations: Equations, moment: Moment, given: Given, memory: Memory, t: int) -> State:
    """Forward, cost, backward, gradients, update; `memory` is left alone, the new one is in the result."""
    state = State(net, equations, moment, given, memory, t)
    with np.errstate(all="ignore"):
        _forward(state)
        _backward(state)
        _update(state)
    return state


def _forward(s: State) -> None:
    for l in s.net.layers:
        s.expected[Key("Z", l)] = s.call("(18)", l)
        s.expected[Key("A", l)] = s.call("(20)", l)
    s.expected[Key("penalty")] = np.asarray(s.call("(D31)"))
    s.expected[Key("losses")] = s.call("(22)")
    s.expected[Key("cost")] = np.asarray(s.call("(24)"))


def _backward(s: State) -> None:
    for l in reversed(s.net.layers):
        s.expected[Key("delta", l)] = s.call("BP1.2", l) if l == s.net.depth else s.call("BP2.2", l)
        s.expected[Key("dW", l)] = s.call("BP3.2", l) + s.call("(D32)", "W", l)
        s.expected[Key("db", l)] = s.call("BP4.2", l) + s.call("(D32)", "b", l)


def _update(s: State) -> None:
    gradient = {Key(name, l): s.value(f"d{name}", l) for l in s.net.layers for name in "Wb"}
    s.clipped = s.call("clip", gradient)
    for key in gradient:
        update, kept = s.call("update", key)
        s.expected[Key(f"u{key.name}", key.layer)], s.remembered[key] = update, kept
