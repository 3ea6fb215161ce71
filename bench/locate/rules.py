"""The updates of the optimizers, one tensor at a time: (D2), (D10), (D13), (D15) to (D21).

Each rule takes g after clipping and what is remembered, and returns the update and what is remembered next. Their
options are keyword arguments, so that a mistake is another value of one of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from bench.locate.net import Array, Net
from bench.locate.state import Key, State

Kept = tuple[Array, ...]


class Means(NamedTuple):
    """Adam's m and s, the corrections 1 − βᵗ of their bias, and the function that is taken of s."""

    mean: Array
    square: Array
    of_mean: Any
    of_square: Any
    root: Callable[[Array], Array] = np.sqrt


def quotient(s: State, o: Any, means: Means) -> Array:
    """α m / (√s + ε) without η, with α = √(1 − β₂ᵗ) / (1 − β₁ᵗ)."""
    alpha = np.sqrt(means.of_square) / means.of_mean
    found: Array = alpha * means.mean / (means.root(means.square) + o.epsilon)
    return found  # (D20)


@dataclass(frozen=True)
class Going:
    """Where an update starts: η, the number of the update from 1, the parameter, its gradient; Adam's quotient.

    `t` is a number of NumPy: where a planted mistake divides by 1 − β⁰, that is infinite and no ZeroDivisionError.
    """

    rate: float
    t: np.float64
    theta: Array
    g: Array
    quotient: Callable[[Any, Means], Array]


def sgd(o: Any, at: Going, *kept: Array) -> tuple[Array, Kept]:
    """−η g; with momentum v ← μ v − η g, and the update is v; Nesterov: μ v − η g with the new v."""
    move = -at.rate * at.g  # (D2)
    if not o.momentum:
        return move, ()
    velocity = o.momentum * kept[0] + move  # (D10)
    return (o.momentum * velocity + move if o.nesterov else velocity), (velocity,)  # (D13)


def _root(variance: Array, epsilon: float) -> Array:
    root: Array = np.sqrt(variance + epsilon)
    return root


def rmsprop(o: Any, at: Going, *kept: Array, root: Callable[[Array, float], Array] = _root) -> tuple[Array, Kept]:
    """η g / √(s + ε), centred by the mean of g where asked for, collected by a velocity where there is momentum."""
    square, *rest = kept
    square = o.rho * square + (1.0 - o.rho) * at.g**2
    new, variance = [square], square
    if o.centered:
        mean = o.rho * rest[0] + (1.0 - o.rho) * at.g
        new.append(mean)
        variance = np.maximum(square - mean**2, 0.0)  # (D17)
    move = -at.rate * at.g / root(variance, o.epsilon)  # (D16)
    if o.momentum:
        move = o.momentum * rest[-1] + move  # (D18)
        new.append(move)
    return move, tuple(new)


def adam(o: Any, at: Going, *kept: Array) -> tuple[Array, Kept]:
    """η times Adam's quotient."""
    mean = o.beta_1 * kept[0] + (1.0 - o.beta_1) * at.g
    square = o.beta_2 * kept[1] + (1.0 - o.beta_2) * at.g**2
    means = Means(mean, square, 1.0 - o.beta_1**at.t, 1.0 - o.beta_2**at.t)
    return -at.rate * at.quotient(o, means), (mean, square)  # (D20)


def adamw(o: Any, at: Going, *kept: Array) -> tuple[Array, Kept]:
    """Adam beside a decay of the parameters, biases included."""
    move, new = adam(o, at, *kept)
    decay = at.rate * o.weight_decay
    return move - decay * at.theta, new  # (D21)


def adagrad(o: Any, at: Going, *kept: Array) -> tuple[Array, Kept]:
    """η g / √(s + ε), s the sum of all squares."""
    total = kept[0] + at.g**2
    return -at.rate * at.g / np.sqrt(total + o.epsilon), (total,)  # (D15)


RULES: dict[str, Callable[..., tuple[Array, Kept]]] = {
    "sgd": sgd,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adamw,
    "adagrad": adagrad,
}

START: dict[str, Callable[[Net], tuple[float, ...]]] = {
    "sgd": lambda net: (0.0,) if net.option("momentum") else (),
    "rmsprop": lambda net: (0.0,) * (1 + net.option("centered") + (net.option("momentum") > 0.0)),
    "adam": lambda net: (0.0, 0.0),
    "adamw": lambda net: (0.0, 0.0),
    "adagrad": lambda net: (net.option("initial_accumulator_value"),),
}
"""What each vector that is remembered is filled with at first."""

EQUATION = {"sgd": "D2", "rmsprop": "D16", "adam": "D20", "adamw": "D21", "adagrad": "D15"}


def equation_of(net: Net) -> str:
    """Number of the equation that updates the parameters."""
    if net.optimizer.name == "sgd" and net.option("momentum"):
        return "(D13)" if net.option("nesterov") else "(D10)"
    if net.optimizer.name == "rmsprop" and net.option("momentum"):
        return "(D18)"
    if net.optimizer.name == "rmsprop" and net.option("centered"):
        return "(D17)"
    return f"({EQUATION[net.optimizer.name]})"


def quotient_of(net: Net) -> str:
    """Number of the equation whose quotient becomes a velocity; nothing where there is none."""
    if net.optimizer.name != "rmsprop" or not net.option("momentum"):
        return ""
    return "(D17)" if net.option("centered") else "(D16)"


def clipping_of(net: Net) -> str:
    """Number of the equation that clips the gradient."""
    if net.option("clipvalue"):
        return "(D28)"
    return "(D29)" if net.option("clipnorm") else "(D30)"


def going(s: State, key: Key) -> Going:
    """Where the update of that tensor starts."""
    theta = s.W(key.layer) if key.name == "W" else s.b(key.layer)
    return Going(s.call("rate"), np.float64(s.t), theta, s.clipped[key], partial(s.call, "quotient"))


def update(s: State, key: Key) -> tuple[Array, Kept]:
    """How much the tensor changes, and what is remembered of it."""
    kept = s.memory[key] if key in s.memory else s.call("start", key)
    return RULES[s.net.optimizer.name](s.net.optimizer, going(s, key), *kept)
