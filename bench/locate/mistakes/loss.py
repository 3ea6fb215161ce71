"""Mistakes in the reported cost: (22), (24), the penalty. Also other definitions of cost and gradient together."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.special import softmax

from bench.locate.equations import weights_of
from bench.locate.mistakes.mistake import Change, Entry, Equation, Factor, Fits, instead, times
from bench.locate.net import Array, Net
from bench.locate.state import Key, State
from scratchnet.losses import CategoricalCrossentropy, CrossEntropy

LN2 = float(np.log(2.0))
EPSILONS = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16)


def of_entropy(net: Net) -> bool:
    """A loss of logarithms."""
    return isinstance(net.loss, CrossEntropy)


def of_binary(net: Net) -> bool:
    """A loss with a term for "yes" and one for "no"."""
    return of_entropy(net) and not isinstance(net.loss, CategoricalCrossentropy)


def of_numbers(net: Net) -> bool:
    """A loss of differences."""
    return not of_entropy(net)


def penalized(net: Net) -> bool:
    """With L1 or L2."""
    return bool(net.regularizer)


def weighted(net: Net) -> bool:
    """With weights of examples."""
    return net.weighted


def smoothed(net: Net) -> bool:
    """With label smoothing."""
    return bool(getattr(net.loss, "label_smoothing", 0.0))


def with_parts(**parts: Equation) -> Change:
    """The right equation with some of the parts that it calls replaced."""

    def change(right: Equation) -> Equation:
        def wrong(s: State, *arguments: Any) -> Any:
            held = s.equations
            s.equations = {**held, **parts}
            try:
                return right(s, *arguments)
            finally:
                s.equations = held

        return wrong

    return change


RAW_TARGETS = with_parts(targets=lambda s: s.Y)


def entropy(s: State, log: Callable[[Array], Array], A: Array | None = None) -> Array:
    """A cross entropy from A[L] with a logarithm of one's own, (M,)."""
    A, Y = s.A(s.net.depth) if A is None else A, s.call("targets")
    terms = -Y * log(A)
    if of_binary(s.net):
        terms = terms - (1.0 - Y) * log(1.0 - A)
    total: Array = np.sum(terms, axis=0)
    return total / len(Y) if s.net.loss.averaged else total


def _unprotected(A: Array) -> Array:
    return np.log(A)


def _of_differences(s: State, value: Callable[[Array], Array]) -> Array:
    E = s.A(s.net.depth) - s.call("targets")
    total: Array = np.sum(value(E), axis=0)
    return total / len(E) if s.net.loss.averaged else total


def _through_softmax(right: Equation) -> Equation:
    """The error of a cross entropy that takes the softmax of the outputs, through the softmax that made them."""
    return lambda s, l: s.call("f'", l, s.Z(l), (softmax(s.A(l), axis=0) - s.call("targets")) * weights_of(s))


def outputs(s: State) -> float:
    """n_L."""
    return float(s.net.widths[-1])


def _loss(id: str, cause: str, change: Change, fits: Fits = lambda net: True) -> Entry:
    return Entry(id, "(22)", cause, {"(22)": change}, fits=fits)


