"""Finds the layout in which a subject is called: from its shapes, or by a probe, one batch tried in each layout."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from bench.core.errors import UnusableError
from bench.locate.equations import REFERENCE
from bench.locate.experiment import SEED, batch_sizes, moment, rounded
from bench.locate.layout import EXAMPLES, Layout, has_no_biases, layouts
from bench.locate.net import Array, Net
from bench.locate.state import Given, Key, Moment, step
from bench.locate.subject import Asked, SubjectError

CLOSE = 1e-3
"""The largest sine of an angle between two tensors of one direction."""
MISFITS = ("matmul", "not aligned", "broadcast", "mat1 and mat2", "dot_general")
"""What an error says where arrays have another layout than the subject's: it is told where nothing else is."""
METHODS = {"Z": "forward(X)", "A": "forward(X)", "cost": "cost(X, Y)", "delta": "errors(X, Y)"}
"""Name of a tensor → the method that reports it; of all others it is `gradients`."""
LISTS = (("Z",), ("A",), ("delta",), ("dW", "db"))
"""Tensors of which a subject lists one a layer."""


def method_of(key: Key) -> str:
    """The method that reports a tensor."""
    return METHODS.get(key.name, "gradients(X, Y)")


def ready(make: Callable[[], Asked], layout: Layout) -> Asked:
    """A new subject that is asked in that layout."""
    asked = make()
    asked.layout = layout
    return asked


def observed(asked: Asked, at: Moment) -> dict[Key, Any]:
    """What it reports at that moment."""
    asked.set(at)
    return asked.observe(at)


def steps(asked: Asked, moments: Sequence[Moment]) -> list[dict[Key, Any]]:
    """The updates, and the cost where `step` returns it."""
    found = []
    for at in moments:
        asked.set(at)
        before = asked.parameters()
        cost = asked.step(at)
        tensors = {} if cost is None else {Key("cost"): np.asarray(cost)}
        for l, (old, new) in enumerate(zip(before, asked.parameters(), strict=True), start=1):
            tensors |= {Key(f"u{name}", l): b - a for name, a, b in zip("Wb", old, new, strict=True)}
        found.append(tensors)
    return found


def probe_of(net: Net, dtype: str) -> Moment:
    """A batch whose size is no width, so that shapes say what is an example."""
    sizes = [size for size in (*batch_sizes(net), *range(2, 40)) if size not in net.widths]
    size = sizes[0] if net.spec.batch_size > 1 else 1
    return rounded(moment(net, np.random.default_rng(SEED + 1), size, "probe"), dtype)


class Reading(NamedTuple):
    """A subject's answers in one layout. agreeing : how many have the direction that the reference has.

    backwards : the methods whose lists begin with the last layer; `given` has them turned round.
    """

    given: Given
    agreeing: int
    backwards: tuple[str, ...]


def layouts_left(make: Callable[[], Asked], first: Asked, net: Net) -> list[Layout]:
    """The one in which most tensors have the direction that the reference has; all that are left where few have.

    A mistake in one equation turns the tensors of that equation alone: the reference is fed what was reported.

    Raises SubjectError: there is no such layout, or layers are listed from the last to the first.
    """
    at = probe_of(net, first.dtype)
    readings = {layout: _reading(net, at, given) for layout, given in _answers(make, first, net).items()}
    most = max(reading.agreeing for reading in readings.values())
    best = {layout: reading for layout, reading in readings.items() if reading.agreeing == most}
    left = [layout for layout, reading in best.items() if not layout.last_first and not reading.backwards]
    if not left:
        layout, reading = next(iter(best.items()))
        raise SubjectError(_backwards(first, "get_parameters()" if layout.last_first else reading.backwards[0]))
    if 2 * most <= len(best[left[0]].given):  # a network that is so wrong may fit another layout by chance
        left = [layout for layout, one in readings.items() if not layout.last_first and not one.backwards]
    given = [readings[layout].given for layout in left]
    return [layout for n, layout in enumerate(left) if not any(_same(given[n], other) for other in given[:n])]


