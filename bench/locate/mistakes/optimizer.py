"""Mistakes in the update: the learning rate and its schedule, momentum, and each optimizer's own formula."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from bench.locate.mistakes.loss import full_size
from bench.locate.mistakes.mistake import Change, Entry, Equation, every, instead, times
from bench.locate.net import Array, Net
from bench.locate.rules import Going, Kept, Means, adam, going, quotient, rmsprop
from bench.locate.state import Key, State

Rule = Callable[..., tuple[Array, Kept]]
USUAL_MOMENTUM = 0.9


def uses(*names: str) -> Callable[[Net], bool]:
    """Whether the optimizer is one of these."""
    return lambda net: net.optimizer.name in names


def has_momentum(net: Net) -> bool:
    """SGD with momentum, without Nesterov's form."""
    return net.optimizer.name == "sgd" and bool(net.option("momentum")) and not net.option("nesterov")


def has_nesterov(net: Net) -> bool:
    """SGD with Nesterov's momentum."""
    return net.optimizer.name == "sgd" and bool(net.option("nesterov"))


def any_momentum(net: Net) -> bool:
    """SGD with momentum of either form."""
    return has_momentum(net) or has_nesterov(net)


def has_schedule(net: Net) -> bool:
    """Whether η changes from step to step."""
    return not isinstance(net.optimizer.learning_rate, float)


def by(rule: Rule) -> Change:
    """Another rule: a function of options, where the update starts, and what is remembered."""

    def update(s: State, key: Key) -> tuple[Array, Kept]:
        kept = s.memory[key] if key in s.memory else s.call("start", key)
        return rule(s.net.optimizer, going(s, key), *kept)

    return instead(update)


def _rate(id: str, cause: str, change: Change, fits: Callable[[Net], bool] = lambda net: True) -> Entry:
    return Entry(id, "update", cause, {"rate": change}, fits=fits)


def moved(factor: float, names: str = "Wb") -> Change:
    """W or b, or both, are moved by a multiple of the update."""

    def change(right: Equation) -> Equation:
        def wrong(s: State, key: Key) -> tuple[Array, Kept]:
            update, kept = right(s, key)
            return (update * factor if key.name in names else update), kept

        return wrong

    return change


def _rates_of_one(names: str, whose: str) -> list[Entry]:
    """Another rate for the weights, or for the biases."""
    factors = (("half", 0.5), ("double", 2.0), ("ten-times", 10.0), ("tenth", 0.1))
    return [
        Entry(
            f"{whose}-rate-{id}", "update", f"the rate of the {whose} is {factor:g} η", {"update": moved(factor, names)}
        )
        for id, factor in factors
    ]


def _accumulated(right: Equation) -> Equation:
    """Gradients of the steps before are never cleared."""

    def wrong(s: State, gradient: Mapping[Key, Array]) -> dict[Key, Array]:
        total = {}
        for key, g in gradient.items():
            store = Key(f"sum{key.name}", key.layer)
            total[key] = g + (s.memory[store][0] if store in s.memory else 0.0)
            s.remembered[store] = (total[key],)
        clipped: dict[Key, Array] = right(s, total)
        return clipped

    return wrong


