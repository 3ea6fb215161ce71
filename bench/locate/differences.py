"""Compares central differences of the cost that the subject itself reports with its own gradient: do the two agree?

If they agree but neither is the spec's, the subject has another definition of the cost. That is not a mistake.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from bench.locate.bounds import unit_roundoff
from bench.locate.document import Difference
from bench.locate.net import Array
from bench.locate.state import Given, Key, Moment
from bench.locate.subject import Asked
from bench.locate.survey import Survey

ELEMENTS = 6
"""Of each tensor: the largest, and others in even distances."""
AGREES = 1e-2
"""Coarser than rounding: a difference of this size is one of mathematics."""


def differences(survey: Survey) -> list[Difference]:
    """A ratio for each tensor; nothing where the cost or the gradient is not reported."""
    seen = survey.seen[0]
    moment, given = seen.trajectory.moments[0], seen.given[0]
    gradient = gradients(survey, given)
    if Key("cost") not in given or not gradient:
        return []
    asked = survey.make()
    cost = _reported_cost(survey, asked)
    epsilon = float(unit_roundoff(survey.dtype)) ** (1 / 3)
    return [_of_tensor(key, g, moment, cost, epsilon) for key, g in gradient.items()]


def gradients(survey: Survey, given: Given) -> dict[Key, Array]:
    """dW and db of each layer, as reported, or as the first step of plain SGD betrays them."""
    net = survey.net
    if Key("dW", 1) in given:
        return {Key(name, l): given[Key(f"d{name}", l)] for l in net.layers for name in "Wb"}
    if (
        net.optimizer.name != "sgd"
        or net.option("clipnorm")
        or net.option("global_clipnorm")
        or net.option("clipvalue")
    ):
        return {}
    factor = -net.schedule(0) * (1.0 + (net.option("momentum") if net.option("nesterov") else 0.0))
    return {Key(name, l): given[Key(f"u{name}", l)] / factor for l in net.layers for name in "Wb"}


def _reported_cost(survey: Survey, asked: Asked) -> Callable[[Moment], float]:
    if "cost" in survey.offered:
        return lambda at: _asked_cost(asked, at)
    return lambda at: _step_cost(survey.make(), at)


def _asked_cost(asked: Asked, at: Moment) -> float:
    asked.set(at)
    return float(asked.cost(at))


def _step_cost(asked: Asked, at: Moment) -> float:
    asked.set(at)
    value = asked.step(at)
    return float("nan") if value is None else value


def _of_tensor(key: Key, g: Array, at: Moment, cost: Callable[[Moment], float], epsilon: float) -> Difference:
    places = list(_places(g))
    numeric = np.array([_difference(key, place, at, cost, epsilon) for place in places])
    analytic = np.array([g[place] for place in places])
    scale = float(np.linalg.norm(analytic) + np.linalg.norm(numeric))
    ratio = float(np.linalg.norm(analytic - numeric)) / scale if scale else 0.0
    tiny = scale < epsilon**2
    return Difference(f"d{key.name}[{key.layer}]", ratio, len(places), bool(ratio < AGREES or tiny))


def _places(g: Array) -> Iterator[tuple[int, ...]]:
    flat = np.unique([int(np.argmax(np.abs(g))), *np.linspace(0, g.size - 1, min(ELEMENTS, g.size)).astype(int)])
    for index in flat:
        yield tuple(int(i) for i in np.unravel_index(index, g.shape))


def _difference(key: Key, place: tuple[int, ...], at: Moment, cost: Callable[[Moment], float], epsilon: float) -> float:
    """(C(θ + ε e) − C(θ − ε e)) / 2ε, equation (F3)."""
    upper, lower = (cost(_moved(at, key, place, sign * epsilon)) for sign in (1.0, -1.0))
    return (upper - lower) / (2.0 * epsilon)


def _moved(at: Moment, key: Key, place: tuple[int, ...], by: float) -> Moment:
    parameters = [list(pair) for pair in at.parameters]
    array = parameters[key.layer - 1]["Wb".index(key.name)].copy()
    array[place] += by
    parameters[key.layer - 1]["Wb".index(key.name)] = array
    return replace(at, parameters=tuple((W, b) for W, b in parameters))
