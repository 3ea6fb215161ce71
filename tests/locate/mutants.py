"""Single mistakes at every layer of many problems, in every layout, made from some dozen edits of the network by hand.

They share nothing with the library; `numbers` tells mutants apart by what they compute, in 80 bits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from forms import FORMS
from handwritten import SLOPES, VALUES, HandWritten
from plants import PLANTS, Plant, other, scaled
from problems import PROBLEMS

OF_EACH = 2
"""Problems in which one edit is made at one layer."""
LAYOUTS = ("rows", "out_in", "columns", "columns in_out")
SAME = 2.0**-55
"""In 80-bit numbers, of 64 digits: mathematics that is equal parts by less, another formula by far more."""
UPDATES = {"sgd": "(D2)", "rmsprop": "(D16)", "adam": "(D20)", "adamw": "(D21)", "adagrad": "(D15)"}


@dataclass(frozen=True)
class Edit:
    """One wrong method. fits : spec, layer from 1 → whether it can be made there; whole : it concerns no layer."""

    id: str
    equation: str
    methods: object
    fits: object = lambda spec, l: True
    whole: bool = False

    def at(self, problem: str, l: int | None) -> Plant:
        equation = self.equation or update_of(PROBLEMS[problem].optimizer)
        return Plant(self.id, equation, problem, self.methods(None if self.whole else l), None if self.whole else l)


def update_of(o) -> str:
    if o.name == "sgd" and o.momentum:
        return "(D13)" if o.nesterov else "(D10)"
    return UPDATES[o.name]


def name_of(spec, l):
    return spec.architecture.layers[l - 1].activation


def hidden(spec, l):
    return l < len(spec.architecture.layers) and name_of(spec, l) != "softmax"


def of_layer(id, equation, method, wrong, fits=lambda spec, l: True):
    return Edit(id, equation, lambda l: other(method, wrong, l), fits)


def weighted():
    edits = {
        "bias-missing": lambda s, l, a: a.dot(s.weights[l]),
        "bias-twice": lambda s, l, a: a.dot(s.weights[l]) + 2 * s.biases[l],
        "bias-subtracted": lambda s, l, a: a.dot(s.weights[l]) - s.biases[l],
        "mean-of-inputs": lambda s, l, a: a.dot(s.weights[l]) / len(s.weights[l]) + s.biases[l],
        "absolute-weights": lambda s, l, a: a.dot(abs(s.weights[l])) + s.biases[l],
    }
    return [of_layer(id, "(18)", "weighted", wrong) for id, wrong in edits.items()]


def values():
    for name in ("sigmoid", "tanh", "relu", "linear", "softplus", "silu"):
        yield of_layer(
            f"activation-only-is-{name}",
            "(20)",
            "act",
            lambda s, l, z, f=VALUES[name]: f(z),
        )
    yield of_layer(
        "activation-twice",
        "(20)",
        "act",
        lambda s, l, z: VALUES[s.names[l]](VALUES[s.names[l]](z)),
    )


def back(s, l, d):
    return d.dot(s.weights[l + 1].T) * s.kept(l)


def slope(s, l, z):
    return s.slope(l, z, s.act(l, z))


def hidden_errors():
    edits = {
        "slope-missing": lambda s, l, d, z, a: back(s, l, d),
        "slope-twice": lambda s, l, d, z, a: back(s, l, d) * slope(s, l, z) ** 2,
        "slope-at-activation": lambda s, l, d, z, a: back(s, l, d) * slope(s, l, a),
        "slope-sign": lambda s, l, d, z, a: -back(s, l, d) * slope(s, l, z),
        "value-for-slope": lambda s, l, d, z, a: back(s, l, d) * a,
        "input-for-slope": lambda s, l, d, z, a: back(s, l, d) * z,
        "sigmoid-formula": lambda s, l, d, z, a: back(s, l, d) * a * (1 - a),
        "tanh-formula": lambda s, l, d, z, a: back(s, l, d) * (1 - a * a),
        "absolute-weights-back": lambda s, l, d, z, a: d.dot(abs(s.weights[l + 1]).T) * s.kept(l) * slope(s, l, z),
        "error-averaged-over-neurons": lambda s, l, d, z, a: back(s, l, d) * slope(s, l, z) / d.shape[1],
        "error-mean-again": lambda s, l, d, z, a: back(s, l, d) * slope(s, l, z) / len(d),
        "error-half": lambda s, l, d, z, a: back(s, l, d) * slope(s, l, z) / 2,
        "error-double": lambda s, l, d, z, a: back(s, l, d) * slope(s, l, z) * 2,
        "error-absolute": lambda s, l, d, z, a: abs(back(s, l, d) * slope(s, l, z)),
        "error-zero": lambda s, l, d, z, a: 0 * z,
    }
    yield from (of_layer(id, "BP2.2", "hidden_delta", wrong, hidden) for id, wrong in edits.items())
    for name in ("relu", "softplus", "silu", "elu"):
        yield of_layer(
            f"slope-of-{name}",
            "BP2.2",
            "hidden_delta",
            lambda s, l, d, z, a, f=SLOPES[name], v=VALUES[name]: back(s, l, d) * f(z, v(z)),
            hidden,
        )


def gradients():
    weights = {
        "weights-mean-missing": lambda s, l, d, a: a.T.dot(d),
        "weights-mean-twice": lambda s, l, d, a: a.T.dot(d) / len(d) ** 2,
        "weights-double": lambda s, l, d, a: 2 * a.T.dot(d) / len(d),
        "weights-sign": lambda s, l, d, a: -a.T.dot(d) / len(d),
        "weights-last-example": lambda s, l, d, a: a[-1:].T.dot(d[-1:]),
        "over-neurons": lambda s, l, d, a: a.T.dot(d) / d.shape[1],
        "means-multiplied": lambda s, l, d, a: np.outer(a.mean(axis=0), d.mean(axis=0)),
        "gradient-times-weight": lambda s, l, d, a: a.T.dot(d) / len(d) * s.weights[l],
        "weight-for-activation": lambda s, l, d, a: d.mean(axis=0) * s.weights[l],
    }
    biases = {
        "biases-mean-missing": lambda s, l, d: d.sum(axis=0),
        "biases-mean-twice": lambda s, l, d: d.mean(axis=0) / len(d),
        "biases-zero": lambda s, l, d: 0 * s.biases[l],
        "biases-sign": lambda s, l, d: -d.mean(axis=0),
        "biases-half": lambda s, l, d: d.mean(axis=0) / 2,
        "biases-last-example": lambda s, l, d: d[-1],
        "biases-first-example": lambda s, l, d: d[0],
        "bias-times-bias": lambda s, l, d: d.mean(axis=0) * s.biases[l],
    }
    yield from (of_layer(id, "BP3.2", "weight_gradient", wrong) for id, wrong in weights.items())
    yield from (of_layer(id, "BP4.2", "bias_gradient", wrong) for id, wrong in biases.items())


def whole(id, equation, methods, fits=lambda spec, l: True):
    return Edit(id, equation, lambda l: methods, fits, whole=True)


def outputs():
    def several(spec, l):
        return spec.architecture.widths[-1] > 1

    def from_slopes(spec, l):
        return "entropy" not in spec.loss and name_of(spec, len(spec.architecture.layers)) not in ("linear", "softmax")

    yield whole("output-sign", "BP1.2", scaled("output_delta", -1))
    yield whole("output-half", "BP1.2", scaled("output_delta", 0.5))
    yield whole("output-double", "BP1.2", scaled("output_delta", 2))
    yield whole("output-mean-too", "BP1.2", scaled("output_delta", lambda s, z, p, t: 1 / len(t)))
    yield whole("output-absolute", "BP1.2", {"output_delta": lambda s, z, p, t: abs(right_delta(s, z, p, t))})
    yield whole(
        "output-slope-missing", "BP1.2", {"through": lambda s, l, g, z, a: through_hidden(s, l, g, z, a)}, from_slopes
    )
    yield whole("loss-sign", "(22)", scaled("loss", -1))
    yield whole("loss-half", "(22)", scaled("loss", 0.5))
    yield whole("loss-double", "(22)", scaled("loss", 2))
    yield whole("cost-summed", "(24)", {"total": lambda s, losses: losses.sum() + s.penalty()})
    yield whole("cost-mean-twice", "(24)", {"total": lambda s, losses: losses.mean() / len(losses) + s.penalty()})
    yield whole("cost-of-last-example", "(24)", {"total": lambda s, losses: losses[-1] + s.penalty()})
    for factor, id in ((lambda s, l, d, *a: len(d), "mean-missing"), (lambda s, l, d, *a: 1 / len(d), "mean-twice")):
        methods = {**scaled("weight_gradient", factor), **scaled("bias_gradient", factor)}
        yield whole(f"gradient-{id}", "BP3.2 and BP4.2", methods)


def right_delta(s, z, p, t):
    return HandWritten.output_delta(s, z, p, t)


def through_hidden(s, l, g, z, a):
    """f' is left out of the output layer alone."""
    return g if l == len(s.names) - 1 else HandWritten.through(s, l, g, z, a)


