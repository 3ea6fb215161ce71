"""The derivation's equations as a table, computed by scratchnet's own activations, losses and regularizer in float64.

A test demands that they equal `scratchnet.formulations`, `Network.gradient` and the optimizers.
"""

from collections.abc import Mapping

import numpy as np

from bench.locate.net import Array
from bench.locate.rules import START, quotient, update
from bench.locate.state import Equations, Key, State
from scratchnet.losses import CategoricalCrossentropy, CrossEntropy

SAME = 1e-6
"""Activations nearer than that to f(Z) are f(Z), in float32 too."""


def weighted_input(s: State, l: int) -> Array:
    """Z[l] = W A + b."""
    return s.W(l) @ s.A(l - 1) + s.b(l)[:, None]  # (18)


def f(s: State, l: int, Z: Array) -> Array:
    """f(Z) of layer l."""
    A = np.empty_like(Z)
    s.net.activation(l)(Z.shape, Z.dtype).forward(Z, A)
    return A  # (20)


def times_slope(s: State, l: int, Z: Array, G: Array) -> Array:
    """G · ∂A/∂Z of layer l for each example: f'(Z) ⊙ G where f is element-wise."""
    A, out = np.empty_like(Z), np.empty_like(Z)
    activation = s.net.activation(l)(Z.shape, Z.dtype)
    activation.forward(Z, A)
    activation.jacobian_product(A, G, out)
    return out  # (26) to (31)


def times_slope_of_activation(s: State, l: int, A: Array, G: Array) -> Array:
    """As `times_slope`, from these activations, which need not be f(Z)."""
    scratch, out = np.empty_like(A), np.empty_like(A)
    activation = s.net.activation(l)(A.shape, A.dtype)
    activation.forward(s.Z(l), scratch)
    activation.jacobian_product(A, G, out)
    return out  # (26) to (31)


def error_through(s: State, l: int, G: Array) -> Array:
    """G · ∂A/∂Z. Of activations that are wrong, f' may be computed from them or from Z: whichever was done is right."""
    delta: Array = s.call("f'", l, s.Z(l), G)
    given = s.given.get(Key("delta", l))
    if given is None or Key("A", l) not in s.given or l in s.moment.masks:
        return delta
    if np.allclose(s.A(l), f(s, l, s.Z(l)), rtol=SAME, atol=SAME, equal_nan=True):
        return delta
    other = times_slope_of_activation(s, l, s.A(l), G)
    return min((delta, other), key=lambda one: float(np.nan_to_num(np.linalg.norm(one - given), nan=np.inf)))


def kept(s: State, l: int) -> Array | float:
    """The factor of dropout: mask / (1 − p)."""
    mask = s.moment.masks.get(l)
    return 1.0 if mask is None else mask / (1.0 - s.net.dropout[l - 1])  # (D35)


def activation(s: State, l: int) -> Array:
    """A[l] = f(Z[l]), with dropout."""
    values: Array = s.call("f", l, s.Z(l)) * s.call("(D35)", l)
    return values  # (20)


def targets(s: State) -> Array:
    """Y after label smoothing."""
    return s.net.loss.smooth(s.Y)


def losses(s: State) -> Array:
    """ℓ of each example, (M,)."""
    Y, loss = s.call("targets"), s.net.loss
    Z, A = s.Z(s.net.depth), s.A(s.net.depth)
    if not isinstance(loss, CrossEntropy):
        return loss.per_example(A, Y)  # (22)
    found = loss.per_example(Z, Y)  # (22)
    if Key("A", s.net.depth) not in s.given or np.allclose(A, f(s, s.net.depth, Z), rtol=SAME, atol=SAME):
        return found
    return _nearer_to_cost(s, found, _cross_entropy(loss, A, Y))


def _nearer_to_cost(s: State, *losses: Array) -> Array:
    """Of activations that are wrong, a loss may be computed from them or from Z: whichever was done is right."""
    given = s.given.get(Key("cost"), np.asarray(0.0))
    distances = []
    for one in losses:
        s.expected[Key("losses")] = one
        distances.append(float(np.nan_to_num(abs(s.call("(24)") - given), nan=np.inf)))
    return losses[int(np.argmin(distances))]


def _cross_entropy(loss: CrossEntropy, A: Array, Y: Array) -> Array:
    """From the activations that were reported, which may not be f(Z)."""
    terms = -Y * np.log(A)
    if not isinstance(loss, CategoricalCrossentropy):
        terms -= (1.0 - Y) * np.log1p(-A)
    total: Array = np.sum(terms, axis=0)
    return total / len(Y) if loss.averaged else total


def penalty(s: State) -> float:
    """l1 Σ|w| + l2 Σ w²."""
    weights = [s.W(l) for l in s.net.layers]
    return s.net.regularizer.cost(weights, [np.empty_like(W) for W in weights])  # (D31)


def cost(s: State) -> float:
    """The mean of the losses, each times its example's weight, and the penalty."""
    values = s.value("losses")
    weights = s.moment.weights
    return float(np.mean(values if weights is None else values * weights) + s.value("penalty"))  # (24)