RATE = [
    _rate("rate-twice", "the learning rate is multiplied in twice", lambda right: lambda s: right(s) ** 2),
    _rate("rate-missing", "the learning rate is left out", instead(lambda s: 1.0)),
    _rate(
        "rate-by-M",
        "the learning rate is divided by M, though the gradient is a mean already",
        times(lambda s: 1.0 / s.M),
    ),
    _rate("rate-times-M", "the learning rate is multiplied by M", times(lambda s: float(s.M))),
    _rate(
        "rate-by-full-size",
        "the rate of a short batch is divided by the size of a full one",
        times(lambda s: s.M / full_size(s)),
    ),
    _rate("ascent", "the gradient is added, not subtracted", times(-1.0)),
    _rate("rate-half", "the step is half as long", times(0.5)),
    _rate("rate-double", "the step is twice as long", times(2.0)),
    _rate(
        "schedule-one-step-ahead",
        "the schedule is read one step ahead",
        instead(lambda s: s.net.schedule(s.t)),
        has_schedule,
    ),
    _rate(
        "schedule-one-step-behind",
        "the schedule is read one step behind",
        instead(lambda s: s.net.schedule(max(s.t - 2, 0))),
        has_schedule,
    ),
    _rate(
        "schedule-stands-still", "the schedule is never advanced", instead(lambda s: s.net.schedule(0)), has_schedule
    ),
    *_rates_of_one("W", "weights"),
    *_rates_of_one("b", "biases"),
    Entry("biases-never-updated", "update", "the biases are never updated", {"update": moved(0.0, "b")}, every),
    Entry("weights-never-updated", "update", "the weights are never updated", {"update": moved(0.0, "W")}, every),
    Entry("layer-never-updated", "update", "the layer is never updated", {"update": moved(0.0)}, every),
    Entry(
        "gradients-never-cleared",
        "update",
        "the gradients of earlier steps are never cleared: they add up",
        {"clip": _accumulated},
    ),
]


def _momentum(id: str, cause: str, rule: Rule, fits: Callable[[Net], bool] = any_momentum) -> Entry:
    return Entry(id, "update", cause, {"update": by(rule)}, fits=fits)


def _of_one(name: str, change: Change) -> Change:
    """At W or at b alone."""

    def limited(right: Equation) -> Equation:
        wrong = change(right)
        return lambda s, key: (wrong if key.name == name else right)(s, key)

    return limited


def _for_each(entry: Entry) -> list[Entry]:
    """A wrong update of all parameters, of the weights alone, of the biases alone."""
    change = entry.changes["update"]
    parts = [("W", "weights"), ("b", "biases")]
    return [
        entry,
        *(
            replace(
                entry,
                id=f"{whose}-{entry.id}",
                cause=f"of the {whose} alone: {entry.cause}",
                changes={"update": _of_one(name, change)},
            )
            for name, whose in parts
        ),
    ]


def _velocity(o: Any, at: Going, v: Array) -> Array:
    velocity: Array = o.momentum * v - at.rate * at.g
    return velocity


def _finished(o: Any, at: Going, v: Array) -> tuple[Array, Kept]:
    """The update from a new velocity, in the spec's form."""
    return (o.momentum * v - at.rate * at.g if o.nesterov else v), (v,)


def _averaged(o: Any, at: Going, v: Array) -> tuple[Array, Kept]:
    return _finished(o, at, o.momentum * v - (1.0 - o.momentum) * at.rate * at.g)


def _averaged_twice(o: Any, at: Going, v: Array) -> tuple[Array, Kept]:
    new = o.momentum * v - (1.0 - o.momentum) * at.rate * at.g
    return (1.0 - o.momentum) * new, (new,)


def _swapped(o: Any, at: Going, v: Array) -> tuple[Array, Kept]:
    return _finished(o, at, (1.0 - o.momentum) * v - at.rate * at.g)


def _rate_outside(o: Any, at: Going, v: Array) -> tuple[Array, Kept]:
    new = o.momentum * v + at.g
    return -at.rate * (o.momentum * new + at.g if o.nesterov else new), (new,)


