"""How far rounding alone may separate a subject from the reference: bounds from u and from the lengths of sums.

A sum of n products is off by at most γ_n Σ|x||y|, with γ_n = n u / (1 − n u) (Higham 2002, section 3.1); a result below
the smallest normal number may be 0 (equation (2.8) there). These errors are carried on from the parameters to the
update, through the derivative of each equation.

A reported tensor is not an exact input: each method may compute it again, with sums in another order. So the subject's
number and the reference's are both off from exact mathematics, each by at most the bound: u counts twice.
"""

from collections.abc import Callable, Mapping

import numpy as np

from bench.locate.equations import weights_of
from bench.locate.net import Array
from bench.locate.rules import update
from bench.locate.state import Key, State

OPERATIONS = 16
"""Roundings that one element meets outside of sums: functions, factors, quotients."""
SQUARES = {"rmsprop": 1, "adagrad": 1, "adam": 2, "adamw": 2}
"""Optimizer → place, after the gradient, of what is never negative."""

Bounds = dict[Key, Array]


def unit_roundoff(dtype: str) -> float:
    """u: half the distance from 1 to the next number."""
    return float(np.finfo(dtype).eps) / 2.0


def gamma(n: float, u: float) -> float:
    """Bound of the relative error of n roundings in a row."""
    return n * u / (1.0 - n * u)