def output_error(s: State, l: int) -> Array:
    """∂ℓ/∂Z[L] of each example, times its weight."""
    Y, loss = s.call("targets"), s.net.loss
    if isinstance(loss, CrossEntropy):
        scale = weights_of(s) * (1.0 / len(Y) if loss.averaged else 1.0)  # (H8)
        delta: Array = (s.A(l) - Y) * scale  # (H5)
        return _nearer_to_gradient(s, l, delta, (f(s, l, s.Z(l)) - Y) * scale)
    return error_through(s, l, s.call("slopes") * weights_of(s))  # BP1.2, (H8)


def _nearer_to_gradient(s: State, l: int, reported: Array, computed: Array) -> Array:
    """Where A[L] is reported otherwise than it is computed, the error of either is right: whichever was made."""
    delta, bias = s.given.get(Key("delta", l)), s.given.get(Key("db", l))
    if delta is None and bias is None:
        return reported

    def distance(error: Array) -> float:
        apart = np.mean(error, axis=1) - bias if delta is None else error - delta
        return float(np.nan_to_num(np.linalg.norm(apart), nan=np.inf))

    return min((reported, computed), key=distance)


def weights_of(s: State) -> Array | float:
    """Of the examples, (M,); 1 where they have none."""
    return 1.0 if s.moment.weights is None else s.moment.weights


def slopes(s: State) -> Array:
    """∂ℓ/∂A[L], (n_L, M)."""
    A, Y = s.A(s.net.depth), s.call("targets")
    out = np.empty_like(A)
    s.net.loss.slopes(A, Y, out)
    return out / len(Y) if s.net.loss.averaged else out


def propagate(s: State, l: int) -> Array:
    """delta[l] from W and delta of layer l + 1."""
    back = s.W(l + 1).T @ s.delta(l + 1)
    return error_through(s, l, back * s.call("(D35)", l))  # BP2.2


def weight_gradient(s: State, l: int) -> Array:
    """∂C/∂W[l] without the penalty."""
    return s.delta(l) @ s.A(l - 1).T / s.M  # BP3.2


def bias_gradient(s: State, l: int) -> Array:
    """∂C/∂b[l]."""
    total: Array = np.sum(s.delta(l), axis=1)
    return total / s.M  # BP4.2


def penalty_gradient(s: State, name: str, l: int) -> Array | float:
    """What the penalty adds to dW[l]; nothing to db[l]."""
    if name == "b" or not s.net.regularizer:
        return 0.0
    W = s.W(l)
    out = np.empty_like(W)
    s.net.regularizer.gradient(W, 1.0, out, np.empty_like(W))
    return out  # (D32)


def clip(s: State, gradient: Mapping[Key, Array]) -> dict[Key, Array]:
    """The gradient after clipping."""
    return {key: g * s.call("shrink", gradient, key) for key, g in clipped_values(s, gradient).items()}


def clipped_values(s: State, gradient: Mapping[Key, Array]) -> dict[Key, Array]:
    """Each element into [−c, c] where clipvalue is c."""
    limit = s.net.option("clipvalue")
    return {key: g if limit is None else np.clip(g, -limit, limit) for key, g in gradient.items()}  # (D28)


def shrink(s: State, gradient: Mapping[Key, Array], key: Key) -> float:
    """c / max(‖g‖, c) of the tensor, or of the whole gradient."""
    one, whole = s.net.option("clipnorm"), s.net.option("global_clipnorm")
    if one is not None:
        return float(one / max(np.linalg.norm(gradient[key]), one))  # (D29)
    if whole is not None:
        return float(whole / max(np.sqrt(sum(np.sum(g * g) for g in gradient.values())), whole))  # (D30)
    return 1.0


def learning_rate(s: State) -> float:
    """η of this update; schedules count steps from 0."""
    return s.net.schedule(s.t - 1)  # (D22) to (D27)


def start(s: State, key: Key) -> tuple[Array, ...]:
    """What the optimizer remembers of that tensor before its first step."""
    shape = s.moment.parameters[key.layer - 1]["Wb".index(key.name)].shape
    return tuple(np.full(shape, value) for value in START[s.net.optimizer.name](s.net))


REFERENCE: Equations = {
    "(18)": weighted_input,
    "f": f,
    "f'": times_slope,
    "(D35)": kept,
    "(20)": activation,
    "targets": targets,
    "(22)": losses,
    "(D31)": penalty,
    "(24)": cost,
    "slopes": slopes,
    "BP1.2": output_error,
    "BP2.2": propagate,
    "BP3.2": weight_gradient,
    "BP4.2": bias_gradient,
    "(D32)": penalty_gradient,
    "clip": clip,
    "shrink": shrink,
    "rate": learning_rate,
    "start": start,
    "quotient": quotient,
    "update": update,
}
"""Name → function. Parts that others call: `f`, `f'`, `targets`, `slopes`, `shrink`, `rate`, `start`, `quotient`."""
