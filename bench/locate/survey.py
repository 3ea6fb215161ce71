"""Asks a subject at every moment of the experiment, each trajectory of a new one, and finds out its layout first."""

import copy
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bench.core.errors import UnusableError
from bench.locate.bounds import unit_roundoff
from bench.locate.equations import REFERENCE
from bench.locate.experiment import LARGE, SEED, Trajectory, batch_sizes, experiment, moment, rounded
from bench.locate.layout import EXAMPLES, Layout, layouts
from bench.locate.net import Net
from bench.locate.state import Given, Key, Moment, step
from bench.locate.subject import REQUIRED, SECONDS, Asked, SubjectError

CLOSE = 1e-3
"""Two layouts are told apart by how many tensors are so close to the reference."""


@dataclass(frozen=True)
class Seen:
    """What a subject reported along one trajectory: for each moment, its tensors."""

    trajectory: Trajectory
    given: tuple[Given, ...]


@dataclass(frozen=True)
class Survey:
    """All that a subject reported, and how it was asked."""

    name: str
    net: Net
    layout: Layout
    dtype: str
    offered: tuple[str, ...]
    seen: tuple[Seen, ...]
    notes: tuple[str, ...]
    make: Callable[[], Asked]
    """A new subject, ready to be asked."""


def factory_of(subject: Any, spec: Any) -> Any:
    """What makes a new subject: a class or function, called with the spec if it takes one; else copies of an object."""
    has = [hasattr(subject, name) for name in REQUIRED]
    if (not callable(subject) and not all(has)) or (inspect.isclass(subject) and not any(has)):
        return lambda: subject  # which says what is missing
    if not callable(subject) or (not inspect.isclass(subject) and all(has)):
        return lambda: copy.deepcopy(subject)
    try:
        parameters = inspect.signature(subject).parameters.values()
    except (TypeError, ValueError):
        return subject
    positional = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    takes_it = any(one.name == "spec" for one in parameters) or any(one.default is one.empty for one in positional)
    return (lambda: subject(spec)) if takes_it else subject


def survey(subject: Any, name: str, net: Net, seconds: float = SECONDS) -> Survey:
    """Ask at every moment.

    Raises
    ------
    SubjectError
        One line that says what the protocol expected.
    """
    make = partial(Asked, factory_of(subject, net.spec), name, net, seconds)
    first = make()
    dtype, layout = first.dtype, _layout(make, first, net)
    make_ready = partial(_ready, make, layout)
    probe = rounded(_probe(net), dtype)
    _check_round_trip(make_ready(), probe, dtype)
    _check_same_answers(make_ready(), probe)
    notes: dict[str, str] = {}
    seen = list(_all_along(make_ready, experiment(net, dtype), notes))
    again = _steps(make_ready(), seen[0].trajectory.moments)
    _check_repeatable(name, seen[0], again)
    return Survey(name, net, layout, dtype, tuple(first.offered), tuple(seen), tuple(notes.values()), make_ready)


def _ready(make: Callable[[], Asked], layout: Layout) -> Asked:
    asked = make()
    asked.layout = layout
    return asked


def _probe(net: Net) -> Moment:
    """A batch whose size is no width, so that shapes say what is an example."""
    sizes = [size for size in (*batch_sizes(net), *range(2, 40)) if size not in net.widths]
    return moment(net, np.random.default_rng(SEED + 1), sizes[0] if net.spec.batch_size > 1 else 1, "probe")


def _layout(make: Callable[[], Asked], first: Asked, net: Net) -> Layout:
    """The layout in which the subject can be asked; of several, the one that comes nearest to the reference."""
    candidates = layouts(first.arrays, net, first.said)
    if not candidates:
        raise SubjectError(_no_layout(first, net))
    at, faults, scores = rounded(_probe(net), first.dtype), dict[str, str](), dict[Layout, tuple[int, float]]()
    for layout in candidates:
        asked = _ready(make, layout)
        try:
            scores[layout] = _score(net, at, {**_observed(asked, at), **_steps(asked, [at])[0]})
        except UnusableError as error:
            faults.setdefault(layout.examples, str(error))
    if not scores:
        words = [f"with {way} as examples: {faults[way]}" for way in EXAMPLES if way in faults]
        raise SubjectError("; ".join(words))
    return max(scores, key=lambda layout: scores[layout])


