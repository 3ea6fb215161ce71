"""Mistakes in forward propagation: (18), (20), dropout."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.special import erf, expit

from bench.locate.equations import times_slope_of_activation
from bench.locate.mistakes.mistake import (
    Change,
    Entry,
    Equation,
    Layers,
    above,
    every,
    hidden,
    instead,
    square,
    with_activation,
)
from bench.locate.net import Array, Net
from bench.locate.state import State
from scratchnet.activations import ACTIVATIONS

Function = Callable[[Array], Array]


def as_wide_as_the_input(net: Net) -> list[int]:
    """Layers above the first whose input could be X by its shape."""
    return [l for l in above(net) if net.widths[l - 1] == net.widths[0]]


def _z(id: str, cause: str, wrong: Callable[[State, int], Array], layers: Layers = every) -> Entry:
    return Entry(id, "(18)", cause, {"(18)": instead(wrong)}, layers)


def _with_bias(s: State, l: int, WA: Array, times: float = 1.0) -> Array:
    Z: Array = WA + times * s.b(l)[:, None]
    return Z


WEIGHTED_INPUT = [
    _z("bias-missing", "the bias is left out of Z", lambda s, l: s.W(l) @ s.A(l - 1)),
    _z("bias-twice", "the bias is added twice", lambda s, l: _with_bias(s, l, s.W(l) @ s.A(l - 1), 2.0)),
    _z("bias-subtracted", "the bias is subtracted", lambda s, l: _with_bias(s, l, s.W(l) @ s.A(l - 1), -1.0)),
    _z("weights-transposed", "W is transposed", lambda s, l: _with_bias(s, l, s.W(l).T @ s.A(l - 1)), square),
    _z(
        "x-for-activation",
        "Z is computed from X, not from the activations of the layer before",
        lambda s, l: _with_bias(s, l, s.W(l) @ s.X),
        as_wide_as_the_input,
    ),
    _z(
        "z-passed-on",
        "Z is computed from Z of the layer before, not from its activations",
        lambda s, l: _with_bias(s, l, s.W(l) @ s.Z(l - 1)),
        above,
    ),
    _z(
        "mean-of-inputs",
        "the weighted sum is divided by the number of inputs",
        lambda s, l: _with_bias(s, l, s.W(l) @ s.A(l - 1) / s.W(l).shape[1]),
    ),
    _z(
        "absolute-weights",
        "the weights enter Z without their signs",
        lambda s, l: _with_bias(s, l, np.abs(s.W(l)) @ s.A(l - 1)),
    ),
]


def as_if(name: str, s: State, Z: Array, G: Array | None = None) -> Array:
    """f(Z) of another activation; with G its product with the Jacobian."""
    A, f = np.empty_like(Z), ACTIVATIONS[name](Z.shape, Z.dtype)
    f.forward(Z, A)
    if G is not None:
        out = np.empty_like(Z)
        f.jacobian_product(A, G, out)
        return out
    return A


def _other(name: str) -> Entry:
    return Entry(
        f"activation-is-{name}",
        "(20)",
        f"the activation is {name}, derivative and all",
        {
            "f": instead(lambda s, l, Z: as_if(name, s, Z)),
            "f'": instead(lambda s, l, Z, G: as_if(name, s, Z, G)),
        },
        lambda net: [l for l in net.layers if net.activations[l - 1] != name],
    )


def _value_only(name: str) -> Iterator[Entry]:
    return _wrong_value(
        f"activation-only-is-{name}",
        f"the activation is {name}, and its derivative is not",
        lambda right: lambda s, l, Z: as_if(name, s, Z),
        lambda net: [l for l in net.layers if net.activations[l - 1] != name],
    )


def _wrong_value(id: str, cause: str, change: Change, layers: Layers) -> Iterator[Entry]:
    """f is wrong; f' is that of Z, or computed from the wrong activations by the right formula."""
    yield Entry(id, "(20)", cause, {"f": change}, layers)

    def from_it(right: Equation) -> Equation:
        return lambda s, l, Z, G: times_slope_of_activation(s, l, s.call("f", l, Z), G)

    yield Entry(f"{id}-from-a", "(20)", cause, {"f": change, "f'": from_it}, layers)


