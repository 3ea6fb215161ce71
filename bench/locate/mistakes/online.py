"""The mistake of treating a batch as single examples, with an update after each of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from bench.locate.equations import clip
from bench.locate.mistakes.mistake import Change, Entry, Equation
from bench.locate.mistakes.optimizer import plain_sgd
from bench.locate.net import Array
from bench.locate.state import Equations, Key, Moment, State, step

Divisor = Callable[[State], float]


def _alone(at: Moment, m: int) -> Moment:
    """One example of a batch."""
    return replace(
        at,
        X=at.X[:, [m]],
        Y=at.Y[:, [m]],
        weights=None if at.weights is None else at.weights[[m]],
        masks={l: mask[:, [m]] for l, mask in at.masks.items()},
    )


def _one_by_one(s: State, equations: Equations, divisor: Divisor) -> Iterator[State]:
    """The steps of the examples, each from where the one before has ended."""
    parameters = list(s.moment.parameters)
    for m in range(s.M):
        there = step(s.net, equations, replace(_alone(s.moment, m), parameters=parameters), {}, {}, s.t)
        yield there
        updates = [(there.expected[Key("uW", l)], there.expected[Key("ub", l)]) for l in s.net.layers]
        parameters = [
            (W + uW / divisor(s), b + ub / divisor(s)) for (W, b), (uW, ub) in zip(parameters, updates, strict=True)
        ]


def _updates(divisor: Divisor) -> Change:
    """The gradient that makes the sum of their updates."""

    def change(right: Equation) -> Equation:
        def wrong(s: State, gradient: Mapping[Key, Array]) -> dict[Key, Array]:
            steps = list(_one_by_one(s, {**s.equations, "clip": right}, divisor))
            scale = -s.call("rate") * divisor(s)
            return {
                key: np.sum([one.expected[Key(f"u{key.name}", key.layer)] for one in steps], axis=0) / scale
                for key in gradient
            }

        return wrong

    return change


def _costs(divisor: Divisor) -> Change:
    """The mean of the examples' costs, each just before its own update."""

    def change(right: Equation) -> Equation:
        def wrong(s: State) -> float:
            equations = {**s.equations, "(24)": right, "clip": clip}
            return float(np.mean([one.expected[Key("cost")] for one in _one_by_one(s, equations, divisor)]))

        return wrong

    return change


def _entries(id: str, cause: str, divisor: Divisor) -> Iterator[Entry]:
    """The cost is that before all updates, or each example's before its own."""
    updates = {"clip": _updates(divisor)}
    yield Entry(id, "update", cause, updates, fits=plain_sgd)
    yield Entry(f"{id}-and-cost", "update", cause, {**updates, "(24)": _costs(divisor)}, fits=plain_sgd)


ONLINE = [
    *_entries("online", "the parameters are updated after each example, not once for the batch", lambda s: 1.0),
    *_entries(
        "online-over-M",
        "the parameters are updated after each example, by its share 1/M, not once for the batch",
        lambda s: float(s.M),
    ),
]