MOMENTUM = [
    _momentum(
        "momentum-missing",
        "the velocity is overwritten, not added to: momentum has no effect",
        lambda o, at, v: (-at.rate * at.g, (-at.rate * at.g,)),
    ),
    _momentum("momentum-averaged", "the gradient enters the velocity with a factor 1 − μ", _averaged),
    _momentum("momentum-averaged-twice", "the factor 1 − μ is applied twice", _averaged_twice),
    _momentum("momentum-swapped", "μ and 1 − μ are exchanged", _swapped),
    _momentum(
        "momentum-sign",
        "the velocity enters with the wrong sign",
        lambda o, at, v: _finished(o, at, -o.momentum * v - at.rate * at.g),
    ),
    _momentum(
        "velocity-one-step-late",
        "the parameters are moved by the velocity of the step before",
        lambda o, at, v: (v, (_velocity(o, at, v),)),
    ),
    _momentum(
        "velocity-not-damped",
        "the velocity is not multiplied by μ",
        lambda o, at, v: _finished(o, at, v - at.rate * at.g),
    ),
    _momentum(
        "velocity-without-rate",
        "the gradient enters the velocity without the learning rate",
        lambda o, at, v: _finished(o, at, o.momentum * v - at.g),
    ),
    _momentum(
        "velocity-and-gradient",
        "the parameters are moved by the velocity and by the gradient again",
        lambda o, at, v: (_velocity(o, at, v) - at.rate * at.g, (_velocity(o, at, v),)),
    ),
    _momentum(
        "nesterov-missing",
        "Nesterov's look-ahead is missing: plain momentum",
        lambda o, at, v: (_velocity(o, at, v), (_velocity(o, at, v),)),
        has_nesterov,
    ),
    _momentum(
        "nesterov-with-old-velocity",
        "Nesterov's look-ahead takes the old velocity",
        lambda o, at, v: (o.momentum * v - at.rate * at.g, (_velocity(o, at, v),)),
        has_nesterov,
    ),
    _momentum(
        "nesterov-unasked",
        "the update is Nesterov's, which the spec does not ask for",
        lambda o, at, v: (o.momentum * _velocity(o, at, v) - at.rate * at.g, (_velocity(o, at, v),)),
        has_momentum,
    ),
    Entry(
        "rate-outside-the-velocity",
        "update",
        "v ← μ v + g, and η is multiplied in afterwards: another path where η changes",
        {"update": by(_rate_outside)},
        fits=lambda net: any_momentum(net) and has_schedule(net),
        kind="convention",
    ),
]


def plain_sgd(net: Net) -> bool:
    """SGD without momentum."""
    return net.optimizer.name == "sgd" and not net.option("momentum")


def _unasked(id: str, cause: str, *, nesterov: bool) -> Entry:
    """With the factor that libraries and textbooks start with."""

    def rule(o: Any, at: Going, *kept: Array) -> tuple[Array, Kept]:
        move = -at.rate * at.g
        velocity = USUAL_MOMENTUM * kept[0] + move if kept else move
        return (USUAL_MOMENTUM * velocity + move if nesterov else velocity), (velocity,)

    return Entry(id, "update", cause, {"update": by(rule)}, fits=plain_sgd)


UNASKED = [
    _unasked("momentum-unasked", "the update has momentum 0.9, which the spec does not ask for", nesterov=False),
    _unasked(
        "nesterov-from-nothing",
        "the update has Nesterov's momentum 0.9, which the spec does not ask for",
        nesterov=True,
    ),
]


def _adam(**wrong: Any) -> Rule:
    """Adam with some of its parts otherwise, in whichever form its quotient has; the decay of AdamW is kept."""

    def rule(o: Any, at: Going, m: Array, s: Array) -> tuple[Array, Kept]:
        parts = {"of": lambda g: g**2, "corrections": _corrections, "root": np.sqrt, "over": lambda m, g: m, **wrong}
        m = o.beta_1 * m + (1.0 - o.beta_1) * at.g
        s = o.beta_2 * s + (1.0 - o.beta_2) * parts["of"](at.g)
        over = parts["over"](m, at.g)
        one, two = parts["corrections"](o, at.t)
        move = at.quotient(o, Means(over, s, one, two, parts["root"]))
        return -at.rate * move - at.rate * getattr(o, "weight_decay", 0.0) * at.theta, (m, s)

    return rule


def _corrections(o: Any, t: float) -> tuple[Any, Any]:
    """NumPy's numbers: where t is counted from 0, a quotient is infinite and no error."""
    return np.float64(1.0 - o.beta_1**t), np.float64(1.0 - o.beta_2**t)


def _swapped_betas(o: Any, at: Going, m: Array, s: Array) -> tuple[Array, Kept]:
    swapped = o.model_copy(update={"beta_1": o.beta_2, "beta_2": o.beta_1})
    return _adam()(swapped, at, m, s)


