"""Exercise 4: updates with a memory. Each takes one W or b, and returns it with the memory for the next step.

The memory starts as zeros. Do not change the arrays that you are given; return new ones.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def momentum(
    parameter: Array, velocity: Array, gradient: Array, learning_rate: float, mu: float
) -> tuple[Array, Array]:
    """The new parameter and the new velocity, in this order: equation (D10).

    v ← μ v − η g, then θ ← θ + v.
    """
    # BEGIN SOLUTION
    velocity = mu * velocity - learning_rate * gradient
    return parameter + velocity, velocity
    # END SOLUTION


def adam(
    parameter: Array,
    m: Array,
    s: Array,
    t: int,
    gradient: Array,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[Array, Array, Array]:
    """The new parameter, the new mean m and the new mean of squares s, in this order: equation (D20).

    t : number of this step, from 1. α = η √(1 − β₂ᵗ) / (1 − β₁ᵗ), then θ ← θ − α m / (√s + ε), with the new m and s.
    """
    # BEGIN SOLUTION
    m = beta_1 * m + (1.0 - beta_1) * gradient
    s = beta_2 * s + (1.0 - beta_2) * gradient**2
    rate = learning_rate * np.sqrt(1.0 - beta_2**t) / (1.0 - beta_1**t)
    return parameter - rate * m / (np.sqrt(s) + epsilon), m, s
    # END SOLUTION
