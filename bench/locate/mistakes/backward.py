"""Mistakes in backpropagation: BP1.2 and BP2.2."""

import numpy as np

from bench.locate.equations import weights_of
from bench.locate.mistakes.forward import as_if
from bench.locate.mistakes.loss import (
    RAW_TARGETS,
    of_entropy,
    of_numbers,
    outputs,
    smoothed,
    weighted,
    with_parts,
)
from bench.locate.mistakes.mistake import Change, Entry, Equation, Fits, Layers, hidden, hidden_with, instead, times
from bench.locate.net import Array, Net
from bench.locate.state import Key, State
from scratchnet.activations import ACTIVATIONS


def _softmax(net: Net) -> bool:
    return net.activations[-1] == "softmax"


def _diagonal(s: State, l: int) -> Array:
    """Softmax's Jacobian as a (1 − a)."""
    A = s.A(l)
    slopes = -s.call("targets") / A if of_entropy(s.net) else s.call("slopes")
    delta: Array = slopes * A * (1.0 - A) * weights_of(s)
    return delta


def _extra_slope(s: State, l: int) -> Array:
    """f' where it has cancelled already."""
    A = s.A(l)
    return A * (1.0 - A)


def _difference(s: State) -> Array:
    E: Array = (s.A(s.net.depth) - s.call("targets")) * weights_of(s)
    return E


def _output(id: str, cause: str, change: Change, fits: Fits = lambda net: True) -> Entry:
    return Entry(id, "BP1.2", cause, {"BP1.2": change}, fits=fits)