def _function(id: str, cause: str, f: Function, *activations: str) -> Iterator[Entry]:
    return _wrong_value(id, cause, instead(lambda s, l, Z: f(Z)), with_activation(*activations))


def _over(Z: Array, shift: Array | float, axis: int | None) -> Array:
    E = np.exp(Z - shift)
    quotient: Array = E / E.sum(axis=axis, keepdims=True)
    return quotient


ACTIVATION = [
    *(_other(name) for name in ACTIVATIONS),
    *(entry for name in ACTIVATIONS for entry in _value_only(name)),
    *_wrong_value(
        "activation-twice", "f is applied twice", lambda right: lambda s, l, Z: right(s, l, right(s, l, Z)), every
    ),
    *_function(
        "sigmoid-of-minus-z", "the sign in the exponent is wrong: 1 / (1 + e^z)", lambda Z: expit(-Z), "sigmoid"
    ),
    *_function("sigmoid-sharper", "the exponent is 2 z, not z", lambda Z: expit(2 * Z), "sigmoid"),
    *_function("tanh-of-half", "tanh is taken of z/2, as 2σ(z) − 1 is", lambda Z: np.tanh(Z / 2), "tanh"),
    *_function("tanh-as-sigmoid", "tanh is taken as 2σ(2z), without the −1", lambda Z: 2 * expit(2 * Z), "tanh"),
    *_function("relu-absolute", "the absolute value is taken for ReLU", np.abs, "relu", "leaky_relu"),
    *_function("relu-of-minus-z", "ReLU keeps the negative side: min(0, z)", lambda Z: np.minimum(Z, 0), "relu"),
    *_function("relu-clipped-at-1", "ReLU is cut off at 1", lambda Z: np.clip(Z, 0, 1), "relu"),
    *_function(
        "softmax-over-the-batch",
        "softmax divides by the sum over the batch, not over the neurons",
        lambda Z: _over(Z, Z.max(axis=1, keepdims=True), 1),
        "softmax",
    ),
    *_function(
        "softmax-over-everything",
        "softmax divides by the sum over neurons and batch",
        lambda Z: _over(Z, Z.max(), None),
        "softmax",
    ),
    *_function(
        "softmax-not-divided", "softmax is not divided by its sum", lambda Z: np.exp(Z - Z.max(axis=0)), "softmax"
    ),
    *_function("softmax-exp-only", "softmax is e^z, not divided by its sum", np.exp, "softmax"),
    *_function(
        "softmax-by-the-largest",
        "softmax divides by the largest exponential, not by their sum",
        lambda Z: np.exp(Z) / np.exp(Z).max(axis=0),
        "softmax",
    ),
    *_function(
        "softmax-without-exp", "softmax divides z by the sum of z, without e^", lambda Z: Z / Z.sum(axis=0), "softmax"
    ),
]


def _leaky(slope: float) -> dict[str, Change]:
    return {
        "f": instead(lambda s, l, Z: np.where(Z > 0, Z, slope * Z)),
        "f'": instead(lambda s, l, Z, G: np.where(Z > 0, G, slope * G)),
    }


def _gelu(value: Function, slope: Function) -> dict[str, Change]:
    return {
        "f": instead(lambda s, l, Z: value(Z)),
        "f'": instead(lambda s, l, Z, G: slope(Z) * G),
    }


def _normal(Z: Array) -> Array:
    density: Array = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi)
    return density


def _exact_slope(Z: Array) -> Array:
    slope: Array = (1 + erf(Z / np.sqrt(2))) / 2 + Z * _normal(Z)
    return slope


def _inner(Z: Array) -> Array:
    inner: Array = np.sqrt(2 / np.pi) * (Z + 0.044715 * Z**3)
    return inner


def _tanh_slope(Z: Array) -> Array:
    T = np.tanh(_inner(Z))
    slope: Array = (1 + T) / 2 + Z * (1 - T**2) / 2 * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * Z**2)
    return slope