class Rounding:
    """Bounds of one state; `memory` has those of what the optimizer remembers before the step."""

    def __init__(self, state: State, dtype: str, memory: Mapping[Key, tuple[Array, ...]]) -> None:
        self._s, self._memory = state, memory
        self._u, self._smallest = 2.0 * unit_roundoff(dtype), float(np.finfo(dtype).tiny)
        self.of: Bounds = {}
        self.remembered: dict[Key, tuple[Array, ...]] = {}
        with np.errstate(all="ignore"):
            self._forward()
            self._backward()
            self._update()

    def _rounded(self, size: Array, n: float = OPERATIONS) -> Array:
        """Of n roundings of numbers of these sizes; a 0 is exact."""
        bound: Array = gamma(n, self._u) * size + np.where(size > 0.0, n * self._smallest, 0.0)
        return bound

    def _error(self, name: str, l: int) -> Array:
        """Bound of a tensor that later equations read; X, which is A[0], is exact."""
        return self.of[Key(name, l)] if l else np.zeros_like(self._s.X)

    def _forward(self) -> None:
        s = self._s
        for l in s.net.layers:
            W, b, A = np.abs(s.W(l)), np.abs(s.b(l))[:, None], np.abs(s.A(l - 1))
            self.of[Key("Z", l)] = W @ self._error("A", l - 1) + self._rounded(W @ A + b, W.shape[1] + 2)
            self.of[Key("A", l)] = self._of_activation(l)
        self._cost()

    def _of_activation(self, l: int) -> Array:
        """What f makes of the error of Z, and roundings of f: a softmax adds n_l numbers."""
        s, Z = self._s, self._s.Z(l)
        n = len(Z) if s.net.activations[l - 1] == "softmax" else 0
        own = self._rounded((1.0 + np.abs(Z)) * (1.0 + np.abs(s.expected[Key("A", l)])), OPERATIONS + n)
        own = np.where(np.isfinite(own), own, np.inf)
        found: Array = (self._through_activation(l) + own) * s.call("(D35)", l)
        return found

    def _through_activation(self, l: int) -> Array:
        """By how much f(Z) moves where Z does."""
        s, Z, error = self._s, self._s.Z(l), self._error("Z", l)
        if s.net.activations[l - 1] == "softmax":
            A: Array = np.abs(s.call("f", l, Z))
            return A * _share(A, error)
        return spread(lambda moved: s.call("f", l, moved), Z, error)

    def _cost(self) -> None:
        s, L = self._s, self._s.net.depth
        slopes, losses = np.abs(s.call("slopes")) if _has_slopes(s) else _slopes_of_entropy(s), s.value("losses")
        own = _product(slopes, self._rounded((1.0 + np.abs(s.Z(L))) * np.abs(s.A(L))))
        carried = slopes * self._error("A", L) if _has_slopes(s) else _of_entropy(s, self._error("Z", L))
        of_each = np.sum(carried + own, axis=0) + self._rounded(1.0 + np.abs(losses), len(s.Y) + OPERATIONS)
        weights = weights_of(s)
        mean = np.mean(of_each * weights) + self._rounded(
            np.asarray(np.mean(np.abs(losses) * weights)), s.M + OPERATIONS
        )
        count = max(W.size for W, _ in s.moment.parameters) if s.net.regularizer else 0
        self.of[Key("cost")] = np.asarray(mean + self._rounded(np.abs(s.value("penalty")), count + OPERATIONS))

    def _backward(self) -> None:
        s = self._s
        for l in reversed(s.net.layers):
            self.of[Key("delta", l)] = self._of_output_error(l) if l == s.net.depth else self._of_error(l)
            delta, A = np.abs(s.delta(l)), np.abs(s.A(l - 1))
            error, n = self._error("delta", l), s.M + OPERATIONS
            carried = error @ A.T + delta @ self._error("A", l - 1).T
            penalty = self._rounded(np.abs(s.call("(D32)", "W", l)))
            self.of[Key("dW", l)] = (carried + self._rounded(delta @ A.T, n)) / s.M + penalty
            self.of[Key("db", l)] = np.sum(error + self._rounded(delta, n), axis=1) / s.M

    def _of_output_error(self, l: int) -> Array:
        """Of (H5), A − Y; of the others, a product with f' or with a Jacobian."""
        s, error = self._s, self._error("A", l)
        if _has_slopes(s):
            slopes = s.call("slopes")
            bound = self._through_slope(l, slopes, self._rounded(np.abs(slopes)) + _of_slopes(s, error))
        else:
            bound = error + self._rounded(np.abs(s.A(l)) + np.abs(s.call("targets")))
        found: Array = bound * weights_of(s)
        return found

    def _of_error(self, l: int) -> Array:
        s, kept = self._s, self._s.call("(D35)", l)
        W, delta = np.abs(s.W(l + 1)).T, np.abs(s.delta(l + 1))
        error = W @ self._error("delta", l + 1) + self._rounded(W @ delta, W.shape[1] + 2)
        return self._through_slope(l, s.W(l + 1).T @ s.delta(l + 1) * kept, error * kept)

    def _through_slope(self, l: int, G: Array, error: Array) -> Array:
        """Of f'(Z) ⊙ G: what G's error, Z's error, and roundings of f' make of it."""
        size = np.abs(G)
        own = self._rounded((1.0 + np.abs(self._s.Z(l))) * (self._slope_size(l, size) + size))
        found: Array = self._slope_size(l, error) + self._of_curvature(l, G) + own
        return found

    def _of_curvature(self, l: int, G: Array) -> Array:
        """By how much f'(Z) ⊙ G moves where Z does."""
        s, Z, error = self._s, self._s.Z(l), self._error("Z", l)
        if s.net.activations[l - 1] != "softmax":
            return spread(lambda moved: s.call("f'", l, moved, G), Z, error)
        A, size = np.abs(s.call("f", l, Z)), np.abs(G)
        share = _share(A, error)
        moved: Array = A * (share * (size + np.sum(A * size, axis=0)) + np.sum(A * share * size, axis=0))
        return moved

    def _slope_size(self, l: int, G: Array) -> Array:
        """|∂A/∂Z| times G ≥ 0: element-wise f' is at most about 1.13; softmax's Jacobian is full."""
        if self._s.net.activations[l - 1] != "softmax":
            return 1.13 * G
        A = np.abs(self._s.call("f", l, self._s.Z(l)))
        product: Array = A * (G + np.sum(A * G, axis=0))
        return product

    def _update(self) -> None:
        """A step may add the examples to θ or to what is remembered one by one: so many roundings of that."""
        s, decays = self._s, _of_decays(self._s)
        for key, g in s.clipped.items():
            kept = s.memory[key] if key in s.memory else s.call("start", key)
            errors = self._memory.get(key, tuple(np.zeros_like(one) for one in kept))
            moved, new = _update_spread(s, key, (g, *kept), (self._clipped_error(key), *errors))
            name, size = Key(f"u{key.name}", key.layer), np.abs(s.expected[Key(f"u{key.name}", key.layer)])
            theta = np.abs(s.W(key.layer) if key.name == "W" else s.b(key.layer))
            own = self._rounded(size, OPERATIONS + decays) + self._rounded(theta + size, s.M + 2)
            self.of[name] = moved + own
            memories = zip(new, s.remembered[key], strict=True)
            self.remembered[key] = tuple(e + self._rounded(np.abs(m), s.M + OPERATIONS + decays) for e, m in memories)

    def _clipped_error(self, key: Key) -> Array:
        """Of g after clipping: a norm's own error is a share of the whole."""
        s = self._s
        g, error = s.value(f"d{key.name}", key.layer), self._error(f"d{key.name}", key.layer)
        if s.net.option("clipnorm") is None and s.net.option("global_clipnorm") is None:
            return error + self._rounded(np.abs(g))
        keys = s.clipped if s.net.option("global_clipnorm") else [key]
        errors = [np.linalg.norm(self._error(f"d{one.name}", one.layer)) for one in keys]
        norms = [np.linalg.norm(s.value(f"d{one.name}", one.layer)) for one in keys]
        count = sum(s.value(f"d{one.name}", one.layer).size for one in keys)
        share = np.linalg.norm(errors) / max(float(np.linalg.norm(norms)), 1e-300) + gamma(count + OPERATIONS, self._u)
        found: Array = error + share * np.abs(g)
        return found