OUTPUT = [
    _output(
        "output-slope-missing",
        "the derivative of the output's activation is left out",
        instead(lambda s, l: s.call("slopes") * weights_of(s)),
        of_numbers,
    ),
    _output(
        "output-slope-twice",
        "the derivative of the output's activation is multiplied in twice",
        lambda right: lambda s, l: s.call("f'", l, s.Z(l), right(s, l)),
        of_numbers,
    ),
    _output(
        "output-slope-extra",
        "f' is multiplied in although it cancels for this loss and output",
        lambda right: lambda s, l: right(s, l) * _extra_slope(s, l),
        of_entropy,
    ),
    _output(
        "output-jacobian-extra",
        "the Jacobian is multiplied in although it cancels for this loss and output",
        lambda right: lambda s, l: s.call("f'", l, s.Z(l), right(s, l)),
        of_entropy,
    ),
    _output(
        "output-slope-only",
        "the derivative of the loss is divided by a (1 − a), but f' is left out",
        lambda right: lambda s, l: right(s, l) / _extra_slope(s, l),
        of_entropy,
    ),
    _output(
        "output-slope-at-activation",
        "f' of the output is taken at A, not at Z",
        instead(lambda s, l: s.call("f'", l, s.A(l), s.call("slopes")) * weights_of(s)),
        of_numbers,
    ),
    _output("softmax-diagonal", "softmax's Jacobian is taken as its diagonal a (1 − a)", instead(_diagonal), _softmax),
    _output("output-sign", "the sign is wrong: truth minus prediction", times(-1.0)),
    _output("output-half", "a factor 1/2 too many", times(0.5)),
    _output("output-double", "a factor 2 too many", times(2.0)),
    _output("output-quarter", "a factor 1/4 too many", times(0.25)),
    _output(
        "output-summed",
        "the loss is averaged over the outputs, its gradient is not",
        times(outputs),
        lambda net: net.loss.averaged,
    ),
    _output(
        "output-averaged",
        "the gradient is divided by the number of outputs, the loss is not",
        times(lambda s: 1.0 / outputs(s)),
    ),
    _output("output-mean-too", "the errors are divided by M, and the gradients once more", times(lambda s: 1.0 / s.M)),
    _output("output-times-M", "the errors are multiplied by M", times(lambda s: float(s.M))),
    _output("output-not-smoothed", "label smoothing is in the cost, not in the gradient", RAW_TARGETS, smoothed),
    _output(
        "output-not-weighted",
        "weights of examples are in the cost, not in the gradient",
        lambda right: lambda s, l: right(s, l) / weights_of(s),
        weighted,
    ),
    _output(
        "output-weighted-twice",
        "weights of examples are multiplied in twice",
        lambda right: lambda s, l: right(s, l) * weights_of(s),
        weighted,
    ),
    _output(
        "output-plain-difference",
        "the error is A − Y, which holds only for a cross entropy on its own output",
        instead(lambda s, l: _difference(s)),
        of_numbers,
    ),
    _output(
        "output-twice-difference",
        "the error is 2 (A − Y): f' is missing, and the mean over the outputs",
        instead(lambda s, l: 2.0 * _difference(s)),
        of_numbers,
    ),
    _output(
        "output-difference-with-slope",
        "the error is (A − Y) f': the factor 2 or the mean over outputs is lost",
        instead(lambda s, l: s.call("f'", l, s.Z(l), _difference(s))),
        of_numbers,
    ),
    _output(
        "output-squared-error",
        "the error is that of the squared error, 2 (A − Y) f', not of a cross entropy",
        instead(lambda s, l: s.call("f'", l, s.Z(l), 2.0 * _difference(s))),
        of_entropy,
    ),
    _output("output-absolute", "the error has lost its sign: |A − Y|", lambda right: lambda s, l: np.abs(right(s, l))),
    _output(
        "output-sign-only",
        "the error is only the sign of A − Y",
        instead(lambda s, l: s.call("f'", l, s.Z(l), np.sign(_difference(s)))),
        of_numbers,
    ),
    _output(
        "output-of-z",
        "the error is Z − Y: the activation is left out",
        instead(lambda s, l: (s.Z(l) - s.call("targets")) * weights_of(s)),
        of_entropy,
    ),
    _output(
        "output-rounded",
        "the error is made of the decision, 0 or 1, not of the probability",
        instead(lambda s, l: (np.round(s.A(l)) - s.call("targets")) * weights_of(s)),
        of_entropy,
    ),
    _output(
        "output-cubed",
        "the error is (A − Y)²: the loss itself, not its derivative",
        instead(lambda s, l: s.call("f'", l, s.Z(l), np.square(_difference(s)))),
    ),
    _output(
        "output-of-activation-only",
        "the error is A: the truth is not subtracted",
        instead(lambda s, l: s.A(l) * weights_of(s)),
    ),
]


def _back(s: State, l: int) -> Array:
    """Wᵀ delta, with dropout's mask."""
    back: Array = s.W(l + 1).T @ s.delta(l + 1) * s.call("(D35)", l)
    return back


def _slope(id: str, cause: str, wrong: Equation, layers: Layers = hidden) -> Entry:
    return Entry(id, "BP2.2", cause, {"BP2.2": instead(wrong)}, layers)


def _slope_of(name: str) -> Entry:
    return Entry(
        f"slope-of-{name}",
        "BP2.2",
        f"the derivative is that of {name}",
        {"BP2.2": with_parts(**{"f'": lambda s, l, Z, G: as_if(name, s, Z, G)})},
        lambda net: [l for l in hidden(net) if net.activations[l - 1] != name],
    )


def _changed(s: State, l: int) -> Array:
    """W[l] after its update, which came too early."""
    held = s.clipped
    s.clipped = {Key("W", l): s.value("dW", l)}
    try:
        update, _ = s.call("update", Key("W", l))
    finally:
        s.clipped = held
    changed: Array = s.W(l) + update
    return changed


def _same_width_above(net: Net) -> list[int]:
    return [l for l in hidden(net) if net.widths[l] == net.widths[l + 1]]


def _fits_output_weights(net: Net) -> list[int]:
    return [l for l in hidden(net)[:-1] if net.widths[l] == net.widths[-2]]


def _fits_output_error(net: Net) -> list[int]:
    return [l for l in hidden(net)[:-1] if net.widths[l + 1] == net.widths[-1]]