def _no_layout(first: Asked, net: Net) -> str:
    shapes = ", ".join(str(array.shape) for array in first.arrays) or "none"
    wanted = ", ".join(f"W[{l}] ({net.widths[l]}, {net.widths[l - 1]})" for l in net.layers)
    return (
        f"{first.name}.get_parameters() has arrays of shapes {shapes}; the spec {net.spec.name!r} has {wanted} "
        "and a bias for each neuron, alone or inside W; remedy: a spec that describes this network"
    )


def _score(net: Net, at: Moment, given: Given) -> tuple[int, float]:
    """How many tensors are close to the reference, and how close they are in the middle."""
    expected = step(net, REFERENCE, at, {}, {}, 1).expected
    apart = [_apart(value, expected[key]) for key, value in given.items()]
    return sum(one < CLOSE for one in apart), -float(np.median(np.minimum(apart, 1e3)))


def _apart(value: Any, expected: Any) -> float:
    difference = float(np.linalg.norm(value - expected))
    scale = float(np.linalg.norm(expected)) or 1.0
    return difference / scale if np.isfinite(difference) else np.inf


def _check_round_trip(asked: Asked, at: Moment, dtype: str) -> None:
    """What was put in must come out: nothing else could be believed."""
    asked.set(at)
    for l, (put, got) in enumerate(zip(at.parameters, asked.parameters(), strict=True), start=1):
        for name, one, other in zip("Wb", put, got, strict=True):
            if not np.allclose(one, other, rtol=8 * unit_roundoff("float32"), atol=1e-30):
                raise SubjectError(
                    f"{asked.name}: {name}[{l}] read by get_parameters() is not what set_parameters() was given "
                    f"(largest difference {np.max(np.abs(one - other)):.2g}); expected: the same numbers"
                )


METHODS = {"Z": "forward(X)", "A": "forward(X)", "cost": "cost(X, Y)", "delta": "errors(X, Y)"}
"""Name of a tensor → the method that reports it; of all others it is `gradients`."""


def _check_same_answers(asked: Asked, at: Moment) -> None:
    """The same network is asked the same twice: what it says may depend on nothing else."""
    one, two = _observed(asked, at), _observed(asked, at)
    parted = [key for key in one if _differs(one[key], two[key])]
    if parted:
        method = METHODS.get(parted[0].name, "gradients(X, Y)")
        raise SubjectError(
            f"{asked.name}.{method} gives another {parted[0]} when it is asked again with the same parameters and "
            "batch; expected: the same; remedy: no random numbers (dropout is switched off), and nothing that is kept "
            "from call to call (a gradient is cleared first)"
        )


def _all_along(make: Callable[[], Asked], trajectories: Sequence[Trajectory], notes: dict[str, str]) -> Iterator[Seen]:
    """Large inputs are left out where the subject raises: its range is limited, its equations may be right."""
    finite = True
    for trajectory in trajectories:
        if trajectory.label == LARGE and not finite:  # then no overflow is to be found
            continue
        try:
            seen = _along(make, trajectory, notes)
            finite &= all(bool(np.isfinite(array).all()) for given in seen.given for array in given.values())
            yield seen
        except SubjectError as error:
            if trajectory.label != LARGE:
                raise
            notes["large"] = f"large weighted inputs are left out, for with them {error}"


def _along(make: Callable[[], Asked], trajectory: Trajectory, notes: dict[str, str]) -> Seen:
    """Steps of one new subject; what another new one reports without ever taking a step."""
    stepping, watched = make(), make()
    moved = _steps(stepping, trajectory.moments)
    told = [_observed(watched, at) for at in trajectory.moments]
    notes.update({**stepping.notes, **watched.notes})
    return Seen(trajectory, tuple({**step, **other} for step, other in zip(moved, told, strict=True)))


def _observed(asked: Asked, at: Moment) -> dict[Key, Any]:
    asked.set(at)
    return asked.observe(at)


def _steps(asked: Asked, moments: Sequence[Moment]) -> list[dict[Key, Any]]:
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


def _check_repeatable(name: str, seen: Seen, again: Sequence[Given]) -> None:
    """Two new subjects must take the same steps from the same parameters.

    Raises
    ------
    SubjectError
        Where they do not.
    """
    pairs = zip(seen.trajectory.moments, again, seen.given, strict=True)
    parted = [(at.label, key) for at, one, given in pairs for key in one if _differs(one[key], given[key])]
    if parted:
        where, key = parted[0]
        raise SubjectError(
            f"{name}: two new networks take different steps from the same parameters ({key}, {where}); expected: the "
            "same; remedy: no random numbers in step(), and nothing that one object remembers and another sees"
        )


def _differs(one: Any, other: Any) -> bool:
    return not np.allclose(one, other, rtol=1e-5, atol=1e-12, equal_nan=True)
