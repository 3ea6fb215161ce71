"""Finds the wrong equation if several make one tensor: it calls the subject again so that one of them stands out.

An equation reads only its own inputs. The term of a penalty stays the same for another batch at the same parameters.
A batch of one example shows what (22) says of that example. In a spec without clipping and dropout, their effect is
gone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.locate.blame import Blame
from bench.locate.bounds import unit_roundoff
from bench.locate.compare import Comparison, Pair, Place
from bench.locate.equations import REFERENCE
from bench.locate.experiment import SEED, moment, rounded
from bench.locate.mistakes.gradient import CLIPPERS, clipped
from bench.locate.mistakes.loss import of_entropy
from bench.locate.net import Array, Net, net_of
from bench.locate.rules import clipping_of
from bench.locate.state import Equations, Key, Moment
from bench.locate.subject import SubjectError
from bench.locate.survey import Survey, asked_again
from bench.spec import TrainingSpec

Names = tuple[str, ...]
EXAMPLES = 8
"""So many examples of a batch are asked for alone."""
COST = ("(22)", "(24)")
ADDED = {"cost": "(D31)", "dW": "(D32)", "db": "(D32)"}
"""Name of a tensor → the equation of what a penalty adds to it."""


@dataclass(frozen=True)
class Option:
    """An equation that a spec may do without. entries : those of the table of equations that compute it."""

    equation: Callable[[Net], str]
    entries: Names
    makes: Callable[[Key, Net], bool]
    without: Callable[[TrainingSpec], TrainingSpec]


def _unclipped(spec: TrainingSpec) -> TrainingSpec:
    optimizer = spec.optimizer.model_copy(update=dict.fromkeys(CLIPPERS))
    return spec.model_copy(update={"optimizer": optimizer})


def _undropped(spec: TrainingSpec) -> TrainingSpec:
    layers = tuple(layer.model_copy(update={"dropout": 0.0}) for layer in spec.architecture.layers)
    return spec.model_copy(update={"architecture": spec.architecture.model_copy(update={"layers": layers})})


OPTIONS = (
    Option(clipping_of, ("clip", "shrink"), lambda key, net: key.name[0] == "u" and clipped(net), _unclipped),
    Option(
        lambda net: "(D35)",
        ("(D35)",),
        lambda key, net: key.name == "A" and net.dropout[key.layer - 1] > 0.0,
        _undropped,
    ),
)


def wrong_parts(comparison: Comparison, equations: Equations, blame: Blame) -> Names:
    """The equations of the blamed tensor that may be wrong: several where the numbers cannot tell them apart."""
    name, option = blame.key.name, next((one for one in OPTIONS if one.makes(blame.key, comparison.net)), None)
    if blame.is_of_clipping:
        return (blame.equation,)
    if name == "delta" and _is_added(comparison, equations, blame.first):
        return ("(D32)",)
    if blame.may_be_of_outputs and _may_be_of_outputs(comparison, equations, blame.first):
        return ("(18) or (20)", blame.equation)
    if comparison.is_large(blame.first) or not (option or name in ADDED):
        return (blame.equation,)
    whole = COST if name == "cost" else (blame.equation,)
    try:
        if option:
            return _of_option(comparison, equations, blame, option)
        return _of_penalty(comparison, equations, blame, whole)
    except SubjectError:  # it cannot be asked so: no part is cleared
        return (*whole, option.equation(comparison.net) if option else ADDED[name])


def _of_option(comparison: Comparison, equations: Equations, blame: Blame, option: Option) -> Names:
    """The option's where the subject is right without it; not the option's where it is wrong without it too."""
    seen = comparison.survey.seen[blame.first.trajectory]
    net, moments = net_of(option.without(comparison.net.spec)), seen.trajectory.moments
    steps = [replace(at, masks={l: at.masks[l] for l in at.masks if net.dropout[l - 1]}) for at in moments]
    there = asked_again(comparison.survey, [steps], net)
    right = {**equations, **{name: REFERENCE[name] for name in option.entries}}
    suspected = {place.key for place in blame.explained}
    pairs = {place: pair for place, pair in Comparison(there).pairs(right).items() if place.key in suspected}
    if not any(pair.wrong for pair in pairs.values()):
        return (option.equation(comparison.net),)
    if any(_differs(pair.given, seen.given[place.moment][place.key]) for place, pair in pairs.items()):
        return (blame.equation,)
    return blame.equation, option.equation(comparison.net)  # it computes the same: the spec does not reach it


def _differs(one: Array, other: Array) -> bool:
    return not np.allclose(one, other, rtol=1e-5, atol=1e-12, equal_nan=True)


def _is_added(comparison: Comparison, equations: Equations, place: Place) -> bool:
    """Whether a gradient is off by what follows from the parameters alone: no error of an example does that."""
    net = comparison.net
    is_gradient = place.key.name in ("dW", "db") or (net.optimizer.name == "sgd" and not clipped(net))
    if comparison.is_large(place) or place.key.name not in ("dW", "db", "uW", "ub") or not is_gradient:
        return False
    try:
        same, all_of, wrong = _of_parameters(comparison, equations, place)
    except SubjectError:
        return False
    return wrong and same and not all_of


def _may_be_of_outputs(comparison: Comparison, equations: Equations, place: Place) -> bool:
    """Whether outputs may be wrong, not their error.

    Where the error is A − Y, wrong outputs are off alike for all targets.
    """
    net, at = comparison.net, comparison.moment(place)
    is_linear = place.key.name[0] != "u" or (net.optimizer.name == "sgd" and not clipped(net))
    if not (is_linear and of_entropy(net)) or comparison.is_large(place):
        return not comparison.is_large(place)
    others = [replace(at, Y=moment(net, np.random.default_rng(SEED + draw), at.M, "again").Y) for draw in (3, 4)]
    try:
        pairs = _pairs(comparison.survey, equations, place.key, [at, *others])
    except SubjectError:
        return True
    return _alike([_deviation(pair) for pair in pairs], _digits(comparison))


def _of_parameters(comparison: Comparison, equations: Equations, place: Place) -> tuple[bool, bool, bool]:
    """Whether it is off alike for other batches; for other parameters too; and whether it is off there at all."""
    at = comparison.moment(place)
    rng = np.random.default_rng(SEED + 2)
    one, two, elsewhere = (moment(comparison.net, rng, at.M, "again") for _ in range(3))
    batches = [at, *(replace(batch, parameters=at.parameters) for batch in (one, two)), elsewhere]
    pairs = _pairs(comparison.survey, equations, place.key, batches)
    deviations, digits = [_deviation(pair) for pair in pairs], _digits(comparison)
    return _alike(deviations[:-1], digits), _alike(deviations, digits), pairs[0].wrong


def _of_penalty(comparison: Comparison, equations: Equations, blame: Blame, whole: Names) -> Names:
    """The penalty's where the deviation follows from the parameters; any where it is always the same."""
    same, everywhere, wrong = _of_parameters(comparison, equations, blame.first)
    if wrong and same:
        added = ADDED[blame.key.name]
        return (*whole, added) if everywhere else (added,)
    return _of_examples(comparison, equations) if blame.key.name == "cost" else whole