LOSS = [
    _loss("loss-sign", "the sign of the loss is wrong", times(-1.0)),
    _loss("loss-half", "the loss has a factor 1/2 that the gradient has not", times(0.5)),
    _loss("loss-double", "the loss has a factor 2 that the gradient has not", times(2.0)),
    _loss(
        "loss-averaged-over-outputs",
        "the loss is divided by the number of outputs, the gradient is not",
        times(lambda s: 1.0 / outputs(s)),
    ),
    _loss("loss-not-averaged-over-outputs", "the loss is not divided by the number of outputs", times(outputs)),
    _loss("loss-log-2", "the logarithm of the loss has base 2", times(1.0 / LN2), of_entropy),
    _loss("loss-log-10", "the logarithm of the loss has base 10", times(1.0 / float(np.log(10.0))), of_entropy),
    _loss(
        "loss-of-yes-only",
        "the loss lacks the term of the outputs that should be 0: (1 − y) log(1 − a)",
        instead(
            lambda s: (
                np.sum(-s.call("targets") * np.log(s.A(s.net.depth)), axis=0)
                / (outputs(s) if s.net.loss.averaged else 1.0)
            )
        ),
        of_binary,
    ),
    _loss(
        "loss-squared",
        "the loss is the squared error, not a cross entropy",
        instead(lambda s: _of_differences(s, np.square)),
        of_entropy,
    ),
    _loss("loss-absolute", "the loss is the absolute error", instead(lambda s: _of_differences(s, np.abs))),
    _loss(
        "loss-not-squared",
        "the loss is the difference, not its square",
        instead(lambda s: _of_differences(s, lambda E: E)),
        of_numbers,
    ),
    _loss(
        "loss-root",
        "the loss is the root of the squared error",
        instead(lambda s: np.sqrt(_of_differences(s, np.square))),
        of_numbers,
    ),
    _loss("loss-not-smoothed", "label smoothing is in the gradient, not in the cost", RAW_TARGETS, smoothed),
    *(
        Entry(
            f"log-of-a-plus-{e:g}",
            "(22)",
            f"the cost is log(a + {e:g}), to avoid log 0",
            {"(22)": instead(lambda s, e=e: entropy(s, lambda A: np.log(A + e)))},
            fits=of_entropy,
            kind="convention",
        )
        for e in EPSILONS
    ),
    *(
        Entry(
            f"log-clipped-at-{e:g}",
            "(22)",
            f"the cost is log a with a clipped at {e:g}, to avoid log 0",
            {"(22)": instead(lambda s, e=e: entropy(s, lambda A: np.log(np.clip(A, e, 1.0 - e))))},
            fits=of_entropy,
            kind="convention",
        )
        for e in EPSILONS
    ),
    Entry(
        "softmax-of-softmax",
        "(22)",
        "the loss takes the softmax of the outputs once more: it expects Z and is given A",
        {"(22)": instead(lambda s: entropy(s, np.log, softmax(s.A(s.net.depth), axis=0))), "BP1.2": _through_softmax},
        fits=lambda net: net.activations[-1] == "softmax" and of_entropy(net),
    ),
    Entry(
        "log-of-0",
        "(22)",
        "the cost takes log 0 where an output is rounded to 0 or 1",
        {"(22)": instead(lambda s: entropy(s, _unprotected))},
        fits=of_entropy,
        kind="overflow",
    ),
]


def _cost(id: str, equation: str, cause: str, change: Change, fits: Fits = lambda net: True) -> Entry:
    return Entry(id, equation, cause, {equation: change}, fits=fits)


def cost_of(scale: Callable[[State], float]) -> Change:
    """The mean of the losses times a factor; the penalty as it is."""

    def change(right: Equation) -> Equation:
        return lambda s: (right(s) - s.value("penalty")) * scale(s) + s.value("penalty")

    return change


def full_size(s: State) -> float:
    """The batch size of the spec, whatever the batch."""
    return float(s.net.spec.batch_size)


def sum_of_weights(s: State) -> float:
    """Σ w over the mean's M."""
    return float(np.sum(s.moment.weights)) if s.moment.weights is not None else float(s.M)


def _with_biases(right: Equation) -> Equation:
    return lambda s: right(s) + sum(s.net.regularizer.cost([s.b(l)], [np.empty_like(s.b(l))]) for l in s.net.layers)


COST = [
    _cost(
        "cost-summed", "(24)", "the cost is the sum over the batch, the gradient a mean", cost_of(lambda s: float(s.M))
    ),
    _cost("cost-mean-twice", "(24)", "the cost is divided by M twice", cost_of(lambda s: 1.0 / s.M)),
    _cost(
        "cost-by-full-size",
        "(24)",
        "the cost of a short batch is divided by the size of a full one",
        cost_of(lambda s: s.M / full_size(s)),
    ),
    _cost(
        "cost-of-all-elements",
        "(24)",
        "the cost is the mean over examples and outputs",
        cost_of(lambda s: 1.0 / outputs(s)),
    ),
    _cost(
        "cost-of-first-example",
        "(24)",
        "the cost is that of one example",
        instead(lambda s: float(s.value("losses")[0]) + s.value("penalty")),
    ),
    _cost(
        "cost-of-last-example",
        "(24)",
        "the cost is that of the last example",
        instead(lambda s: float(s.value("losses")[-1]) + s.value("penalty")),
    ),
    _cost(
        "cost-not-weighted",
        "(24)",
        "weights of examples are in the gradient, not in the cost",
        instead(lambda s: float(np.mean(s.value("losses"))) + s.value("penalty")),
        weighted,
    ),
    _cost("penalty-missing", "(D31)", "the penalty is in the gradient, not in the cost", times(0.0), penalized),
    _cost(
        "penalty-half",
        "(D31)",
        "the penalty of the cost has a factor 1/2 that its gradient has not",
        times(0.5),
        penalized,
    ),
    _cost("penalty-double", "(D31)", "the penalty is added to the cost twice", times(2.0), penalized),
    _cost(
        "penalty-once-an-example",
        "(D31)",
        "the penalty is added to the cost once for each example",
        times(lambda s: float(s.M)),
        penalized,
    ),
    _cost("penalty-by-M", "(D31)", "the penalty of the cost is divided by M", times(lambda s: 1.0 / s.M), penalized),
    _cost("penalty-subtracted", "(D31)", "the penalty is subtracted from the cost", times(-1.0), penalized),
    _cost("penalty-of-biases", "(D31)", "the penalty of the cost counts the biases too", _with_biases, penalized),
]