def _fits_own_weights(net: Net) -> list[int]:
    return [l for l in hidden(net) if net.widths[l - 1] == net.widths[l + 1]]


def _kinked(right: Equation) -> Equation:
    """f' = 1 at 0."""
    return lambda s, l, Z, G: np.where(Z == 0.0, G, right(s, l, Z, G))


HIDDEN = [
    _slope("slope-missing", "f' is left out", _back),
    _slope(
        "slope-twice",
        "f' is multiplied in twice",
        lambda s, l: s.call("f'", l, s.Z(l), s.call("f'", l, s.Z(l), _back(s, l))),
    ),
    _slope(
        "slope-at-activation",
        "f' is taken at the activation, not at its input",
        lambda s, l: s.call("f'", l, s.A(l), _back(s, l)),
    ),
    Entry("slope-sign", "BP2.2", "f' has the wrong sign", {"BP2.2": times(-1.0)}, hidden),
    _slope("value-for-slope", "the activation is multiplied in, not its derivative", lambda s, l: s.A(l) * _back(s, l)),
    _slope("input-for-slope", "Z is multiplied in, not f'(Z)", lambda s, l: s.Z(l) * _back(s, l)),
    _slope(
        "one-plus-a",
        "the derivative of the sigmoid is taken as a (1 + a)",
        lambda s, l: s.A(l) * (1 + s.A(l)) * _back(s, l),
        hidden_with("sigmoid"),
    ),
    _slope(
        "sigmoid-formula",
        "the derivative is taken as a (1 − a), which is that of the sigmoid",
        lambda s, l: s.A(l) * (1 - s.A(l)) * _back(s, l),
        lambda net: [l for l in hidden(net) if net.activations[l - 1] not in ("sigmoid", "softmax")],
    ),
    _slope(
        "tanh-formula",
        "the derivative is taken as 1 − a², which is that of tanh",
        lambda s, l: (1 - s.A(l) ** 2) * _back(s, l),
        lambda net: [l for l in hidden(net) if net.activations[l - 1] != "tanh"],
    ),
    _slope(
        "one-minus-a",
        "the derivative is taken as 1 − a",
        lambda s, l: (1 - s.A(l)) * _back(s, l),
        hidden_with("sigmoid", "tanh"),
    ),
    _slope(
        "a-minus-square-of-z",
        "the derivative of tanh is taken as 1 − z²",
        lambda s, l: (1 - s.Z(l) ** 2) * _back(s, l),
        hidden_with("tanh"),
    ),
    _slope(
        "one-plus-square",
        "the derivative of tanh is taken as 1 + a²",
        lambda s, l: (1 + s.A(l) ** 2) * _back(s, l),
        hidden_with("tanh"),
    ),
    _slope(
        "root-of-one-minus-square",
        "the derivative of tanh is taken as √(1 − a²)",
        lambda s, l: np.sqrt(1 - s.A(l) ** 2) * _back(s, l),
        hidden_with("tanh"),
    ),
    _slope(
        "z-one-minus-z",
        "the derivative of the sigmoid is taken as z (1 − z)",
        lambda s, l: s.Z(l) * (1 - s.Z(l)) * _back(s, l),
        hidden_with("sigmoid"),
    ),
    _slope(
        "relu-slope-negative-side",
        "the derivative of ReLU is 1 on the wrong side",
        lambda s, l: (s.Z(l) < 0) * _back(s, l),
        hidden_with("relu"),
    ),
    _slope(
        "relu-applied-to-error",
        "ReLU is applied to the error, not its derivative multiplied in",
        lambda s, l: np.maximum(_back(s, l), 0.0),
        hidden_with("relu"),
    ),
    _slope(
        "softmax-diagonal-hidden",
        "softmax's Jacobian is taken as its diagonal a (1 − a)",
        lambda s, l: s.A(l) * (1 - s.A(l)) * _back(s, l),
        hidden_with("softmax"),
    ),
    *(_slope_of(name) for name in ACTIVATIONS),
    *(
        _slope(
            f"slope-of-negative-side-{slope:g}",
            f"the derivative of the negative side is taken as {slope:g}",
            lambda s, l, slope=slope: np.where(s.Z(l) > 0, 1.0, slope) * _back(s, l),
            hidden_with("leaky_relu"),
        )
        for slope in (0.01, 0.1, 0.3)
    ),
    Entry(
        "relu-slope-one-at-0",
        "BP2.2",
        "f'(0) is 1; the derivation, Keras and PyTorch take 0 or the left slope",
        {"f'": _kinked},
        hidden_with("relu", "leaky_relu"),
        kind="convention",
    ),
    _slope(
        "weights-not-transposed",
        "W is not transposed",
        lambda s, l: s.call("f'", l, s.Z(l), s.W(l + 1) @ s.delta(l + 1) * s.call("(D35)", l)),
        _same_width_above,
    ),
    _slope(
        "weights-of-own-layer",
        "the weights are those of the layer itself, not of the next",
        lambda s, l: s.call("f'", l, s.Z(l), s.W(l) @ s.delta(l + 1) * s.call("(D35)", l)),
        _fits_own_weights,
    ),
    _slope(
        "weights-of-output",
        "weights and error are those of the output, not of the next layer",
        lambda s, l: s.call("f'", l, s.Z(l), s.W(s.net.depth).T @ s.delta(s.net.depth) * s.call("(D35)", l)),
        _fits_output_weights,
    ),
    _slope(
        "error-of-output",
        "the error is made of the output's error, not of the next layer's",
        lambda s, l: s.call("f'", l, s.Z(l), s.W(l + 1).T @ s.delta(s.net.depth) * s.call("(D35)", l)),
        _fits_output_error,
    ),
    _slope(
        "weights-ignored",
        "the errors of the next layer are added up without their weights",
        lambda s, l: s.call("f'", l, s.Z(l), np.ones_like(s.W(l + 1)).T @ s.delta(l + 1) * s.call("(D35)", l)),
    ),
    _slope(
        "absolute-weights-back",
        "the weights are used without their signs",
        lambda s, l: s.call("f'", l, s.Z(l), np.abs(s.W(l + 1)).T @ s.delta(l + 1) * s.call("(D35)", l)),
    ),
    _slope(
        "weights-changed-before",
        "the error is propagated through weights that have been updated already",
        lambda s, l: s.call("f'", l, s.Z(l), _changed(s, l + 1).T @ s.delta(l + 1) * s.call("(D35)", l)),
    ),
    Entry(
        "error-averaged-over-neurons",
        "BP2.2",
        "the error is divided by the number of neurons of the next layer",
        {"BP2.2": lambda right: lambda s, l: right(s, l) / s.net.widths[l + 1]},
        hidden,
    ),
    Entry(
        "error-mean-again",
        "BP2.2",
        "the error is divided by M in each layer",
        {"BP2.2": times(lambda s: 1.0 / s.M)},
        hidden,
    ),
    Entry("error-half", "BP2.2", "a factor 1/2 too many", {"BP2.2": times(0.5)}, hidden),
    Entry("error-double", "BP2.2", "a factor 2 too many", {"BP2.2": times(2.0)}, hidden),
    Entry(
        "error-absolute",
        "BP2.2",
        "the error has lost its sign",
        {"BP2.2": lambda right: lambda s, l: np.abs(right(s, l))},
        hidden,
    ),
    Entry(
        "error-summed-over-batch",
        "BP2.2",
        "each example gets the mean error of the batch",
        {"BP2.2": lambda right: lambda s, l: right(s, l).mean(axis=1, keepdims=True) + 0.0 * right(s, l)},
        hidden,
    ),
    Entry("error-zero", "BP2.2", "no error reaches the layer", {"BP2.2": times(0.0)}, hidden),
]

BACKWARD = [*OUTPUT, *HIDDEN]
