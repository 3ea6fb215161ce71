"""Optimizers: each says where the product Δ Ãᵀ of BP3 and BP4 is accumulated, how, and what is left to do."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratchnet.checks import flag, fraction, not_negative, positive
from scratchnet.clipping import CLIPPINGS
from scratchnet.parameters import Parameters
from scratchnet.schedules import Schedule

Array = NDArray[np.floating[Any]]
Memory = tuple[int, Array]
"""Steps, and the vectors that are kept, (count, P)."""

BOUND = ("target", "kept", "_theta", "_scratch", "_clip_scratch")
"""Attributes that belong to the parameters that are updated."""


class Optimizer:
    """One update a step, from the gradient g = ∂C/∂θ: first g is clipped, then parameters decay, then they step.

    Parameters
    ----------
    learning_rate : η, a number, or a schedule that gives η of step t.
    clipnorm, global_clipnorm, clipvalue : at most one, a number greater than 0; see `scratchnet.clipping`.

    Raises
    ------
    ValueError
        Names the value and what is allowed.
    """

    beta: float = 0.0
    """Factor of what stood in `target` before."""

    def __init__(
        self,
        learning_rate: float | Schedule,
        clipnorm: float | None = None,
        global_clipnorm: float | None = None,
        clipvalue: float | None = None,
    ) -> None:
        given = {"clipnorm": clipnorm, "global_clipnorm": global_clipnorm, "clipvalue": clipvalue}
        limits = {name: positive(name, limit) for name, limit in given.items() if limit is not None}
        if len(limits) > 1:
            raise ValueError(f"{' and '.join(limits)} are set; allowed: one of them")
        self.clipping = next(iter(limits.items()), None)
        """Its name in `scratchnet.clipping.CLIPPINGS`, and the limit."""
        # The class of a schedule can be called too, but gives no rate.
        scheduled = callable(learning_rate) and not isinstance(learning_rate, type)
        self._schedule: Schedule | None = learning_rate if scheduled else None  # type: ignore[assignment]
        self._constant = 0.0 if scheduled else positive("learning_rate", learning_rate)
        self.steps = 0

    def __getstate__(self) -> dict[str, Any]:
        """What it was made of: a copy, or what is pickled, belongs to no network and remembers no step."""
        return {**{name: value for name, value in vars(self).items() if name not in BOUND}, "steps": 0}

    @property
    def learning_rate(self) -> float:
        """η of the next step."""
        return float(self._schedule(self.steps)) if self._schedule else self._constant

    @property
    def scale(self) -> float:
        """Factor of ∂C/∂θ in what is accumulated into `target` in the next step."""
        return float(self._scale(self.learning_rate))

    def check_unused(self) -> None:
        """Refuse what belongs to a network already: both would be trained by one memory, and step one's parameters.

        Raises
        ------
        ValueError
            Names the optimizer.
        """
        if hasattr(self, "target"):
            raise ValueError(
                f"this {type(self).__name__} optimizer belongs to another network; "
                "allowed: an optimizer of its own for each network, copy.deepcopy(optimizer) for example"
            )

    def attach(self, parameters: Parameters) -> None:
        """Bind the parameters that are updated, once; nothing is remembered from step to step yet.

        Raises
        ------
        ValueError
            Where others are bound already.
        """
        self.check_unused()
        self._theta, self.steps = parameters.vector, 0
        starts = np.array(self._starts(), self._theta.dtype).reshape(-1, 1)
        self.kept: Array = np.repeat(starts, len(self._theta), axis=1)
        self._scratch = np.empty_like(self._theta)
        self._clip_scratch = parameters.zeros_like() if self.clipping else None
        self.target = self._target(parameters)

    def memory(self) -> Memory:
        """What it remembers from step to step, for an optimizer of the same kind elsewhere: `remember`."""
        return self.steps, self.kept.copy()

    def remember(self, memory: Memory) -> None:
        """Go on where the other one stood; it is attached to parameters of the same shapes."""
        self.steps, self.kept[...] = memory

    def _target(self, parameters: Parameters) -> Parameters:
        """What the products of BP3 and BP4 are accumulated into."""
        return parameters.zeros_like()

    def _starts(self) -> tuple[float, ...]:
        """For each vector like the parameters that is kept from step to step: what it is filled with at first."""
        return ()

    def _scale(self, rate: Any) -> Any:
        """`scale` with that η, or those."""
        return 1.0

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        """What the formula takes beside vectors in update t, from 1, with that η; in several, with arrays of both."""
        raise NotImplementedError

    def take(self, count: int) -> Array:
        """`scale`, then what the formula takes, for each of the next updates: (count, ...). They count as done."""
        rates = np.array([self._schedule(self.steps + k) for k in range(count)]) if self._schedule else self._constant
        columns = self._scale(rates), *self._factors(rates, np.arange(self.steps + 1, self.steps + count + 1))
        self.steps += count
        return np.stack([np.broadcast_to(np.asarray(column, np.float64), count) for column in columns], axis=1)

    def finish(self) -> None:
        """Update the parameters from what has been accumulated, the last thing that happens in a step."""
        if self.clipping is not None and self._clip_scratch is not None:
            name, limit = self.clipping
            CLIPPINGS[name](self.target, self._clip_scratch, limit)
        self.update(self._theta, self.target.vector, self._scratch, *self.kept)
        self.steps += 1

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Array) -> None:
        """Update θ from g, vectors of the parameters; `scratch` is one more, `kept` what is remembered.

        g is `scale` times the gradient, and is used up.
        """
        raise NotImplementedError


class SGD(Optimizer):
    """Mini-batch gradient descent with momentum (Polyak 1964): v ← μ v − η g, θ ← θ + v; Nesterov: θ ← θ + μ v − η g.

    Without momentum v is not kept: the product adds −η/M · Δ Ãᵀ into the weights themselves. With momentum it adds
    into v. Only clipping needs g itself; Nesterov's form needs −η g.
    """

    def __init__(
        self,
        learning_rate: float | Schedule = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **clipping: float | None,
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self.momentum, self.nesterov = fraction("momentum", momentum), flag("nesterov", nesterov)
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov without momentum; allowed: momentum greater than 0")
        self.in_product = not self.clipping and not self.nesterov
        """Whether the product makes all of the step: it adds into θ, or with momentum into v."""
        if self.in_product:
            self.beta = self.momentum if self.momentum else 1.0

    def _scale(self, rate: Any) -> Any:
        return 1.0 if self.clipping else -rate

    def _target(self, parameters: Parameters) -> Parameters:
        if not self.in_product:
            return super()._target(parameters)
        return parameters.like(self.kept[0]) if self.momentum else parameters

    def _starts(self) -> tuple[float, ...]:
        return (0.0,) if self.momentum else ()

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        return -rate if self.clipping else 1.0, self.momentum

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Array) -> None:
        if self.clipping:
            np.multiply(g, -self.learning_rate, out=g)
        if self.momentum:
            (velocity,) = kept
            if not self.in_product:
                np.multiply(velocity, self.momentum, out=velocity)
                np.add(velocity, g, out=velocity)
            if not self.nesterov:
                np.add(theta, velocity, out=theta)
                return
            np.multiply(velocity, self.momentum, out=scratch)
            np.add(theta, scratch, out=theta)
        if not self.in_product:
            np.add(theta, g, out=theta)


class RMSprop(Optimizer):
    """v ← ρ v + (1 − ρ) g², θ ← θ − η g / √(v + ε) (Tieleman & Hinton 2012; ε inside the root, as in Keras).

    centered: the root is of v − ḡ² + ε, with ḡ ← ρ ḡ + (1 − ρ) g. momentum: the step is added to μ times the last.
    """

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **clipping: float | None,
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self.rho, self.momentum = fraction("rho", rho), fraction("momentum", momentum)
        self.epsilon, self.centered = positive("epsilon", epsilon), flag("centered", centered)

    def _starts(self) -> tuple[float, ...]:
        return (0.0,) * (1 + self.centered + (self.momentum > 0.0))

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        return rate, self.rho, 1.0 - self.rho, self.epsilon, self.momentum

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Array) -> None:
        v = kept[0]
        if self.centered:
            mean = kept[1]
            np.copyto(scratch, g)
            _average(mean, scratch, self.rho)
        np.multiply(g, g, out=scratch)
        _average(v, scratch, self.rho)
        if self.centered:
            np.multiply(mean, mean, out=scratch)
            np.subtract(v, scratch, out=scratch)
            np.add(scratch, self.epsilon, out=scratch)
            np.maximum(scratch, self.epsilon, out=scratch)  # rounding can make the variance negative
        else:
            np.add(v, self.epsilon, out=scratch)
        np.sqrt(scratch, out=scratch)
        np.divide(g, scratch, out=g)
        np.multiply(g, self.learning_rate, out=g)
        if self.momentum:
            velocity = kept[-1]
            np.multiply(velocity, self.momentum, out=velocity)
            np.add(g, velocity, out=g)
            np.copyto(velocity, g)
        np.subtract(theta, g, out=theta)


class Adam(Optimizer):
    """m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← θ − α m / (√v + ε), α = η √(1 − β₂ᵗ) / (1 − β₁ᵗ).

    Kingma & Ba, ICLR 2015, the form at the end of section 2: ε is their ε̂, outside the root and not corrected, as in
    Keras. t is the number of the update, from 1.
    """

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **clipping: float | None,
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self.beta_1, self.beta_2 = fraction("beta_1", beta_1), fraction("beta_2", beta_2)
        self.epsilon = positive("epsilon", epsilon)

    def _starts(self) -> tuple[float, ...]:
        return 0.0, 0.0

    def corrected_rate(self, rate: Any, t: Any) -> Any:
        """α of update t, from 1: η with the bias of both means corrected; of one update, or of several with arrays."""
        return rate * (1.0 - self.beta_2**t) ** 0.5 / (1.0 - self.beta_1**t)

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        means = (self.beta_1, 1.0 - self.beta_1, self.beta_2, 1.0 - self.beta_2)
        return self.corrected_rate(rate, t), *means, self.epsilon, 0.0

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Array) -> None:
        m, v = kept
        np.multiply(g, g, out=scratch)
        _average(v, scratch, self.beta_2)
        _average(m, g, self.beta_1)
        np.sqrt(v, out=scratch)
        np.add(scratch, self.epsilon, out=scratch)
        np.divide(m, scratch, out=scratch)
        np.multiply(scratch, self.corrected_rate(self.learning_rate, self.steps + 1), out=scratch)
        np.subtract(theta, scratch, out=theta)


class AdamW(Adam):
    """Adam after θ ← θ − η λ θ, λ the weight_decay (Loshchilov & Hutter, ICLR 2019), biases included, as in Keras."""

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **clipping: float | None,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **clipping)
        self.weight_decay = not_negative("weight_decay", weight_decay)

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        *factors, _ = super()._factors(rate, t)
        return *factors, rate * self.weight_decay

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Array) -> None:
        np.multiply(theta, self.learning_rate * self.weight_decay, out=scratch)
        np.subtract(theta, scratch, out=theta)
        super().update(theta, g, scratch, *kept)


class Adagrad(Optimizer):
    """s ← s + g², θ ← θ − η g / √(s + ε) (Duchi et al. 2011; s starts at 0.1 and ε is inside the root, as in Keras)."""

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **clipping: float | None,
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self.initial_accumulator_value = not_negative("initial_accumulator_value", initial_accumulator_value)
        self.epsilon = positive("epsilon", epsilon)

    def _starts(self) -> tuple[float, ...]:
        return (self.initial_accumulator_value,)

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        return rate, self.epsilon

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Array) -> None:
        (total,) = kept
        np.multiply(g, g, out=scratch)
        np.add(total, scratch, out=total)
        np.add(total, self.epsilon, out=scratch)
        np.sqrt(scratch, out=scratch)
        np.divide(g, scratch, out=g)
        np.multiply(g, self.learning_rate, out=g)
        np.subtract(theta, g, out=theta)


def _average(mean: Array, x: Array, beta: float) -> None:
    """mean ← β mean + (1 − β) x; x is used up. mean + (1 − β) (x − mean) would lose a small x where β is small."""
    np.multiply(mean, beta, out=mean)
    np.multiply(x, 1.0 - beta, out=x)
    np.add(mean, x, out=mean)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
    "adagrad": Adagrad,
}