def _both(id: str, cause: str, changes: dict[str, Change], fits: Fits = lambda net: True) -> Entry:
    return Entry(id, "(24)", cause, changes, fits=fits, kind="convention")


def _scaled(id: str, cause: str, factor: Factor, fits: Fits) -> Entry:
    return Entry(id, "(22)", cause, {"(22)": times(factor), "BP1.2": times(factor)}, fits=fits, kind="convention")


def _penalty(id: str, cause: str, factor: Factor) -> Entry:
    return Entry(
        id, "(D31)", cause, {"(D31)": times(factor), "(D32)": times(factor)}, fits=penalized, kind="convention"
    )


def _sum() -> dict[str, Change]:
    return {"(24)": cost_of(lambda s: float(s.M)), **_gradients(lambda s: float(s.M))}


def _gradients(factor: Factor) -> dict[str, Change]:
    return {"BP3.2": times(factor), "BP4.2": times(factor)}


def slope_of_penalty(s: State, theta: Array) -> Array:
    """Its derivative with respect to these parameters."""
    out = np.empty_like(theta)
    s.net.regularizer.gradient(theta, 1.0, out, np.empty_like(out))
    return out


def _bias_slope(right: Equation) -> Equation:
    def wrong(s: State, name: str, l: int) -> Any:
        return right(s, name, l) if name == "W" else slope_of_penalty(s, s.b(l))

    return wrong


def _in_the_step(biases: bool) -> dict[str, Change]:
    """The penalty's gradient is added to g by the optimizer; cost and gradient are without it."""

    def change(right: Equation) -> Equation:
        return lambda s, gradient: right(s, {key: g + decay(s, key) for key, g in gradient.items()})

    def decay(s: State, key: Key) -> Any:
        if key.name == "b" and not biases:
            return 0.0
        return slope_of_penalty(s, s.W(key.layer) if key.name == "W" else s.b(key.layer))

    return {"(D31)": times(0.0), "(D32)": times(0.0), "clip": change}


def _decays(id: str, whose: str, *, biases: bool) -> Entry:
    cause = (
        f"the optimizer adds the penalty of {whose} to the gradient (weight_decay); cost and gradient are without it"
    )
    return Entry(id, "(D32)", cause, _in_the_step(biases), fits=penalized, kind="convention")


def _share(s: State) -> float:
    return float(getattr(s.net.loss, "label_smoothing", 0.0))


def _spread(over: Factor) -> Equation:
    """Y (1 − s) + s over a number."""

    def wrong(s: State) -> Array:
        targets: Array = s.Y * (1.0 - _share(s)) + _share(s) / (over(s) if callable(over) else over)
        return targets

    return wrong


def _among_others(s: State) -> Array:
    return np.where(s.Y == 1.0, 1.0 - _share(s), _share(s) / max(len(s.Y) - 1, 1))


SMOOTHINGS: list[tuple[str, str, Equation]] = [
    ("among-the-others", "gives s / (n − 1) to each wrong class and 1 − s to the right one", _among_others),
    ("by-2", "adds s / 2, as for one output, not s / n", _spread(2.0)),
    ("by-n", "adds s / n, not s / 2", _spread(outputs)),
    ("by-M", "adds s divided by the number of examples", _spread(lambda s: float(s.M))),
    ("not-added", "multiplies by 1 − s and adds nothing", lambda s: s.Y * (1.0 - _share(s))),
]