def _epsilon_inside(o: Any, at: Going, m: Array, s: Array) -> tuple[Array, Kept]:
    without = o.model_copy(update={"epsilon": 0.0})
    return _adam(root=lambda square: np.sqrt(square + o.epsilon))(without, at, m, s)


def _without_square(o: Any, at: Going, m: Array, s: Array) -> tuple[Array, Kept]:
    _, (m, s) = adam(o, at, m, s)
    decay = at.rate * getattr(o, "weight_decay", 0.0) * at.theta
    return -at.rate * m / _corrections(o, at.t)[0] - decay, (m, s)


def _of_paper(s: State, o: Any, means: Means) -> Array:
    """m̂ / (√ŝ + ε) of (D19)."""
    found: Array = means.mean / means.of_mean / (means.root(means.square / means.of_square) + o.epsilon)
    return found


def _with_epsilon(value: float, form: Equation) -> Change:
    return instead(lambda s, o, means: form(s, o.model_copy(update={"epsilon": value}), means))


def _form(id: str, cause: str, change: Change) -> Entry:
    return Entry(id, "update", cause, {"quotient": change}, fits=uses("adam", "adamw"), kind="convention")


def _counted(right: Equation) -> Equation:
    """The count of steps grows with each tensor."""

    def wrong(s: State, key: Key) -> tuple[Array, Kept]:
        held, per_step = s.t, 2 * s.net.depth
        s.t = (held - 1) * per_step + 2 * (key.layer - 1) + "Wb".index(key.name) + 1
        try:
            found: tuple[Array, Kept] = right(s, key)
            return found
        finally:
            s.t = held

    return wrong


def _shifted(by_steps: int) -> Change:
    def change(right: Equation) -> Equation:
        def wrong(s: State, key: Key) -> tuple[Array, Kept]:
            held = s.t
            s.t = held + by_steps
            try:
                found: tuple[Array, Kept] = right(s, key)
                return found
            finally:
                s.t = held

        return wrong

    return change


def _constant_rate(net: Net) -> bool:
    return uses("adam", "adamw")(net) and not has_schedule(net)


def _adams(id: str, cause: str, rule: Rule) -> Entry:
    return Entry(id, "update", cause, {"update": by(rule)}, fits=uses("adam", "adamw"))


ADAM = [
    _adams(
        "adam-without-the-power",
        "the corrections of the bias have β, not β to the power t",
        _adam(corrections=lambda o, t: _corrections(o, 1)),
    ),
    _adams("adam-not-corrected", "the bias of both means is not corrected", _adam(corrections=lambda o, t: (1.0, 1.0))),
    _adams(
        "adam-mean-not-corrected",
        "the bias of the mean is not corrected",
        _adam(corrections=lambda o, t: (1.0, _corrections(o, t)[1])),
    ),
    _adams(
        "adam-square-not-corrected",
        "the bias of the mean square is not corrected",
        _adam(corrections=lambda o, t: (_corrections(o, t)[0], 1.0)),
    ),
    _adams(
        "adam-correction-multiplied",
        "the means are multiplied by the corrections, not divided",
        _adam(corrections=lambda o, t: tuple(np.float64(1.0) / one for one in _corrections(o, t))),
    ),
    _adams(
        "adam-corrections-swapped",
        "the corrections of the bias of the two means are exchanged",
        _adam(corrections=lambda o, t: _corrections(o, t)[::-1]),
    ),
    _adams("epsilon-inside-the-root", "ε stands inside the root", _epsilon_inside),
    _adams("adam-without-root", "the root of the mean square is missing", _adam(root=lambda square: square)),
    _adams(
        "adam-without-mean",
        "the gradient is used in place of its mean",
        _adam(over=lambda m, g: g, corrections=lambda o, t: (1.0, _corrections(o, t)[1])),
    ),
    _adams(
        "adam-without-square",
        "the update is the corrected mean alone, not divided by anything",
        _without_square,
    ),
    _adams("adam-gradient-not-squared", "the second mean is that of |g|, not of g²", _adam(of=np.abs)),
    _adams("adam-betas-swapped", "β₁ and β₂ are exchanged", _swapped_betas),
    Entry("adam-count-from-0", "update", "t is counted from 0", {"update": _shifted(-1)}, fits=_constant_rate),
    Entry("adam-count-from-2", "update", "t is counted one step ahead", {"update": _shifted(1)}, fits=_constant_rate),
    Entry(
        "adam-count-of-tensors",
        "update",
        "t grows with each tensor, not with each step",
        {"update": _counted},
        fits=_constant_rate,
    ),
    _form(
        "adam-epsilon-of-algorithm-1",
        "ε is that of (D19), as in PyTorch, not ε̂ of (D20), as in Keras",
        instead(_of_paper),
    ),
    _form("adam-epsilon-1e-8", "ε is 1e-8, and that of (D19), as in PyTorch", _with_epsilon(1e-8, _of_paper)),
    _form("adam-epsilon-1e-8-hat", "ε is 1e-8, not that of the spec", _with_epsilon(1e-8, quotient)),
]


