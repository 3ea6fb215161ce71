"""The optimizers' formulas. Names, defaults and the place of ε are Keras's."""

from typing import Any

import numpy as np

from scratchnet.arrays import Array
from scratchnet.checks import flag, fraction, not_negative, positive
from scratchnet.optimizer import Limit, Optimizer, Rate
from scratchnet.parameters import Parameters

__all__ = ["OPTIMIZERS", "SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]


class SGD(Optimizer):
    """Mini-batch gradient descent with momentum (Polyak 1964): v ← μ v − η g, θ ← θ + v; Nesterov: θ ← θ + μ v − η g.

    Without momentum v is not kept: the product adds −η/M · Δ Ãᵀ into the weights themselves. With momentum it adds
    into v. Only clipping needs g itself; Nesterov's form needs −η g.
    """

    def __init__(
        self, learning_rate: Rate = 0.01, momentum: float = 0.0, nesterov: bool = False, **clipping: Limit
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self.momentum, self.nesterov = fraction("momentum", momentum), flag("nesterov", nesterov)
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov without momentum; allowed: momentum greater than 0")
        self.in_product = not self.clipping and not self.nesterov
        """Whether the product makes all of the step: it adds into θ, or with momentum into v."""
        if self.in_product:
            self.beta = self.momentum if self.momentum else 1.0

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Array) -> None:
        if self.clipping:
            g *= -self.learning_rate
        if self.momentum:
            (velocity,) = kept
            if not self.in_product:
                velocity *= self.momentum
                velocity += g
            if not self.nesterov:
                theta += velocity
                return
            np.multiply(velocity, self.momentum, out=scratch)
            theta += scratch
        if not self.in_product:
            theta += g

    def _starts(self) -> tuple[float, ...]:
        return (0.0,) if self.momentum else ()

    def _target(self, parameters: Parameters) -> Parameters:
        if not self.in_product:
            return super()._target(parameters)
        return parameters.like(self.kept[0]) if self.momentum else parameters

    def _scale(self, rate: Any) -> Any:
        return 1.0 if self.clipping else -rate

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        return -rate if self.clipping else 1.0, self.momentum


class RMSprop(Optimizer):
    """v ← ρ v + (1 − ρ) g², θ ← θ − η g / √(v + ε) (Tieleman & Hinton 2012; ε inside the root, as in Keras).

    centered: the root is of v − ḡ² + ε, with ḡ ← ρ ḡ + (1 − ρ) g. momentum: the step is added to μ times the last.
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **clipping: Limit,
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self.rho, self.momentum = fraction("rho", rho), fraction("momentum", momentum)
        self.epsilon, self.centered = positive("epsilon", epsilon), flag("centered", centered)

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
            scratch += self.epsilon
            np.maximum(scratch, self.epsilon, out=scratch)  # rounding can make the variance negative
        else:
            np.add(v, self.epsilon, out=scratch)
        np.sqrt(scratch, out=scratch)
        g /= scratch
        g *= self.learning_rate
        if self.momentum:
            velocity = kept[-1]
            velocity *= self.momentum
            g += velocity
            np.copyto(velocity, g)
        theta -= g

    def _starts(self) -> tuple[float, ...]:
        return (0.0,) * (1 + self.centered + (self.momentum > 0.0))

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        return rate, self.rho, 1.0 - self.rho, self.epsilon, self.momentum


class Adam(Optimizer):
    """m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← θ − α m / (√v + ε), α = η √(1 − β₂ᵗ) / (1 − β₁ᵗ).

    Kingma & Ba, ICLR 2015, the form at the end of section 2: ε is their ε̂, outside the root and not corrected, as in
    Keras. t is the number of the update, from 1.
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **clipping: Limit,
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self.beta_1, self.beta_2 = fraction("beta_1", beta_1), fraction("beta_2", beta_2)
        self.epsilon = positive("epsilon", epsilon)

    def corrected_rate(self, rate: Any, t: Any) -> Any:
        """α of update t, from 1: η with the bias of both means corrected; of one update, or of several with arrays."""
        return rate * (1.0 - self.beta_2**t) ** 0.5 / (1.0 - self.beta_1**t)

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Array) -> None:
        m, v = kept
        np.multiply(g, g, out=scratch)
        _average(v, scratch, self.beta_2)
        _average(m, g, self.beta_1)
        np.sqrt(v, out=scratch)
        scratch += self.epsilon
        np.divide(m, scratch, out=scratch)
        scratch *= self.corrected_rate(self.learning_rate, self.steps + 1)
        theta -= scratch

    def _starts(self) -> tuple[float, ...]:
        return 0.0, 0.0

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        means = (self.beta_1, 1.0 - self.beta_1, self.beta_2, 1.0 - self.beta_2)
        return self.corrected_rate(rate, t), *means, self.epsilon, 0.0


class AdamW(Adam):
    """Adam after θ ← θ − η λ θ, λ the weight_decay (Loshchilov & Hutter, ICLR 2019), biases included, as in Keras."""

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **clipping: Limit,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **clipping)
        self.weight_decay = not_negative("weight_decay", weight_decay)

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Array) -> None:
        np.multiply(theta, self.learning_rate * self.weight_decay, out=scratch)
        theta -= scratch
        super().update(theta, g, scratch, *kept)

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        *factors, _ = super()._factors(rate, t)
        return *factors, rate * self.weight_decay


class Adagrad(Optimizer):
    """s ← s + g², θ ← θ − η g / √(s + ε) (Duchi et al. 2011; s starts at 0.1 and ε is inside the root, as in Keras)."""

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **clipping: Limit,
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self.initial_accumulator_value = not_negative("initial_accumulator_value", initial_accumulator_value)
        self.epsilon = positive("epsilon", epsilon)

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Array) -> None:
        (total,) = kept
        np.multiply(g, g, out=scratch)
        total += scratch
        np.add(total, self.epsilon, out=scratch)
        np.sqrt(scratch, out=scratch)
        g /= scratch
        g *= self.learning_rate
        theta -= g

    def _starts(self) -> tuple[float, ...]:
        return (self.initial_accumulator_value,)

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        return rate, self.epsilon


def _average(mean: Array, x: Array, beta: float) -> None:
    """mean ← β mean + (1 − β) x; x is used up. mean + (1 − β) (x − mean) would lose a small x where β is small."""
    mean *= beta
    x *= 1.0 - beta
    mean += x


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
    "adagrad": Adagrad,
}
