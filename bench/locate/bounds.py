"""By how much rounding alone may part a subject from the reference: from u, and from the lengths of sums.

A sum of n products is off by at most γ_n Σ|x||y|, with γ_n = n u / (1 − n u) (Higham 2002, section 3.1). Errors of
inputs that were not reported are carried on. A reported input is exact: the reference was fed the same number.
"""

from collections.abc import Callable, Mapping

import numpy as np

from bench.locate.equations import weights_of
from bench.locate.net import Array
from bench.locate.rules import update
from bench.locate.state import Key, State

OPERATIONS = 16
"""Roundings that one element meets outside of sums: functions, factors, quotients."""

Bounds = dict[Key, Array]


def unit_roundoff(dtype: str) -> float:
    """u: half the distance from 1 to the next number."""
    return float(np.finfo(dtype).eps) / 2.0


def gamma(n: int, u: float) -> float:
    """Bound of the relative error of n roundings in a row."""
    return n * u / (1.0 - n * u)


class Rounding:
    """Bounds of one state; `memory` has those of what the optimizer remembers before the step."""

    def __init__(self, state: State, u: float, memory: Mapping[Key, tuple[Array, ...]]) -> None:
        self._s, self._u, self._memory = state, u, memory
        self._few = gamma(OPERATIONS, u)
        self.of: Bounds = {}
        self.remembered: dict[Key, tuple[Array, ...]] = {}
        with np.errstate(all="ignore"):
            self._forward()
            self._backward()
            self._update()

    def _error(self, name: str, l: int) -> Array:
        """Bound of the tensor that later equations read: 0 where it was reported."""
        key = Key(name, l)
        return np.zeros_like(self._s.value(name, l)) if self._s.reads(key) else self.of[key]

    def _activation_error(self, l: int) -> Array:
        return self._error("A", l) if l else np.zeros_like(self._s.X)

    def _forward(self) -> None:
        s = self._s
        for l in s.net.layers:
            W, b, A = np.abs(s.W(l)), np.abs(s.b(l))[:, None], np.abs(s.A(l - 1))
            sums = gamma(W.shape[1] + 2, self._u)
            self.of[Key("Z", l)] = W @ self._activation_error(l - 1) + sums * (W @ A + b)
            self.of[Key("A", l)] = self._of_activation(l)
        self._cost()

    def _of_activation(self, l: int) -> Array:
        """What f makes of the error of Z, and roundings of f: a softmax adds n_l numbers."""
        s, Z = self._s, self._s.Z(l)
        n = Z.shape[0] if s.net.activations[l - 1] == "softmax" else 0
        carried = spread(lambda moved: s.call("f", l, moved) * s.call("(D35)", l), Z, self._error("Z", l))
        own = gamma(OPERATIONS + n, self._u) * (1.0 + np.abs(Z)) * (1.0 + np.abs(s.expected[Key("A", l)]))
        found: Array = carried + np.where(np.isfinite(own), own, np.inf) * s.call("(D35)", l)
        return found

    def _cost(self) -> None:
        s, L = self._s, self._s.net.depth
        slopes, losses = np.abs(s.call("slopes")) if _has_slopes(s) else _slopes_of_entropy(s), s.value("losses")
        error = self._activation_error(L) + self._few * (1.0 + np.abs(s.Z(L))) * np.abs(s.A(L))
        of_each = np.sum(_product(slopes, error), axis=0) + gamma(len(s.Y) + OPERATIONS, self._u) * (1 + np.abs(losses))
        weights = weights_of(s)
        mean = np.mean(of_each * weights) + gamma(s.M + OPERATIONS, self._u) * np.mean(np.abs(losses) * weights)
        count = max(W.size for W, _ in s.moment.parameters) if s.net.regularizer else 0
        self.of[Key("cost")] = np.asarray(mean + gamma(count + OPERATIONS, self._u) * np.abs(s.value("penalty")))

    def _backward(self) -> None:
        s = self._s
        for l in reversed(s.net.layers):
            self.of[Key("delta", l)] = self._of_output_error(l) if l == s.net.depth else self._of_error(l)
            delta, A = s.delta(l), s.A(l - 1)
            error, sums = self._error("delta", l), gamma(s.M + OPERATIONS, self._u)
            carried = error @ np.abs(A).T + np.abs(delta) @ self._activation_error(l - 1).T
            whole = np.abs(delta) @ np.abs(A).T
            penalty = self._few * np.abs(s.call("(D32)", "W", l))
            self.of[Key("dW", l)] = (carried + sums * whole) / s.M + penalty
            self.of[Key("db", l)] = np.sum(error + sums * np.abs(delta), axis=1) / s.M

    def _of_output_error(self, l: int) -> Array:
        """Of (H5), A − Y; of the others, a product with f' or with a Jacobian."""
        s = self._s
        weights = weights_of(s)
        own = self._activation_error(l)
        if not _has_slopes(s):
            bound: Array = (own + self._few * (np.abs(s.A(l)) + np.abs(s.call("targets")))) * weights
            return bound
        slopes = np.abs(s.call("slopes"))
        curvature = spread(lambda moved: s.call("f'", l, moved, s.call("slopes")), s.Z(l), self._error("Z", l))
        factor = self._slope_size(l, slopes)
        entries = self._few * (1.0 + np.abs(s.Z(l)))
        found: Array = (curvature + _own_slope(s, l, own) + entries * (slopes + factor)) * weights
        return found

    def _of_error(self, l: int) -> Array:
        s = self._s
        W, delta = np.abs(s.W(l + 1)).T, np.abs(s.delta(l + 1))
        kept = s.call("(D35)", l)
        back = (W @ self._error("delta", l + 1) + gamma(W.shape[1] + 2, self._u) * (W @ delta)) * kept
        signed = s.W(l + 1).T @ s.delta(l + 1) * kept
        curvature = spread(lambda moved: s.call("f'", l, moved, signed), s.Z(l), self._error("Z", l))
        size = self._slope_size(l, np.abs(signed)) + np.abs(signed)
        found: Array = curvature + self._slope_size(l, back) + self._few * (1.0 + np.abs(s.Z(l))) * size
        return found

    def _slope_size(self, l: int, G: Array) -> Array:
        """|∂A/∂Z| times G ≥ 0: element-wise f' is at most about 1.13; softmax's Jacobian is full."""
        if self._s.net.activations[l - 1] != "softmax":
            return 1.13 * G
        A = np.abs(self._s.call("f", l, self._s.Z(l)))
        product: Array = A * (G + np.sum(A * G, axis=0))
        return product

    def _update(self) -> None:
        s = self._s
        for key, g in s.clipped.items():
            error = self._clipped_error(key)
            kept = s.memory[key] if key in s.memory else s.call("start", key)
            errors = self._memory.get(key, tuple(np.zeros_like(one) for one in kept))
            moved, new = _update_spread(s, key, (g, *kept), (error, *errors))
            name, size = Key(f"u{key.name}", key.layer), np.abs(s.expected[Key(f"u{key.name}", key.layer)])
            theta = np.abs(s.W(key.layer) if key.name == "W" else s.b(key.layer))
            self.of[name] = moved + self._few * size + 2.0 * self._u * (theta + size)
            self.remembered[key] = tuple(e + self._few * np.abs(m) for e, m in zip(new, s.remembered[key], strict=True))

    def _clipped_error(self, key: Key) -> Array:
        """Of g after clipping: a norm's own error is a share of the whole."""
        s = self._s
        g, error = s.value(f"d{key.name}", key.layer), self._error(f"d{key.name}", key.layer)
        if s.net.option("clipnorm") is None and s.net.option("global_clipnorm") is None:
            return error + self._few * np.abs(g)
        keys = s.clipped if s.net.option("global_clipnorm") else [key]
        errors = [np.linalg.norm(self._error(f"d{one.name}", one.layer)) for one in keys]
        norms = [np.linalg.norm(s.value(f"d{one.name}", one.layer)) for one in keys]
        count = sum(s.value(f"d{one.name}", one.layer).size for one in keys)
        share = np.linalg.norm(errors) / max(float(np.linalg.norm(norms)), 1e-300) + gamma(count + OPERATIONS, self._u)
        found: Array = error + share * np.abs(g)
        return found