def _decay(id: str, cause: str, rule: Rule) -> Entry:
    return Entry(id, "update", cause, {"update": by(rule)}, fits=uses("adamw"))


def _through_gradient(o: Any, at: Going, m: Array, s: Array) -> tuple[Array, Kept]:
    return adam(o, replace(at, g=at.g + o.weight_decay * at.theta), m, s)


def _decay_after(o: Any, at: Going, m: Array, s: Array) -> tuple[Array, Kept]:
    move, kept = adam(o, at, m, s)
    return move - at.rate * o.weight_decay * (at.theta + move), kept


def _decay_of_weights(right: Equation) -> Equation:
    def wrong(s: State, key: Key) -> tuple[Array, Kept]:
        if key.name == "W":
            found: tuple[Array, Kept] = right(s, key)
            return found
        kept = s.memory[key] if key in s.memory else s.call("start", key)
        return adam(s.net.optimizer, going(s, key), *kept)

    return wrong


def _plus(decay: Callable[[Any, Going], Array]) -> Rule:
    def rule(o: Any, at: Going, m: Array, s: Array) -> tuple[Array, Kept]:
        move, kept = adam(o, at, m, s)
        return move - decay(o, at), kept

    return rule


ADAMW = [
    _decay("decay-missing", "the weights do not decay", adam),
    _decay(
        "decay-through-gradient", "the decay is added to the gradient, as L2, and not to the step", _through_gradient
    ),
    _decay(
        "decay-without-rate",
        "the decay is not multiplied by the learning rate",
        _plus(lambda o, at: o.weight_decay * at.theta),
    ),
    _decay("decay-sign", "the weights grow, not decay", _plus(lambda o, at: -at.rate * o.weight_decay * at.theta)),
    Entry(
        "decay-after-the-step",
        "update",
        "the decay is taken of the weights after Adam's step",
        {"update": by(_decay_after)},
        fits=uses("adamw"),
        kind="convention",
    ),
    Entry(
        "decay-of-weights-only",
        "update",
        "the biases do not decay; in Keras they do",
        {"update": _decay_of_weights},
        fits=uses("adamw"),
        kind="convention",
    ),
]


def _rms(quotient: Callable[[Any, Going, Array], Array], square: Callable[[Any, Going, Array], Array]) -> Change:
    """RMSprop without mean and momentum, or Adagrad, with another quotient or another sum of squares."""

    def rule(o: Any, at: Going, s: Array, *rest: Array) -> tuple[Array, Kept]:
        new = square(o, at, s)
        return quotient(o, at, new), (new, *rest)

    return by(rule)


def _mean_square(o: Any, at: Going, s: Array) -> Array:
    mean: Array = o.rho * s + (1.0 - o.rho) * at.g**2
    return mean


def _sum_of_squares(o: Any, at: Going, s: Array) -> Array:
    total: Array = s + at.g**2
    return total