VARIANTS = [
    *(
        Entry(
            f"leaky-slope-{slope:g}",
            "(20)",
            f"the slope of the negative side is exactly {slope:g}; Keras's is 0.2, rounded to float32",
            _leaky(slope),
            with_activation("leaky_relu"),
            kind="convention",
        )
        for slope in (0.01, 0.1, 0.2, 0.3)
    ),
    Entry(
        "gelu-exact",
        "(20)",
        "√½ of GELU is exact; Keras rounds it to float32",
        _gelu(lambda Z: Z * (1 + erf(Z / np.sqrt(2))) / 2, _exact_slope),
        with_activation("gelu"),
        kind="convention",
    ),
    Entry(
        "gelu-by-tanh",
        "(20)",
        "GELU is its approximation by tanh",
        _gelu(lambda Z: Z * (1 + np.tanh(_inner(Z))) / 2, _tanh_slope),
        with_activation("gelu"),
        kind="convention",
    ),
    Entry(
        "softmax-shifted-by-the-batch",
        "(20)",
        "softmax is shifted by the largest z of the whole batch, so that examples far below it become 0/0",
        {"f": instead(lambda s, l, Z: _over(Z, Z.max(), 0))},
        with_activation("softmax"),
        kind="overflow",
    ),
    Entry(
        "softmax-not-shifted",
        "(20)",
        "softmax takes e^z without subtracting the largest z first: e^z overflows",
        {"f": instead(lambda s, l, Z: _over(Z, 0.0, 0))},
        with_activation("softmax"),
        kind="overflow",
    ),
    Entry(
        "sigmoid-overflows",
        "(20)",
        "the sigmoid is e^z / (1 + e^z): infinity over infinity for large z",
        {"f": instead(lambda s, l, Z: np.exp(Z) / (1 + np.exp(Z)))},
        with_activation("sigmoid"),
        kind="overflow",
    ),
]


def _dropped(net: Net) -> list[int]:
    return [l for l in hidden(net) if net.dropout[l - 1]]


def _mask(id: str, cause: str, factor: Callable[[Array, float], Any]) -> Entry:
    change = instead(lambda s, l: factor(s.moment.masks[l], s.net.dropout[l - 1]) if l in s.moment.masks else 1.0)
    return Entry(id, "(D35)", cause, {"(D35)": change}, _dropped)


DROPOUT = [
    _mask("dropout-not-scaled", "what dropout keeps is not divided by 1 − p", lambda mask, p: mask * 1.0),
    _mask("dropout-divided-by-p", "what dropout keeps is divided by p, not by 1 − p", lambda mask, p: mask / p),
    _mask(
        "dropout-times-kept", "what dropout keeps is multiplied by 1 − p, not divided", lambda mask, p: mask * (1 - p)
    ),
    _mask("dropout-inverted", "the mask is read the wrong way round", lambda mask, p: (1.0 - mask) / (1 - p)),
    _mask("dropout-ignored", "the mask is not applied at all", lambda mask, p: 1.0),
    Entry(
        "mask-forgotten-back",
        "BP2.2",
        "dropout's mask is not applied on the way back",
        {"BP2.2": instead(lambda s, l: s.call("f'", l, s.Z(l), s.W(l + 1).T @ s.delta(l + 1)))},
        _dropped,
    ),
    Entry(
        "mask-not-scaled-back",
        "BP2.2",
        "dropout's mask is applied on the way back without 1 / (1 − p)",
        {"BP2.2": instead(lambda s, l: s.call("f'", l, s.Z(l), s.W(l + 1).T @ s.delta(l + 1) * s.moment.masks[l]))},
        _dropped,
    ),
    Entry(
        "undropped-input",
        "BP3.2",
        "dW is computed from the activations before dropout",
        {"BP3.2": instead(lambda s, l: s.delta(l) @ s.call("f", l - 1, s.Z(l - 1)).T / s.M)},
        lambda net: [l + 1 for l in _dropped(net)],
    ),
]

FORWARD = [*WEIGHTED_INPUT, *ACTIVATION, *VARIANTS, *DROPOUT]