def _share(A: Array, error: Array) -> Array:
    """By which share of itself a softmax A moves where Z does: ∂A_i/∂Z_j = A_i (1 if i = j else 0) − A_i A_j."""
    share: Array = error + np.sum(A * error, axis=0)
    return share


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


def _of_entropy(s: State, error: Array) -> Array:
    """How an error of Z[L] moves a cross entropy, whose derivative is A − Y."""
    moved: Array = (np.abs(s.A(s.net.depth)) + np.abs(s.call("targets"))) * error
    return moved / len(s.Y) if s.net.loss.averaged else moved


def _quotient(over: Array, under: Array) -> Array:
    quotient: Array = np.where(over == 0.0, 0.0, np.abs(over / under))
    return quotient


def _product(slopes: Array, error: Array) -> Array:
    """0 times infinity is 0 here: a class that is not asked for adds nothing."""
    product: Array = np.where(slopes == 0.0, 0.0, slopes * error)
    return product


def _of_slopes(s: State, error: Array) -> Array:
    """How an error of A[L] moves ∂ℓ/∂A: its derivative is at most 2; at a kink it jumps by 2."""
    kinked = type(s.net.loss).__name__ == "MeanAbsoluteError"
    jump = np.where(np.abs(s.A(s.net.depth) - s.Y) <= error, 2.0, 0.0) if kinked else 0.0
    bound: Array = 2.0 * error + jump
    return bound / len(s.Y) if s.net.loss.averaged else bound


def _of_decays(s: State) -> float:
    """Roundings that a decay β adds where it is rounded to the dtype: as shares of 1 − β, and of Adam's 1 − βᵗ."""
    decays = [s.net.option(name, 0.0) for name in ("beta_1", "beta_2", "rho")]
    powers = [decay**s.t for decay in decays if s.net.option("beta_2")]
    return float(sum(one / (1.0 - one) for one in decays) + sum((s.t + 1) * one / (1.0 - one) for one in powers))


def _update_spread(
    s: State, key: Key, inputs: tuple[Array, ...], errors: tuple[Array, ...]
) -> tuple[Array, tuple[Array, ...]]:
    """How errors of g and of what is remembered move the update, and what is remembered next: one after the other."""
    middle, new = _update_with(s, key, inputs)
    square = SQUARES.get(s.net.optimizer.name)
    total, totals = np.zeros_like(middle), [np.zeros_like(one) for one in new]
    for place, error in enumerate(errors):
        for sign in (1.0, -1.0):
            moved = inputs[place] + sign * error
            moved = np.maximum(moved, 0.0) if place == square else moved
            there, news = _update_with(s, key, (*inputs[:place], moved, *inputs[place + 1 :]))
            total += np.nan_to_num(np.abs(there - middle), nan=np.inf)
            for part, one, was in zip(totals, news, new, strict=True):
                part += np.abs(one - was)
    return total, tuple(totals)


def _update_with(s: State, key: Key, inputs: tuple[Array, ...]) -> tuple[Array, tuple[Array, ...]]:
    """The update from another gradient and other memory."""
    g, *kept = inputs
    held, remembered = s.clipped, s.memory
    s.clipped, s.memory = {**held, key: g}, {**remembered, key: tuple(kept)}
    try:
        return update(s, key)
    finally:
        s.clipped, s.memory = held, remembered