def _inside(o: Any, at: Going, s: Array) -> Array:
    move: Array = -at.rate * at.g / np.sqrt(s + o.epsilon)
    return move


def _outside(o: Any, at: Going, s: Array) -> Array:
    move: Array = -at.rate * at.g / (np.sqrt(s) + o.epsilon)
    return move


def _no_root(o: Any, at: Going, s: Array) -> Array:
    move: Array = -at.rate * at.g / (s + o.epsilon)
    return move


def plain_rms(net: Net) -> bool:
    """RMSprop that is neither centred nor has momentum."""
    return net.optimizer.name == "rmsprop" and not net.option("centered") and not net.option("momentum")


def _start_at(value: float) -> Change:
    return lambda right: lambda s, key: tuple(np.full_like(one, value) for one in right(s, key))


def _root_of(id: str, cause: str, change: Change, fits: Callable[[Net], bool], kind: Any = "mistake") -> Entry:
    return Entry(id, "update", cause, {"update": change}, fits=fits, kind=kind)


ROOTS = [
    _root_of(
        "rms-epsilon-outside",
        "ε stands outside the root, as in PyTorch; in Keras it stands inside",
        by(partial(rmsprop, root=lambda variance, epsilon: np.sqrt(variance) + epsilon)),
        uses("rmsprop"),
        "convention",
    ),
    _root_of("rms-without-root", "the root of the mean square is missing", _rms(_no_root, _mean_square), plain_rms),
    _root_of(
        "rms-swapped",
        "ρ and 1 − ρ are exchanged",
        _rms(_inside, lambda o, at, s: (1 - o.rho) * s + o.rho * at.g**2),
        plain_rms,
    ),
    _root_of(
        "rms-not-squared",
        "the mean is that of |g|, not of g²",
        _rms(_inside, lambda o, at, s: o.rho * s + (1 - o.rho) * np.abs(at.g)),
        plain_rms,
    ),
    _root_of(
        "rms-summed",
        "the squares are summed and never forgotten, as in Adagrad",
        _rms(_inside, _sum_of_squares),
        plain_rms,
    ),
    _root_of(
        "rms-without-weight",
        "g² enters the mean without the factor 1 − ρ",
        _rms(_inside, lambda o, at, s: o.rho * s + at.g**2),
        plain_rms,
    ),
    _root_of(
        "rms-one-step-late",
        "the mean square is that before this step",
        by(lambda o, at, s: (_inside(o, at, s), (_mean_square(o, at, s),))),
        plain_rms,
    ),
    _root_of(
        "adagrad-epsilon-outside",
        "ε stands outside the root, as in (D14); in Keras it stands inside",
        _rms(_outside, _sum_of_squares),
        uses("adagrad"),
        "convention",
    ),
    _root_of(
        "adagrad-without-root", "the root of the sum is missing", _rms(_no_root, _sum_of_squares), uses("adagrad")
    ),
    _root_of(
        "adagrad-not-summed",
        "the squares are overwritten, not added up",
        _rms(_inside, lambda o, at, s: at.g**2),
        uses("adagrad"),
    ),
    _root_of(
        "adagrad-not-squared",
        "the sum is that of |g|, not of g²",
        _rms(_inside, lambda o, at, s: s + np.abs(at.g)),
        uses("adagrad"),
    ),
    Entry(
        "adagrad-starts-at-0",
        "update",
        "the sum of squares starts at 0, as in (D14); in Keras it starts at 0.1",
        {"start": _start_at(0.0)},
        fits=uses("adagrad"),
        kind="convention",
    ),
    Entry(
        "adagrad-textbook",
        "update",
        "the sum starts at 0 and ε stands outside the root: (D14), not Keras's (D15)",
        {"start": _start_at(0.0), "update": _rms(_outside, _sum_of_squares)},
        fits=uses("adagrad"),
        kind="convention",
    ),
]

OPTIMIZER = [*RATE, *(part for entry in MOMENTUM for part in _for_each(entry)), *UNASKED, *ADAM, *ADAMW, *ROOTS]
