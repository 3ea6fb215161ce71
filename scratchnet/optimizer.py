"""What all optimizers have in common: learning rate, clipping, state, and the point of a step at which they act."""

from typing import Any

import numpy as np

from scratchnet.arrays import Array
from scratchnet.checks import positive
from scratchnet.clipping import CLIPPINGS
from scratchnet.parameters import Parameters
from scratchnet.schedules import Schedule

Rate = float | Schedule
Limit = float | None
Memory = tuple[int, Array]
"""Steps, and the vectors that are kept, (count, P)."""

BOUND = ("target", "kept", "_theta", "_scratch", "_clip_scratch")
"""Attributes that belong to the parameters that are updated."""


class Optimizer:
    """One update a step, from the gradient g = ∂C/∂θ: first g is clipped, then parameters decay, then they step.

    The product Δ Ãᵀ of BP3 and BP4 makes target ← beta · target + scale · g; `update` does what is left. A wrong
    option is refused with what is allowed.

    learning_rate : η, a number, or a schedule that gives η of step t.
    clipnorm, global_clipnorm, clipvalue : at most one, a number greater than 0; see `scratchnet.clipping`.
    """

    beta: float = 0.0
    """Factor of what stood in `target` before."""

    def __init__(
        self, learning_rate: Rate, clipnorm: Limit = None, global_clipnorm: Limit = None, clipvalue: Limit = None
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
        """The options alone: a copy or a pickle belongs to no network and has taken no step."""
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
        """Refuse what another network owns: it would share its memory, and step the parameters of that one."""
        if hasattr(self, "target"):
            raise ValueError(
                f"this {type(self).__name__} optimizer belongs to another network; "
                "allowed: an optimizer of its own for each network, copy.deepcopy(optimizer) for example"
            )

    def attach(self, parameters: Parameters) -> None:
        """Bind the parameters to update, once, and start from step 0."""
        self.check_unused()
        self._theta, self.steps = parameters.vector, 0
        starts = np.array(self._starts(), self._theta.dtype).reshape(-1, 1)
        self.kept: Array = np.repeat(starts, len(self._theta), axis=1)
        self._scratch = np.empty_like(self._theta)
        self._clip_scratch = parameters.zeros_like() if self.clipping else None
        self.target = self._target(parameters)

    def memory(self) -> Memory:
        """A copy of its state, which `remember` of another optimizer of the same kind takes."""
        return self.steps, self.kept.copy()

    def remember(self, memory: Memory) -> None:
        """Go on from the state of another optimizer that was attached to parameters of the same shapes."""
        self.steps, self.kept[...] = memory

    def take(self, count: int) -> Array:
        """`scale`, then what the formula takes, for each of the next updates: (count, ...)."""
        rates = np.array([self._schedule(self.steps + k) for k in range(count)]) if self._schedule else self._constant
        columns = self._scale(rates), *self._factors(rates, np.arange(self.steps + 1, self.steps + count + 1))
        return np.stack([np.broadcast_to(np.asarray(column, np.float64), count) for column in columns], axis=1)

    def finish(self) -> None:
        """Update the parameters from what `target` has accumulated: the end of a step."""
        if self.clipping is not None and self._clip_scratch is not None:
            name, limit = self.clipping
            CLIPPINGS[name](self.target, self._clip_scratch, limit)
        self.update(self._theta, self.target.vector, self._scratch, *self.kept)
        self.steps += 1

    # What a formula defines.

    def update(self, theta: Array, g: Array, scratch: Array, *kept: Array) -> None:
        """Update θ from g, which is `scale` times the gradient and may be overwritten.

        All are vectors of the parameters' length; `kept` are those that are kept from step to step.
        """
        raise NotImplementedError

    def _starts(self) -> tuple[float, ...]:
        """The first value of each vector that is kept from step to step."""
        return ()

    def _target(self, parameters: Parameters) -> Parameters:
        """What the products of BP3 and BP4 are accumulated into."""
        return parameters.zeros_like()

    def _scale(self, rate: Any) -> Any:
        """`scale` for the learning rate η, a number or an array."""
        return 1.0

    def _factors(self, rate: Any, t: Any) -> tuple[Any, ...]:
        """What the engine's form of `update` takes beside vectors in update t, from 1, with η; both may be arrays."""
        raise NotImplementedError