def spread(h: Callable[[Array], Array], x: Array, error: Array) -> Array:
    """The largest change of h(x) where x moves by `error` up or down, for h that works element by element or nearly."""
    if not error.any():
        return np.zeros_like(h(x))
    middle = h(x)
    change: Array = np.maximum(np.abs(h(x + error) - middle), np.abs(h(x - error) - middle))
    return 2.0 * np.where(np.isfinite(change), change, np.inf)


def _has_slopes(s: State) -> bool:
    """Whether the error of the output is a product with f'; of a cross entropy it is A − Y."""
    return not s.net.loss.from_weighted_input


def _slopes_of_entropy(s: State) -> Array:
    """|∂ℓ/∂A[L]|: large where a probability that is asked for is nearly 0."""
    A, Y = s.A(s.net.depth), s.call("targets")
    categorical = s.net.activations[-1] == "softmax"
    slopes = _quotient(Y, A) if categorical else _quotient(Y, A) + _quotient(1.0 - Y, 1.0 - A)
    return slopes / len(Y) if s.net.loss.averaged else slopes


def _quotient(over: Array, under: Array) -> Array:
    quotient: Array = np.where(over == 0.0, 0.0, np.abs(over / under))
    return quotient


def _product(slopes: Array, error: Array) -> Array:
    """0 times infinity is 0 here: a class that is not asked for adds nothing."""
    product: Array = np.where(slopes == 0.0, 0.0, slopes * error)
    return product


