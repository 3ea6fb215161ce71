"""Finds the layout of a subject, then calls it for every step of the experiment. Each trajectory has a new subject."""

import copy
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from bench.locate.bounds import unit_roundoff
from bench.locate.experiment import LARGE, Trajectory, experiment
from bench.locate.layout import Layout
from bench.locate.net import Net
from bench.locate.probe import layouts_left, method_of, observed, probe_of, ready, steps
from bench.locate.rules import START
from bench.locate.state import Given, Moment
from bench.locate.subject import REQUIRED, SECONDS, Asked, SubjectError


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
    made_for: Callable[[Net], Asked]
    """A new subject, made with the spec of a net and ready to be asked."""

    def make(self) -> Asked:
        """A new subject of this problem."""
        return self.made_for(self.net)


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


def surveys(subject: Any, name: str, net: Net, seconds: float = SECONDS) -> list[Survey]:
    """Ask at every moment: one survey, or one of each layout that neither shapes nor a probe rule out.

    Raises SubjectError: one line that says what the protocol expected.
    """
    made_for = partial(_new, subject, name, seconds)
    first = made_for(net)
    left = layouts_left(partial(made_for, net), first, net)
    return [_survey(partial(_ready, made_for, layout), first, layout) for layout in left]


def _new(subject: Any, name: str, seconds: float, net: Net) -> Asked:
    return Asked(factory_of(subject, net.spec), name, net, seconds)


def _ready(made_for: Callable[[Net], Asked], layout: Layout, net: Net) -> Asked:
    return ready(partial(made_for, net), layout)


def _survey(made_for: Callable[[Net], Asked], first: Asked, layout: Layout) -> Survey:
    name, net, dtype, make = first.name, first.net, first.dtype, partial(made_for, first.net)
    probe = probe_of(net, dtype)
    _check_round_trip(make(), probe)
    _check_same_answers(make(), probe)
    notes: dict[str, str] = {}
    seen = list(_all_along(make, experiment(net, dtype), notes))
    again = steps(make(), seen[0].trajectory.moments)
    _check_repeatable(name, seen[0], again)
    return Survey(name, net, layout, dtype, tuple(first.offered), tuple(seen), tuple(notes.values()), made_for)


def asked_again(survey: Survey, moments: Sequence[Sequence[Moment]], net: Net | None = None) -> Survey:
    """The same subject along other steps, of new ones each; or one that is made for another net.

    Raises SubjectError: where it cannot be asked so.
    """
    there = replace(survey, net=net or survey.net)
    trajectories = (Trajectory("again", tuple(some)) for some in moments)
    return replace(there, seen=tuple(_along(there.make, one, {}) for one in trajectories))


def _check_round_trip(asked: Asked, at: Moment) -> None:
    """What was put in must come out: nothing else could be believed."""
    asked.set(at)
    for l, (put, got) in enumerate(zip(at.parameters, asked.parameters(), strict=True), start=1):
        for name, one, other in zip("Wb", put, got, strict=True):
            if not np.allclose(one, other, rtol=8 * unit_roundoff("float32"), atol=1e-30):
                raise SubjectError(
                    f"{asked.name}: {name}[{l}] read by get_parameters() is not what set_parameters() was given "
                    f"(largest difference {np.max(np.abs(one - other)):.2g}); expected: the same numbers"
                )


def _check_same_answers(asked: Asked, at: Moment) -> None:
    """The same network is asked the same twice: what it says may depend on nothing else."""
    one, two = observed(asked, at), observed(asked, at)
    parted = [key for key in one if _differs(one[key], two[key])]
    if parted:
        raise SubjectError(
            f"{asked.name}.{method_of(parted[0])} gives another {parted[0]} when it is asked again with the same "
            "parameters and batch; expected: the same; remedy: no random numbers (dropout is switched off), and "
            "nothing that is kept from call to call (a gradient is cleared first)"
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
    moved = steps(stepping, trajectory.moments)
    told = [observed(watched, at) for at in trajectory.moments]
    notes.update({**stepping.notes, **watched.notes})
    return Seen(trajectory, tuple({**step, **other} for step, other in zip(moved, told, strict=True)))


def _check_repeatable(name: str, seen: Seen, again: Sequence[Given]) -> None:
    """Two new subjects must take the same steps from the same parameters.

    Raises SubjectError: where they do not.
    """
    pairs = zip(seen.trajectory.moments, again, seen.given, strict=True)
    parted = [(at.label, key) for at, one, given in pairs for key in one if _differs(one[key], given[key])]
    if parted:
        where, key = parted[0]
        raise SubjectError(
            f"{name}: two new networks take different steps from the same parameters ({key}, {where}); expected: the "
            "same; remedy: no random numbers in step(), and nothing that one object remembers and another sees"
        )


def check_forgets(seen: Survey) -> None:
    """Where the spec's optimizer remembers nothing, the same step is taken twice.

    Raises SubjectError: where it is not: what is drawn or kept looks like a wrong equation.
    """
    net, at = seen.net, seen.seen[0].trajectory.moments[0]
    if START[net.optimizer.name](net) or not isinstance(net.optimizer.learning_rate, float):
        return
    one, two = steps(seen.make(), [at, at])
    if any(_differs(one[key], two[key]) for key in one):
        raise SubjectError(
            f"{seen.name}.step(X, Y) takes another step when it is asked again with the same parameters and batch; "
            "expected: the same, as the spec's optimizer remembers nothing; remedy: no random numbers (dropout is "
            "switched off), and nothing that is kept from call to call"
        )


def _differs(one: Any, other: Any) -> bool:
    return not np.allclose(one, other, rtol=1e-5, atol=1e-12, equal_nan=True)