def conventions() -> Iterator[Entry]:
    """Other definitions, in cost and gradient alike."""
    yield _both("sum-for-mean", "the cost is the sum over the batch, and so is the gradient", _sum())
    yield _both(
        "half-and-summed-over-the-batch",
        "the cost has a factor 1/2 and is the sum over the batch, and so is the gradient",
        {**_sum(), "(22)": times(0.5), "BP1.2": times(0.5)},
        of_numbers,
    )
    yield _both(
        "mean-of-all-elements",
        "the cost is the mean over examples and outputs, and so is the gradient",
        {"(24)": cost_of(lambda s: 1.0 / outputs(s)), **_gradients(lambda s: 1.0 / outputs(s))},
    )
    yield _both(
        "errors-carry-the-mean",
        "the 1/M stands in the errors (BP1.2), not in the gradients (BP3.2, BP4.2)",
        {"BP1.2": times(lambda s: 1.0 / s.M), **_gradients(lambda s: float(s.M))},
    )
    yield _both(
        "errors-of-the-sum",
        "the cost is the mean, the gradient the sum that the learning rate divides by M",
        {**_gradients(lambda s: float(s.M)), "rate": times(lambda s: 1.0 / s.M)},
    )
    yield _both(
        "errors-with-the-other-sign",
        "the errors are truth minus prediction, and the gradients turn the sign again",
        {"BP1.2": times(-1.0), **_gradients(-1.0)},
    )
    yield _both(
        "descent-direction",
        "the gradients have the other sign, and the update adds them",
        {**_gradients(-1.0), "(D32)": times(-1.0), "rate": times(-1.0)},
    )
    yield _both(
        "errors-descend",
        "errors and gradients have the other sign (truth minus prediction), and the update adds them",
        {"BP1.2": times(-1.0), "(D32)": times(-1.0), "rate": times(-1.0)},
    )
    yield _both(
        "errors-descend-with-the-mean",
        "errors have the other sign and carry the 1/M, and the update adds the gradients",
        {
            "BP1.2": times(lambda s: -1.0 / s.M),
            **_gradients(lambda s: float(s.M)),
            "(D32)": times(-1.0),
            "rate": times(-1.0),
        },
    )
    yield _both(
        "weights-normalized",
        "the cost is divided by the sum of the weights, and so is the gradient",
        {
            "(24)": cost_of(lambda s: s.M / sum_of_weights(s)),
            "BP1.2": times(lambda s: s.M / sum_of_weights(s)),
        },
        weighted,
    )
    yield _scaled("half", "cost and gradient have a factor 1/2", 0.5, lambda net: True)
    yield _scaled("double", "cost and gradient have a factor 2", 2.0, lambda net: True)
    yield _scaled("log-2", "the logarithm has base 2, in cost and gradient", 1.0 / LN2, of_entropy)
    yield _scaled(
        "summed-over-outputs",
        "the loss is the sum over the outputs, not their mean, in cost and gradient",
        outputs,
        lambda net: net.loss.averaged,
    )
    yield _scaled(
        "averaged-over-outputs",
        "the loss is the mean over the outputs, not their sum, in cost and gradient",
        lambda s: 1.0 / outputs(s),
        lambda net: not net.loss.averaged,
    )
    yield _scaled(
        "half-and-summed",
        "the loss is half the sum over the outputs, in cost and gradient",
        lambda s: outputs(s) / 2,
        lambda net: net.loss.averaged,
    )
    yield _penalty("penalty-halved", "the penalty is l2/2 Σ w², in cost and gradient", 0.5)
    yield _penalty("penalty-over-M", "the penalty is divided by M, in cost and gradient", lambda s: 1.0 / s.M)
    yield _penalty("penalty-over-2M", "the penalty is λ/2M Σ w², in cost and gradient", lambda s: 0.5 / s.M)
    for id, whose, value in SMOOTHINGS:
        yield Entry(
            f"smoothed-{id}",
            "(22)",
            f"label smoothing {whose}, in cost and gradient",
            {"targets": instead(value)},
            fits=smoothed,
            kind="convention" if id == "among-the-others" else "mistake",
        )
    yield _decays("penalty-in-the-step", "the weights", biases=False)
    yield _decays("penalty-in-the-step-with-biases", "the weights and the biases", biases=True)
    yield Entry(
        "penalty-with-biases",
        "(D31)",
        "the penalty counts the biases too, in cost and gradient",
        {"(D31)": _with_biases, "(D32)": _bias_slope},
        fits=penalized,
        kind="convention",
    )


CONVENTIONS = list(conventions())
