"""In which layout a subject is asked: its shapes say it, else a probe, one batch at which each layout is tried."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

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
METHODS = {"Z": "forward(X)", "A": "forward(X)", "cost": "cost(X, Y)", "delta": "errors(X, Y)"}
"""Name of a tensor → the method that reports it; of all others it is `gradients`."""
BACKWARDS = "begins with the last layer; expected: from the first layer to the last, "
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


def layouts_left(make: Callable[[], Asked], first: Asked, net: Net) -> list[Layout]:
    """Those in which most tensors have the direction that the reference has; more than one where that does not decide.

    A mistake in one equation turns the tensors of that equation alone: the reference is fed what was reported.
    """
    at, answers = probe_of(net, first.dtype), _answers(make, first, net)
    scores = {layout: _agreeing(net, at, given) for layout, given in answers.items()}
    most = max(scores.values())
    best = [layout for layout, score in scores.items() if score == most]
    left = [layout for layout in best if not layout.last_first]
    if not left:
        raise SubjectError(_backwards(first, net))
    for layout in left:
        _check_order(first.name, net, at, answers[layout])
    return [one for n, one in enumerate(left) if not any(_same(answers[one], answers[two]) for two in left[:n])]


def _answers(make: Callable[[], Asked], first: Asked, net: Net) -> dict[Layout, Given]:
    """What the subject says in each layout in which it can be asked."""
    at, faults, answers = probe_of(net, first.dtype), dict[str, str](), dict[Layout, Given]()
    candidates = layouts(first.arrays, net, first.said)
    if candidates and all(layout.last_first for layout in candidates):
        raise SubjectError(_backwards(first, net))
    for layout in candidates:
        asked = ready(make, layout)
        try:
            answers[layout] = {**observed(asked, at), **steps(asked, [at])[0]}
        except UnusableError as error:
            faults.setdefault(layout.examples, str(error))
    if not answers:
        words = [f"with {way} as examples: {faults[way]}" for way in EXAMPLES if way in faults]
        raise SubjectError("; ".join(words) or _no_layout(first, net))
    return answers


def _backwards(first: Asked, net: Net) -> str:
    return f"{first.name}.get_parameters() {BACKWARDS}W[1] and b[1] to W[{net.depth}] and b[{net.depth}]"


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


def _check_order(name: str, net: Net, at: Moment, given: Given) -> None:
    """Layers of equal width fit in both orders."""
    for names in LISTS:
        turned = _turned(names, net, given)
        if turned and _of_lists(net, at, given, turned) > _of_lists(net, at, given, dict.fromkeys(turned)):
            method, L = method_of(Key(names[0])), net.depth
            raise SubjectError(f"{name}.{method} {BACKWARDS}{names[0]}[1] to {names[0]}[{L}]")


def _turned(names: Sequence[str], net: Net, given: Given) -> dict[Key, Array]:
    """These tensors with their layers in the other order; none where that does not fit."""
    keys = [Key(name, l) for name in names for l in net.layers]
    if any(key not in given for key in keys):
        return {}
    turned = {key: given[Key(key.name, net.depth + 1 - key.layer)] for key in keys}
    return turned if all(other.shape == given[key].shape for key, other in turned.items()) else {}


def _of_lists(net: Net, at: Moment, given: Given, others: Mapping[Key, Array | None]) -> int:
    """How many of these tensors agree, with others in their places."""
    changed = {**given, **{key: other for key, other in others.items() if other is not None}}
    expected = step(net, REFERENCE, at, changed, {}, 1).expected
    return sum(_is_close(changed[key], expected[key]) for key in others)


def _same(one: Given, other: Given) -> bool:
    return all(np.allclose(one[key], other[key], rtol=1e-5, atol=1e-12, equal_nan=True) for key in one)