def _own_slope(s: State, l: int, error: Array) -> Array:
    """How an error of A[L] moves ∂ℓ/∂A: its second derivative is at most 2; at a kink the slope jumps."""
    factor = 2.0 / len(s.Y) if s.net.loss.averaged else 2.0
    distance = np.abs(s.A(l) - s.Y)
    kinked = type(s.net.loss).__name__ == "MeanAbsoluteError"
    jump = np.where(distance <= error, 2.0, 0.0) if kinked else 0.0
    bound: Array = 1.13 * factor * (error + np.sum(error, axis=0) + jump)
    return bound


def _update_spread(
    s: State, key: Key, inputs: tuple[Array, ...], errors: tuple[Array, ...]
) -> tuple[Array, tuple[Array, ...]]:
    """How errors of g and of what is remembered move the update, and what is remembered next: one after the other."""
    middle, new = _update_with(s, key, inputs)
    total, totals = np.zeros_like(middle), [np.zeros_like(one) for one in new]
    for place, error in enumerate(errors):
        for sign in (1.0, -1.0):
            moved = [x + sign * error if n == place else x for n, x in enumerate(inputs)]
            there, news = _update_with(s, key, tuple(moved))
            total += np.nan_to_num(np.abs(there - middle), nan=np.inf)
            for part, one, was in zip(totals, news, new, strict=True):
                part += np.abs(one - was)
    return total, tuple(totals)


def _update_with(s: State, key: Key, inputs: tuple[Array, ...]) -> tuple[Array, tuple[Array, ...]]:
    """The update from another gradient and other memory; a mean of squares is not negative."""
    g, *kept = inputs
    held, remembered = s.clipped, s.memory
    s.clipped, s.memory = {**held, key: g}, {**remembered, key: tuple(kept)}
    try:
        return update(s, key)
    finally:
        s.clipped, s.memory = held, remembered
