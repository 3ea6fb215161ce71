"""Mistakes in the gradients: BP3.2, BP4.2, the derivative of the penalty, clipping."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bench.locate.mistakes.forward import as_wide_as_the_input
from bench.locate.mistakes.loss import full_size, penalized, slope_of_penalty
from bench.locate.mistakes.mistake import Change, Entry, Equation, Factor, above, every, instead, square, times
from bench.locate.net import Array, Net
from bench.locate.state import Key, State

BOTH = ("BP3.2", "BP4.2")


def _M(s: State) -> float:
    return float(s.M)


def _over(one: float, other: float) -> float:
    """A quotient as NumPy has it: no error where 0 is divided by."""
    with np.errstate(all="ignore"):
        return float(np.float64(one) / other)


def _others(s: State) -> float:
    return max(s.M - 1.0, 1.0)


def _both(id: str, cause: str, factor: Factor, layers: Any = every) -> Entry:
    return Entry(id, "BP3.2 and BP4.2", cause, {name: times(factor) for name in BOTH}, layers)


def _weights(id: str, cause: str, change: Change, layers: Any = every) -> Entry:
    return Entry(id, "BP3.2", cause, {"BP3.2": change}, layers)


def _biases(id: str, cause: str, change: Change, layers: Any = every) -> Entry:
    return Entry(id, "BP4.2", cause, {"BP4.2": change}, layers)


def _of_example(place: slice, divisor: Callable[[State], float]) -> dict[str, Change]:
    return {
        "BP3.2": instead(lambda s, l: s.delta(l)[:, place] @ s.A(l - 1)[:, place].T / divisor(s)),
        "BP4.2": instead(lambda s, l: s.delta(l)[:, place].sum(axis=1) / divisor(s)),
    }


def _one_example(id: str, cause: str, place: slice, divisor: Callable[[State], float]) -> list[Entry]:
    """Of both gradients, of the weights alone, of the biases alone."""
    changes = _of_example(place, divisor)
    return [
        Entry(id, "BP3.2 and BP4.2", cause, changes, every),
        _weights(f"weights-{id}", cause, changes["BP3.2"]),
        _biases(f"biases-{id}", cause, changes["BP4.2"]),
    ]


FACTORS: list[tuple[str, str, Factor]] = [
    ("mean-missing", "the mean over the batch is left out: a sum", _M),
    ("mean-twice", "the mean over the batch is taken twice", lambda s: 1.0 / s.M),
    ("by-full-size", "a short batch is divided by the size of a full one", lambda s: s.M / full_size(s)),
    ("by-inputs", "it is divided by the number of inputs n_0, not of examples", lambda s: s.M / s.net.widths[0]),
    ("by-outputs", "it is divided by the number of outputs n_L, not of examples", lambda s: s.M / s.net.widths[-1]),
    ("by-M-less-1", "it is divided by M − 1, not by M", lambda s: _over(s.M, s.M - 1.0)),
    ("half", "a factor 1/2 too many", 0.5),
    ("double", "a factor 2 too many", 2.0),
    ("sign", "the sign is wrong", -1.0),
    ("zero", "it is never computed: it stays 0", 0.0),
]

SUMS = [
    *(_both(f"gradient-{id}", cause, factor) for id, cause, factor in FACTORS),
    *(_weights(f"weights-{id}", cause, times(factor)) for id, cause, factor in FACTORS),
    *(_biases(f"biases-{id}", cause, times(factor)) for id, cause, factor in FACTORS),
    *_one_example(
        "last-example", "each example overwrites the gradient of the one before", slice(-1, None), lambda s: 1.0
    ),
    *_one_example(
        "last-example-over-M", "each example overwrites the gradient, which is then divided by M", slice(-1, None), _M
    ),
    *_one_example("without-last-example", "the last example is left out", slice(0, -1), _others),
    *_one_example("without-last-example-over-M", "the last example is left out, and divided by M", slice(0, -1), _M),
    *_one_example("without-first-example", "the first example is left out", slice(1, None), _others),
    *_one_example(
        "without-first-example-over-M", "the first example is left out, and divided by M", slice(1, None), _M
    ),
    *_one_example("first-example", "only the first example of the batch counts", slice(0, 1), lambda s: 1.0),
    *_one_example("first-example-over-M", "only the first example counts, divided by M", slice(0, 1), _M),
]

WEIGHTS = [
    _weights(
        "over-neurons",
        "dW is divided by the number of neurons, not of examples",
        lambda right: lambda s, l: right(s, l) * s.M / s.net.widths[l],
    ),
    _weights(
        "over-inputs",
        "dW is divided by the number of inputs, not of examples",
        lambda right: lambda s, l: right(s, l) * s.M / s.net.widths[l - 1],
    ),
    _weights(
        "z-for-activation",
        "dW is made of Z of the layer before, not of its activations",
        instead(lambda s, l: s.delta(l) @ s.Z(l - 1).T / s.M),
        above,
    ),
    _weights(
        "x-for-activation-back",
        "dW is made of X, not of the activations of the layer before",
        instead(lambda s, l: s.delta(l) @ s.X.T / s.M),
        as_wide_as_the_input,
    ),
    _weights(
        "own-activation",
        "dW is made of the layer's own activations",
        instead(lambda s, l: s.delta(l) @ s.A(l).T / s.M),
        square,
    ),
    _weights("gradient-transposed", "dW is transposed", instead(lambda s, l: s.A(l - 1) @ s.delta(l).T / s.M), square),
    _weights(
        "weight-for-activation",
        "dW is the error times the weight, not times the activation",
        instead(lambda s, l: s.delta(l).mean(axis=1)[:, None] * s.W(l)),
    ),
    _weights(
        "means-multiplied",
        "dW is the product of the mean error and the mean activation",
        instead(lambda s, l: np.outer(s.delta(l).mean(axis=1), s.A(l - 1).mean(axis=1))),
    ),
    _weights(
        "activation-ignored",
        "dW lacks the activation: each input gets the mean error",
        instead(lambda s, l: s.delta(l).mean(axis=1)[:, None] + 0.0 * s.W(l)),
    ),
    _weights("gradient-times-weight", "dW is multiplied by W", lambda right: lambda s, l: right(s, l) * s.W(l)),
    _weights(
        "input-slope",
        "dW has the derivative of the layer below in it",
        instead(lambda s, l: s.delta(l) @ s.call("f'", l - 1, s.Z(l - 1), s.A(l - 1)).T / s.M),
        above,
    ),
]

BIASES = [
    _biases(
        "bias-over-neurons",
        "the gradient of the bias is summed over the neurons too",
        instead(lambda s, l: np.full(s.net.widths[l], s.delta(l).sum() / s.M)),
    ),
    _biases(
        "bias-mean-over-neurons",
        "the gradient of the bias is the mean over neurons and batch",
        instead(lambda s, l: np.full(s.net.widths[l], s.delta(l).mean())),
    ),
    _biases(
        "bias-times-input",
        "the gradient of the bias is multiplied by the inputs of the layer",
        instead(lambda s, l: (s.delta(l) @ s.A(l - 1).T).sum(axis=1) / s.M),
    ),
    _biases(
        "bias-times-mean-input",
        "the gradient of the bias is multiplied by the mean input",
        instead(lambda s, l: (s.delta(l) * s.A(l - 1).mean(axis=0)).sum(axis=1) / s.M),
    ),
    _biases(
        "bias-times-bias",
        "the gradient of the bias is multiplied by the bias",
        lambda right: lambda s, l: right(s, l) * s.b(l),
    ),
    _biases(
        "bias-of-activation",
        "the gradient of the bias is the mean of the activations",
        instead(lambda s, l: s.A(l).mean(axis=1)),
    ),
    _biases(
        "bias-over-neurons-count",
        "the gradient of the bias is divided by the number of neurons",
        lambda right: lambda s, l: right(s, l) * s.M / s.net.widths[l],
    ),
]


def with_l1(net: Net) -> bool:
    """With the penalty of absolute values."""
    return net.regularizer.l1 > 0.0


def with_l2(net: Net) -> bool:
    """With the penalty of squares."""
    return net.regularizer.l2 > 0.0


def _penalty(id: str, cause: str, factor: Factor) -> Entry:
    return Entry(id, "(D32)", cause, {"(D32)": times(factor)}, every, penalized)


def _slope_of_biases(right: Equation) -> Equation:
    def wrong(s: State, name: str, l: int) -> Any:
        return right(s, name, l) if name == "W" else slope_of_penalty(s, s.b(l))

    return wrong


def _part(of: Callable[[State, Array], Array]) -> Change:
    def change(right: Equation) -> Equation:
        return lambda s, name, l: of(s, s.W(l)) if name == "W" else right(s, name, l)

    return change


PENALTY = [
    _penalty("penalty-gradient-missing", "the penalty is in the cost, not in the gradient", 0.0),
    _penalty("penalty-gradient-half", "the gradient of l2 Σ w² is taken as l2 w: a factor 2 is lost", 0.5),
    _penalty("penalty-gradient-double", "the penalty is in the gradient twice", 2.0),
    _penalty("penalty-gradient-sign", "the gradient of the penalty has the wrong sign", -1.0),
    _penalty("penalty-gradient-once-an-example", "the penalty is added to the gradient once for each example", _M),
    _penalty("penalty-gradient-by-M", "the gradient of the penalty is divided by M", lambda s: 1.0 / s.M),
    _penalty(
        "penalty-gradient-over-2M",
        "the gradient of the penalty is λ/M w, that of λ/2M Σ w²; the cost has another penalty",
        lambda s: 0.5 / s.M,
    ),
    Entry(
        "penalty-gradient-of-biases",
        "(D32)",
        "the penalty is added to the gradient of the biases too",
        {"(D32)": _slope_of_biases},
        every,
        penalized,
    ),
    Entry(
        "penalty-l1-only",
        "(D32)",
        "the gradient lacks the penalty l2",
        {"(D32)": _part(lambda s, W: s.net.regularizer.l1 * np.sign(W))},
        every,
        with_l2,
    ),
    Entry(
        "penalty-l2-only",
        "(D32)",
        "the gradient lacks the penalty l1",
        {"(D32)": _part(lambda s, W: 2 * s.net.regularizer.l2 * W)},
        every,
        with_l1,
    ),
    Entry(
        "penalty-l1-not-sign",
        "(D32)",
        "the gradient of l1 Σ|w| is taken as l1 |w|",
        {"(D32)": _part(lambda s, W: s.net.regularizer.l1 * np.abs(W) + 2 * s.net.regularizer.l2 * W)},
        every,
        with_l1,
    ),
    Entry(
        "penalty-on-hidden-layers",
        "(D32)",
        "the output's weights have no penalty in the gradient",
        {"(D32)": times(0.0)},
        lambda net: [net.depth],
        penalized,
    ),
]


CLIPPERS = ("clipnorm", "global_clipnorm", "clipvalue")
"""The options of an optimizer that clip."""


def clipped(net: Net) -> bool:
    """With one way of clipping."""
    return any(net.option(name) is not None for name in CLIPPERS)


def _limit(s: State) -> float:
    return float(next(s.net.option(name) for name in CLIPPERS if s.net.option(name)))


def _each(s: State, gradient: Mapping[Key, Array], key: Key) -> float:
    return float(_limit(s) / max(float(np.linalg.norm(gradient[key])), _limit(s)))


def _together(s: State, gradient: Mapping[Key, Array], key: Key) -> float:
    norm = float(np.sqrt(sum(np.sum(g * g) for g in gradient.values())))
    return _limit(s) / max(norm, _limit(s))


def _layer(s: State, gradient: Mapping[Key, Array], key: Key) -> float:
    norm = float(np.sqrt(sum(np.sum(g * g) for one, g in gradient.items() if one.layer == key.layer)))
    return _limit(s) / max(norm, _limit(s))


def _clip(id: str, cause: str, change: dict[str, Change]) -> Entry:
    return Entry(id, "clipping", cause, change, fits=clipped)


CLIPPING = [
    _clip("clipping-missing", "the gradient is not clipped", {"clip": instead(lambda s, gradient: dict(gradient))}),
    _clip(
        "clipped-together", "the norm is that of the whole gradient, not of each tensor", {"shrink": instead(_together)}
    ),
    _clip("clipped-each", "the norm is that of each tensor, not of the whole gradient", {"shrink": instead(_each)}),
    _clip("clipped-by-layer", "the norm is that of W and b of a layer together", {"shrink": instead(_layer)}),
    _clip(
        "always-normalized",
        "the gradient is brought to the norm also where it is shorter",
        {"shrink": instead(lambda s, gradient, key: _over(_limit(s), float(np.linalg.norm(gradient[key]))))},
    ),
]


def _shrunk(size: Callable[[Array], Any]) -> dict[str, Change]:
    """The norm is another one."""

    def wrong(s: State, gradient: Mapping[Key, Array], key: Key) -> float:
        return _limit(s) / max(float(size(gradient[key])), _limit(s))

    return {"shrink": instead(wrong)}


def _by_value(s: State, gradient: Mapping[Key, Array]) -> dict[Key, Array]:
    return {key: np.clip(g, -_limit(s), _limit(s)) for key, g in gradient.items()}


def _by_norm(net: Net) -> bool:
    return clipped(net) and net.option("clipvalue") is None


OTHER_NORMS = [
    Entry(
        "clipped-by-value",
        "clipping",
        "each element is clipped, not the norm",
        {"clip": instead(_by_value)},
        None,
        _by_norm,
    ),
    _clip("norm-squared", "the root of the norm is missing", _shrunk(lambda g: np.sum(g * g))),
    _clip("norm-of-absolutes", "the norm is the sum of the absolute values", _shrunk(lambda g: np.sum(np.abs(g)))),
]

GRADIENT = [*SUMS, *WEIGHTS, *BIASES, *PENALTY, *CLIPPING, *OTHER_NORMS]