def updates():
    def still(s, slot, theta, g, stays):
        return theta if stays else HandWritten.move(s, slot, theta, g)

    yield whole("ascent", "", scaled("rate", -1))
    yield whole("rate-double", "", scaled("rate", 2))
    yield whole("rate-half", "", scaled("rate", 0.5))
    yield whole("rate-missing", "", {"rate": lambda s: 1.0})
    yield whole("biases-never-updated", "", {"move": lambda s, n, theta, g: still(s, n, theta, g, n[0] == "b")})
    yield whole("weights-never-updated", "", {"move": lambda s, n, theta, g: still(s, n, theta, g, n[0] == "W")})
    yield Edit(
        "layer-never-updated",
        "",
        lambda l: {"move": lambda s, n, theta, g: still(s, n, theta, g, n[1] == l - 1)},
        lambda spec, l: len(spec.architecture.layers) > 1,
    )


EDITS = [edit for group in (weighted, values, hidden_errors, gradients, outputs, updates) for edit in group()]


def made() -> Iterator[Plant]:
    """Each edit at each of layers 1 to 4, in a few problems, other ones for each edit."""
    for turn, (edit, l) in enumerate(product(EDITS, range(1, 5))):
        problems = [
            name for name, spec in PROBLEMS.items() if len(spec.architecture.layers) >= l and edit.fits(spec, l)
        ]
        for k in range(min(OF_EACH, len(problems))):
            yield edit.at(problems[(turn + k * max(1, len(problems) // OF_EACH)) % len(problems)], l)


def numbers(network, spec, seed=0):
    """What a network computes on random parameters and batches, all in 80 bits: name → array."""
    rng, told = np.random.default_rng(seed), {}
    network = type("Extended", (network,), {"dtype": np.longdouble, "offers": HandWritten.offers})(spec)
    layers, widths = spec.architecture.layers, spec.architecture.widths
    for number, M in enumerate((4, 4, 3, 1)):
        network.set_parameters([(rng.normal(size=(m, n)) / m, rng.normal(size=n)) for m, n in pairwise(widths)])
        X, classes = rng.normal(size=(M, widths[0])), rng.integers(0, widths[-1], M)
        Y = np.eye(widths[-1])[classes] if layers[-1].activation == "softmax" else rng.normal(size=(M, widths[-1]))
        Y = (Y > 0) * 1.0 if layers[-1].activation == "sigmoid" else Y
        X, Y = X.astype(np.longdouble), Y.astype(np.longdouble)
        extras = {"weights": rng.uniform(0.5, 2, M)} if spec.sample_weight_range else {}
        dropped = [n for n, layer in zip(widths[1:], layers, strict=True) if layer.dropout]
        extras |= {"masks": [(rng.random((M, n)) < 0.5) * 1.0 for n in dropped]} if dropped else {}
        with np.errstate(all="ignore"):
            Z, A = network.forward(X, **{name: value for name, value in extras.items() if name == "masks"})
            parts = {"Z": Z, "A": A, "cost": [network.cost(X, Y, **extras)], "delta": network.errors(X, Y, **extras)}
            parts["d"] = [g for pair in network.gradients(X, Y, **extras) for g in pair]
            network.step(X, Y, **extras)
        parts["next"] = [*network.weights, *network.biases]
        told |= {(number, name, k): np.asarray(one) for name, part in parts.items() for k, one in enumerate(part)}
    return told


def distance(one, other):
    """The largest difference over the largest number of a tensor; infinite where shapes or NaN differ."""
    return max(_apart(one[key], other[key]) for key in other)


def _repeats(one, other):
    """Whether two mutants compute the same; one look at all numbers together tells most apart."""
    first, second = (np.concatenate([value.ravel() for value in told.values()]) for told in (one, other))
    if first.shape != second.shape or not np.allclose(first, second, rtol=1e-9, atol=1e-12, equal_nan=True):
        return False
    return distance(one, other) <= SAME


def _apart(a, b):
    if a.shape != b.shape or not np.array_equal(np.isnan(a), np.isnan(b)):
        return np.inf
    with np.errstate(all="ignore"):
        return float(np.nan_to_num(np.max(np.abs(a - b)) / (np.max(np.abs(b)) or 1.0), nan=np.inf))


def sorted_out(plants) -> tuple[list[Plant], list[tuple[str, float]], int]:
    """The distinct ones; those that change nothing, with how far they part in 80 bits; how many repeat another."""
    kept: list[tuple[Plant, dict]] = []
    nothing, repeated, right = [], 0, {}
    for plant in plants:
        spec = PROBLEMS[plant.problem]
        if plant.problem not in right:
            right[plant.problem] = numbers(HandWritten, spec)
        told = numbers(plant.network(), spec)
        far = distance(told, right[plant.problem])
        if far <= SAME:
            nothing.append((plant.name, far))
        elif any(one.problem == plant.problem and _repeats(told, was) for one, was in kept):
            repeated += 1
        else:
            kept.append((plant, told))
    return [plant for plant, _ in kept], nothing, repeated


def mutants() -> tuple[list[tuple[Plant, str]], list[tuple[str, float]], int]:
    """Each distinct mutant with a layout, in turn."""
    distinct, nothing, repeated = sorted_out([*PLANTS, *made()])
    return [(plant, LAYOUTS[n % len(LAYOUTS)]) for n, plant in enumerate(distinct)], nothing, repeated


def network_of(plants, layout, **attributes):
    """The network with these mistakes in it, in that layout."""
    methods = {name: method for plant in plants for name, method in plant.methods.items()}
    form = HandWritten if layout == "rows" else FORMS[layout][0]
    if form is HandWritten:
        return type("Planted", (HandWritten,), {**methods, **attributes})
    return type("Planted", (form, type("Mistaken", (HandWritten,), methods)), attributes)


def pairs(singles, count, seed=0):
    """Two mistakes in one problem, of different methods, drawn at random."""
    rng = np.random.default_rng(seed)
    found = []
    while len(found) < count:
        first, second = (singles[int(i)] for i in rng.integers(0, len(singles), 2))
        apart = not set(first[0].methods) & set(second[0].methods)
        if apart and first[0].problem == second[0].problem and (first, second) not in found:
            found.append((first, second))
    return found