def _answers(make: Callable[[], Asked], first: Asked, net: Net) -> dict[Layout, Given]:
    """What the subject says in each layout in which it can be asked."""
    at, faults, answers = probe_of(net, first.dtype), dict[str, str](), dict[Layout, Given]()
    candidates = layouts(first.arrays, net, first.said)
    if candidates and all(layout.last_first for layout in candidates):
        raise SubjectError(_backwards(first, "get_parameters()"))
    for layout in candidates:
        asked = ready(make, layout)
        try:
            answers[layout] = {**observed(asked, at), **steps(asked, [at])[0]}
        except UnusableError as error:
            faults.setdefault(layout.examples, str(error))
    if not answers:
        told = {way: fault for way, fault in faults.items() if not any(sign in fault for sign in MISFITS)} or faults
        words = [f"with {way} as examples: {told[way]}" for way in EXAMPLES if way in told]
        raise SubjectError("; ".join(words) or _no_layout(first, net))
    return answers


def _backwards(first: Asked, method: str) -> str:
    return f"{first.name}.{method} begins with the last layer; expected: layers from the first to the last"


def _no_layout(first: Asked, net: Net) -> str:
    shapes = ", ".join(str(array.shape) for array in first.arrays) or "none"
    wanted = ", ".join(f"W[{l}] ({net.widths[l]}, {net.widths[l - 1]})" for l in net.layers)
    told = f"{first.name}.get_parameters() has arrays of shapes {shapes}"
    if has_no_biases(first.arrays, net):
        return f"{told}: weights and no biases; expected: a bias for each neuron; remedy: add them, as every spec does"
    return (
        f"{told}; the spec {net.spec.name!r} has {wanted} and a bias for each neuron, alone or inside W; "
        "remedy: a spec that describes this network"
    )


def _reading(net: Net, at: Moment, given: Given) -> Reading:
    """Each list in the order in which more tensors agree: layers of equal width fit in both."""
    reading = Reading(given, _agreeing(net, at, given), ())
    for names in LISTS:
        other = {**reading.given, **_turned(names, net, given)}
        agreeing = _agreeing(net, at, other)
        if agreeing > reading.agreeing:
            reading = Reading(other, agreeing, (*reading.backwards, method_of(Key(names[0]))))
    return reading


def _agreeing(net: Net, at: Moment, given: Given) -> int:
    """How many tensors have the direction that the reference has."""
    expected = step(net, REFERENCE, at, given, {}, 1).expected
    return sum(_is_close(value, expected[key]) for key, value in given.items())


def _is_close(value: Array, expected: Array) -> bool:
    """Whether they have one direction: no factor and no sign matters; of single numbers, whether they are close."""
    one, other = np.ravel(value), np.ravel(expected)
    if one.size == 1:
        return bool(np.abs(one - other) <= CLOSE * np.abs(other))
    size, norm = float(np.linalg.norm(one)), float(np.linalg.norm(other))
    if not (np.isfinite(size) and np.isfinite(norm) and size and norm):
        return False
    one, other = one / size, other / norm
    return float(np.linalg.norm(one - (one @ other) * other)) < CLOSE


def _turned(names: Sequence[str], net: Net, given: Given) -> dict[Key, Array]:
    """These tensors with their layers in the other order; none where that does not fit."""
    keys = [Key(name, l) for name in names for l in net.layers]
    if any(key not in given for key in keys):
        return {}
    turned = {key: given[Key(key.name, net.depth + 1 - key.layer)] for key in keys}
    return turned if all(other.shape == given[key].shape for key, other in turned.items()) else {}


def _same(one: Given, other: Given) -> bool:
    return all(np.allclose(one[key], other[key], rtol=1e-5, atol=1e-12, equal_nan=True) for key in one)
