"""Optimizers: each says where the product Δ Ãᵀ of BP3 and BP4 is accumulated, how, and what is left to do.

Fed by the parameters once; the batch formulation then accumulates straight into `target`, layer by layer.
"""

from collections.abc import Callable, Sequence
from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratchnet import loops
from scratchnet.calls import Call, Loop, Row, compiles
from scratchnet.checks import flag, fraction, not_negative, positive
from scratchnet.clipping import CLIPPINGS
from scratchnet.parameters import Parameters
from scratchnet.product import AddScaled
from scratchnet.schedules import Schedule

Array = NDArray[np.floating[Any]]
Block = tuple[Any, ...]
"""θ, g, scratch, what is kept, each a vector of some of the parameters; Adam adds sums bound to them.

Where loops are compiled: θ, g, and the loop bound to all that it takes."""

Memory = tuple[int, list[tuple[Array, float]]]
"""Steps, and each vector that is kept with the factor that makes what the formula speaks of."""

BOUND = ("target", "now", "_theta", "_width", "_kept", "_clip_scratch", "_compiles", "_blocks")
"""Attributes that belong to the parameters that are updated."""

BLOCK_SIZE = 65_536
"""Elements of a vector that are updated at a time, so that all that an update reads and writes stays in the cache."""


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

    scale: float = 1.0
    """Factor of ∂C/∂θ in what is accumulated into `target`."""
    beta: float = 0.0
    """Factor of what stood in `target` before."""
    share: float = 1.0
    """Which part of a batch is accumulated here: less than all of it where processes train together."""

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
        self._clippings = [(CLIPPINGS[name], limit) for name, limit in limits.items()]
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
    def shareable(self) -> bool:
        """Whether each part of the parameters can be updated without a look at the others: clipping takes a norm."""
        return not self._clippings

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
        self._theta, self._width, self.steps = parameters.vector, parameters.width, 0
        self._kept = [parameters.zeros_like().vector for _ in self._starts()]
        for kept, start in zip(self._kept, self._starts(), strict=True):
            kept.fill(start)
        self._clip_scratch = parameters.zeros_like() if self._clippings else None
        self.target = self._target(parameters)
        self._compiles = self._loop(self.target.vector) is not None and compiles()
        self.now = np.zeros(1 + len(self._factors(1.0, 1)), self._theta.dtype)
        self._blocks: list[Block] = []

    def memory(self) -> Memory:
        """What it remembers from step to step, for an optimizer of the same kind elsewhere: `remember`."""
        return self.steps, list(zip((kept.copy() for kept in self._kept), self._scales(), strict=True))

    def remember(self, memory: Memory) -> None:
        """Go on where the other one stood; it is attached to parameters of the same shapes."""
        self.steps, vectors = memory
        for kept, (vector, scale), own in zip(self._kept, vectors, self._scales(), strict=True):
            np.multiply(vector, scale / own, out=kept)

    def _scales(self) -> tuple[float, ...]:
        """Factor of each vector that is kept which makes what the formula speaks of."""
        return (1.0,) * len(self._kept)

    def _target(self, parameters: Parameters) -> Parameters:
        """What the products of BP3 and BP4 are accumulated into."""
        return parameters.zeros_like()

    def _starts(self) -> tuple[float, ...]:
        """For each vector like the parameters that is kept from step to step: what it is filled with at first."""
        return ()

    def blocks(self, gradient: Array, part: slice) -> list[Block]:
        """That part of θ, g, scratch and what is kept, a block at a time: what `update` takes."""
        scratch = np.empty(BLOCK_SIZE, self._theta.dtype)
        bounds = [slice(i, min(i + BLOCK_SIZE, part.stop)) for i in range(part.start, part.stop, BLOCK_SIZE)]
        blocks = [
            (self._theta[b], gradient[b], scratch[: b.stop - b.start], *(kept[b] for kept in self._kept))
            for b in bounds
        ]
        loop = self._loop(gradient) if self._compiles else None
        return [self._bound(loop, *block) for block in blocks] if loop else [self._passes(*block) for block in blocks]

    def _bound(self, loop: Loop, theta: Array, g: Array, scratch: Array, *kept: Array) -> Block:
        size = np.array([len(theta)])
        return theta, g, Call(loop, size, self.now[1:], theta, g, *kept[: loops.KEPT[loop]])

    def _passes(self, *block: Array) -> Block:
        return block

    def _loop(self, gradient: Array) -> Loop | None:
        """The update from that gradient as one loop; None: NumPy's passes, `update`."""
        return None

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        """What the loop takes beside vectors in update t, from 1, with that η; or in several, with arrays of both."""
        return ()

    def _scale(self, rate: Any) -> Any:
        """`scale` with that η, or those."""
        return 1.0

    def take(self, count: int) -> Array:
        """`scale`, then what the loop takes, for each of the next updates: (count, ...). They count as done."""
        steps = range(self.steps, self.steps + count)
        rates = np.array([self._schedule(step) for step in steps]) if self._schedule else self._constant
        table: Array = np.empty((count, len(self.now)))
        for column, values in enumerate((self._scale(rates), *self._factors(rates, np.add(steps, 1)))):
            table[:, column] = values
        self.steps += count
        return table

    def calls(self) -> list[Row] | None:
        """What `finish` does in calls of compiled loops; None where NumPy has to do it."""
        return self.calls_of(self._own_blocks())

    def calls_of(self, blocks: Sequence[Block]) -> list[Row] | None:
        """What `finish_blocks` does, in the same way."""
        return [call.row for _, _, call in blocks] if self._compiles and not self._clippings else None

    def _own_blocks(self) -> list[Block]:
        """Of all parameters; made when they are needed, for loops may have to be compiled."""
        if not self._blocks:
            self._blocks = self.blocks(self.target.vector, slice(0, len(self._theta)))
        return self._blocks

    def finish(self) -> None:
        """Update the parameters from what has been accumulated."""
        if self._clip_scratch is not None:
            for clip, limit in self._clippings:
                clip(self.target, self._clip_scratch, limit)
        self.finish_blocks(self._own_blocks())

    def finish_blocks(self, blocks: Sequence[Block]) -> None:
        """Update these blocks from what has been accumulated, the last thing that happens in a step."""
        update = self.updater()
        for block in blocks:
            update(*block)
        self.steps += 1

    def updater(self) -> Callable[..., None]:
        """What updates a block in this step: its loop where there is one, with factors computed once, or `update`."""
        if not self._compiles:
            return self.update
        self.now[1:] = self._factors(self.learning_rate, self.steps + 1)
        return _called

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Any) -> None:
        """Update θ from g, vectors of some of the parameters; `scratch` is one more, `kept` what is remembered.

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
        self._in_product = not self._clippings and not self.nesterov
        if self._in_product:
            self.beta = self.momentum if self.momentum else 1.0

    @property
    def scale(self) -> float:  # type: ignore[override]
        """1 where g itself is needed, else −η."""
        return float(self._scale(self.learning_rate))

    def _scale(self, rate: Any) -> Any:
        return 1.0 if self._clippings else -rate

    def _target(self, parameters: Parameters) -> Parameters:
        if not self._in_product:
            return super()._target(parameters)
        return parameters.like(self._kept[0]) if self.momentum else parameters

    def _starts(self) -> tuple[float, ...]:
        return (0.0,) if self.momentum else ()

    def finish_blocks(self, blocks: Sequence[Block]) -> None:
        if self._in_product and not (self.momentum and self._compiles):
            for theta, _, _, *kept in blocks if self.momentum else ():
                np.add(theta, kept[0], out=theta)
            self.steps += 1
        else:
            super().finish_blocks(blocks)

    def blocks(self, gradient: Array, part: slice) -> list[Block]:
        in_weights = self._in_product and gradient is self._theta  # nothing is left to do
        return [] if in_weights else super().blocks(gradient, part)

    def _loop(self, gradient: Array) -> Loop | None:
        if self.nesterov:
            return loops.nesterov
        return loops.momentum if self.momentum and not self._is_velocity(gradient) else loops.sgd

    def _is_velocity(self, gradient: Array) -> bool:
        return self._in_product and gradient is self.target.vector

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        return -rate if self._clippings else 1.0, self.momentum

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Any) -> None:
        if self._clippings:
            np.multiply(g, -self.learning_rate, out=g)
        for velocity in kept:
            np.multiply(velocity, self.momentum, out=velocity)
            np.add(velocity, g, out=velocity)
            if not self.nesterov:
                np.add(theta, velocity, out=theta)
                return
            np.multiply(velocity, self.momentum, out=scratch)
            np.add(theta, scratch, out=theta)
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
        return (0.0,) * (1 + 2 * self.centered + (self.momentum > 0.0))

    def _loop(self, gradient: Array) -> Loop | None:
        return None if self.centered or self.momentum else loops.rmsprop

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        return rate, self.rho, 1.0 - self.rho, self.epsilon

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Any) -> None:
        v = kept[0]
        np.multiply(g, g, out=scratch)
        _average(v, scratch, self.rho)
        np.add(v, self.epsilon, out=scratch)
        if self.centered:
            mean, squared = kept[1:3]
            np.copyto(squared, g)
            _average(mean, squared, self.rho)
            np.multiply(mean, mean, out=squared)
            np.subtract(scratch, squared, out=scratch)
            np.maximum(scratch, self.epsilon, out=scratch)  # rounding can make the variance negative
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
    Keras. t is the number of the update, from 1. Without a compiled loop an update is seven passes over the parameters,
    for neither m nor v is multiplied by its β: kept are M and V of `_Decay`.
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
        self._decay_m, self._decay_v = _Decay(self.beta_1), _Decay(self.beta_2)

    def _starts(self) -> tuple[float, ...]:
        return 0.0, 0.0

    def corrected_rate(self, rate: Any, t: Any) -> Any:
        """α of update t, from 1: η with the bias of both means corrected; of one update, or of several with arrays."""
        return rate * (1.0 - self.beta_2**t) ** 0.5 / (1.0 - self.beta_1**t)

    def _loop(self, gradient: Array) -> Loop | None:
        return loops.adam

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        means = (self.beta_1, 1.0 - self.beta_1, self.beta_2, 1.0 - self.beta_2)
        return self.corrected_rate(rate, t), *means, self.epsilon, 0.0

    def _passes(self, *block: Array) -> Block:
        """With the three sums of a pass each, bound to the block."""
        theta, g, scratch, m, v = block
        sums = (AddScaled(x, y, self._width) for x, y in ((g, m), (scratch, v), (scratch, theta)))
        return *block, *sums

    def _scales(self) -> tuple[float, ...]:
        if self._compiles:
            return super()._scales()
        return self._decay_m.scale(self.steps - 1), self._decay_v.scale(self.steps - 1)

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Any) -> None:
        m, v, add_to_m, add_to_v, add_to_theta = kept
        np.multiply(g, g, out=scratch)
        scale_m = self._decay_m.add(m, add_to_m, self.steps)
        scale_v = self._decay_v.add(v, add_to_v, self.steps)
        root = sqrt(scale_v)
        np.sqrt(v, out=scratch)
        np.add(scratch, self.epsilon / root, out=scratch)
        np.divide(m, scratch, out=scratch)
        add_to_theta(-self.corrected_rate(self.learning_rate, self.steps + 1) * scale_m / root)


class _Decay:
    """m ← β m + (1 − β) x without a pass that multiplies m: kept is M = m / ((1 − β) βᵏ), so that M ← M + x / βᵏ.

    k counts the steps, and starts again before βᵏ is small enough to lose what floats can hold.
    """

    SMALLEST = 1e-6

    def __init__(self, beta: float) -> None:
        self.beta = beta
        self.period = max(int(log(self.SMALLEST) / log(beta)), 1) if beta else 1

    def add(self, M: Array, add_to_M: AddScaled, steps: int) -> float:
        """Take x, to which `add_to_M` is bound, into M, after so many steps; the factor that makes m of M."""
        k = steps % self.period
        if k == 0:
            np.multiply(M, self.beta**self.period, out=M)
        add_to_M(self.beta**-k)
        return self.scale(steps)

    def scale(self, steps: int) -> float:
        """The factor that makes m of M, once x has been taken in after so many steps."""
        return float((1.0 - self.beta) * self.beta ** (steps % self.period))


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

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Any) -> None:
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

    def _loop(self, gradient: Array) -> Loop | None:
        return loops.adagrad

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        return rate, self.epsilon

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Any) -> None:
        (total,) = kept
        np.multiply(g, g, out=scratch)
        np.add(total, scratch, out=total)
        np.add(total, self.epsilon, out=scratch)
        np.sqrt(scratch, out=scratch)
        np.divide(g, scratch, out=g)
        np.multiply(g, self.learning_rate, out=g)
        np.subtract(theta, g, out=theta)


def _called(theta: Array, g: Array, loop: Call) -> None:
    loop()


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
