"""Defines a mistake: which equations it changes, and how; at one layer or at all of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bench.locate.net import Net
from bench.locate.state import LARGE_INPUTS, Equations, Key, State

Equation = Callable[..., Any]
Change = Callable[[Equation], Equation]
"""The right equation → the wrong one."""
Fits = Callable[[Net], bool]
Layers = Callable[[Net], Sequence[int]]
Factor = float | Callable[[State], float]
Kind = Literal["mistake", "convention", "overflow"]
"""`convention`: cost and gradient agree, by another definition. `overflow`: right but for large inputs."""


@dataclass(frozen=True)
class Mistake:
    """One entry of the library for one problem; `layers` is empty where it changes all."""

    id: str
    equation: str
    cause: str
    changes: Mapping[str, Change]
    layers: tuple[int, ...] = ()
    kind: Kind = "mistake"

    def plant(self, equations: Equations) -> Equations:
        """The equations with this mistake in them."""
        changed = {name: self._limited(equations[name], change) for name, change in self.changes.items()}
        return {**equations, **changed}

    def _limited(self, right: Equation, change: Change) -> Equation:
        wrong = change(right)

        def where_it_is(s: State, *arguments: Any) -> Any:
            at_its_layer = not self.layers or layer_of(arguments) in self.layers
            at_its_moment = self.kind != "overflow" or s.moment.label == LARGE_INPUTS
            return (wrong if at_its_layer and at_its_moment else right)(s, *arguments)

        return where_it_is

    @property
    def where(self) -> str:
        """`in layer 2`, or nothing."""
        return f" in layer {self.layers[0]}" if len(self.layers) == 1 else ""


@dataclass(frozen=True)
class Entry:
    """A mistake for every problem that it fits: `layers` are those of a problem in which it can be made.

    `layers` left out: it concerns no layer, or all at once.
    """

    id: str
    equation: str
    cause: str
    changes: Mapping[str, Change]
    layers: Layers | None = None
    fits: Fits = lambda net: True
    kind: Kind = "mistake"

    def made_for(self, net: Net) -> Iterator[Mistake]:
        """All layers at once, then each layer alone where there are several."""
        if not self.fits(net):
            return
        layers = tuple(self.layers(net)) if self.layers else ()
        if self.layers and not layers:
            return
        yield Mistake(self.id, self.equation, self.cause, self.changes, layers, self.kind)
        for l in layers if len(layers) > 1 else ():
            yield Mistake(f"{self.id}@{l}", self.equation, self.cause, self.changes, (l,), self.kind)


def layer_of(arguments: Sequence[Any]) -> int:
    """The layer that an equation is asked for."""
    for argument in arguments:
        if isinstance(argument, Key):
            return argument.layer
        if isinstance(argument, int):
            return argument
    return 0


def instead(wrong: Equation) -> Change:
    """Another equation altogether."""
    return lambda right: wrong


def times(factor: Factor) -> Change:
    """A factor too many."""

    def change(right: Equation) -> Equation:
        return lambda s, *arguments: right(s, *arguments) * (factor(s) if callable(factor) else factor)

    return change


def every(net: Net) -> Sequence[int]:
    """Layers 1 to L."""
    return list(net.layers)


def hidden(net: Net) -> Sequence[int]:
    """Layers 1 to L − 1."""
    return list(net.layers)[:-1]


def above(net: Net) -> Sequence[int]:
    """Layers 2 to L."""
    return list(net.layers)[1:]


def with_activation(*names: str) -> Layers:
    """The layers of these activations."""
    return lambda net: [l for l in net.layers if net.activations[l - 1] in names]


def hidden_with(*names: str) -> Layers:
    """The hidden layers of these activations."""
    return lambda net: [l for l in hidden(net) if net.activations[l - 1] in names]


def square(net: Net) -> Sequence[int]:
    """Layers as wide as the one below."""
    return [l for l in net.layers if net.widths[l] == net.widths[l - 1]]