def _of_examples(comparison: Comparison, equations: Equations) -> Names:
    """(22) where a batch is off by the mean of what its examples are off alone, each of weight 1; else (24)."""
    batch = comparison.survey.seen[0].trajectory.moments[0]
    batch = _part(batch, range(min(EXAMPLES, batch.M)), batch.weights)
    alone = [_part(batch, [m], np.ones(batch.M)) for m in range(batch.M)]
    together, *single = _pairs(comparison.survey, equations, Key("cost"), [batch, *alone])
    if not any(pair.wrong for pair in single):
        return ("(24)",)
    if not all(np.isfinite(pair.given) for pair in single):
        return ("(22)",)
    if _alike([pair.given for pair in single], _digits(comparison)):
        return COST  # a cost that reads no example
    of_loss = _alike([_deviation(together), _mean(single, batch.weights)], _digits(comparison))
    return ("(22)",) if of_loss else ("(24)",)


def _mean(single: Sequence[Pair], weights: Array | None) -> Array:
    """What a batch is off where each of its examples is off alone."""
    deviations = np.array([_deviation(pair) for pair in single])
    with np.errstate(all="ignore"):
        return np.asarray(np.mean(deviations if weights is None else deviations * weights))


def _part(at: Moment, examples: Sequence[int], weights: Array | None) -> Moment:
    """Some examples of a batch, of other weights if it has any."""
    chosen = list(examples)
    return replace(
        at,
        X=at.X[:, chosen],
        Y=at.Y[:, chosen],
        weights=None if at.weights is None or weights is None else weights[chosen],
        masks={l: mask[:, chosen] for l, mask in at.masks.items()},
    )


def _pairs(survey: Survey, equations: Equations, key: Key, moments: Iterable[Moment]) -> list[Pair]:
    """That tensor at each of these moments, of a new subject each."""
    there = asked_again(survey, [[rounded(at, survey.dtype)] for at in moments])
    pairs = Comparison(there).pairs(equations)
    return [pairs[Place(number, 0, key)] for number in range(len(there.seen))]


def _deviation(pair: Pair) -> Array:
    with np.errstate(all="ignore"):
        return pair.given - pair.expected


def _digits(comparison: Comparison) -> float:
    """Half of the digits of the dtype."""
    return float(np.sqrt(unit_roundoff(comparison.survey.dtype)))


def _alike(arrays: Sequence[Array], digits: float) -> bool:
    """Whether all are the first one, to that share of its largest number."""
    first, *others = arrays
    with np.errstate(all="ignore"):
        size = float(np.max(np.abs(first)))
        return bool(np.isfinite(size)) and all(bool(np.max(np.abs(one - first)) <= digits * size) for one in others)
