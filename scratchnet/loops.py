"""What a step does beside its products, as loops over numbers in memory, which Numba compiles (`scratchnet.calls`).

Each takes arrays alone, as Fortran does: first their size, in integers, so that it sees numbers where an array begins
and needs no shape. NumPy goes through memory once for each operation, a loop once in all.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Integers = NDArray[np.int64]


def gather(shape: Integers, start: Integers, column: Integers, order: Integers, X: Array, rows: Array) -> None:
    """Rows of X (N, n), which `order` names from `column` + `start` on, into `rows` (M, n), equation (16)."""
    M, n, first = shape[0], shape[1], column[0] + start[0]
    for i in range(M):
        row = order[first + i] * n
        for j in range(n):
            rows[i * n + j] = X[row + j]


def relu(shape: Integers, Z: Array, A: Array) -> None:
    """A ← max(0, Z)."""
    for i in range(shape[0] * shape[1]):
        A[i] = 0 if Z[i] < 0 else Z[i]


def relu_product(shape: Integers, A: Array, G: Array) -> None:
    """G ← f'(Z) ⊙ G, with f'(0) = 0."""
    for i in range(shape[0] * shape[1]):
        G[i] = G[i] if A[i] > 0 else 0


def leaky_relu(shape: Integers, slope: Array, Z: Array, A: Array) -> None:
    """A ← max(Z, slope · Z)."""
    s = slope[0]
    for i in range(shape[0] * shape[1]):
        A[i] = s * Z[i] if Z[i] < 0 else Z[i]


def leaky_relu_product(shape: Integers, slope: Array, A: Array, G: Array) -> None:
    """G ← f'(Z) ⊙ G, with f'(0) = slope."""
    s = slope[0]
    for i in range(shape[0] * shape[1]):
        G[i] = G[i] if A[i] > 0 else s * G[i]


def linear(shape: Integers, Z: Array, A: Array) -> None:
    """A ← Z."""
    for i in range(shape[0] * shape[1]):
        A[i] = Z[i]


def linear_product(shape: Integers, A: Array, G: Array) -> None:
    """G stays: f' is 1."""


def sigmoid(shape: Integers, one: Array, Z: Array, A: Array) -> None:
    """A ← 1 / (1 + e^−Z), with a 1 of the arrays' type: Python's would make it float64."""
    unit = one[0]
    for i in range(shape[0] * shape[1]):
        A[i] = unit / (unit + np.exp(-Z[i]))


def sigmoid_product(shape: Integers, one: Array, A: Array, G: Array) -> None:
    """G ← A (1 − A) ⊙ G."""
    unit = one[0]
    for i in range(shape[0] * shape[1]):
        G[i] *= A[i] * (unit - A[i])


def exponentials(shape: Integers, row: Array, Z: Array, A: Array) -> None:
    """A ← e^(Z − largest), the largest of each column; `row` (M,) is scratch. With `shares` it is softmax."""
    n, M = shape[0], shape[1]
    for i in range(M):
        row[i] = Z[i]
    for k in range(M, n * M, M):
        for i in range(M):
            row[i] = max(row[i], Z[k + i])
    for k in range(0, n * M, M):
        for i in range(M):
            A[k + i] = np.exp(Z[k + i] - row[i])


def shares(shape: Integers, row: Array, Z: Array, A: Array) -> None:
    """A ← A / Σ A of each column; `row` (M,) is scratch."""
    n, M = shape[0], shape[1]
    for i in range(M):
        row[i] = A[i]
    for k in range(M, n * M, M):
        for i in range(M):
            row[i] += A[k + i]
    for k in range(0, n * M, M):
        for i in range(M):
            A[k + i] /= row[i]


def softmax_product(shape: Integers, row: Array, A: Array, G: Array) -> None:
    """G ← A ⊙ (G − Σ_j G_j A_j) for each column; `row` (M,) is scratch."""
    n, M = shape[0], shape[1]
    for i in range(M):
        row[i] = G[i] * A[i]
    for k in range(M, n * M, M):
        for i in range(M):
            row[i] += G[k + i] * A[k + i]
    for k in range(0, n * M, M):
        for i in range(M):
            G[k + i] = A[k + i] * (G[k + i] - row[i])


def keep(shape: Integers, examples: Integers, column: Integers, Z: Array, kept: Array) -> None:
    """Z (n, M) into M columns of `kept` (n, N), from `column` on; N stands in `examples`."""
    n, M, N, first = shape[0], shape[1], examples[0], column[0]
    for k in range(n):
        for i in range(M):
            kept[k * N + first + i] = Z[k * M + i]


def difference(shape: Integers, examples: Integers, column: Integers, A: Array, Y: Array, delta: Array) -> None:
    """delta ← A − Y, where Y are M columns of (n, N), from `column` on; N stands in `examples`."""
    n, M, N, first = shape[0], shape[1], examples[0], column[0]
    for k in range(n):
        for i in range(M):
            delta[k * M + i] = A[k * M + i] - Y[k * N + first + i]


def sign(shape: Integers, x: Array) -> None:
    """x ← sign(x), 0 where x is 0."""
    for i in range(shape[0] * shape[1]):
        x[i] = (x[i] > 0) - (x[i] < 0)


def clip(shape: Integers, limit: Array, x: Array) -> None:
    """x ← x, but −limit or limit where it is beyond."""
    most = limit[0]
    for i in range(shape[0] * shape[1]):
        x[i] = max(-most, min(x[i], most))


def scale(shape: Integers, factor: Array, x: Array) -> None:
    """x ← factor · x."""
    s = factor[0]
    for i in range(shape[0] * shape[1]):
        x[i] *= s


def add(size: Integers, x: Array, y: Array) -> None:
    """y ← y + x."""
    for i in range(size[0]):
        y[i] += x[i]


def sgd(size: Integers, factors: Array, theta: Array, g: Array) -> None:
    """θ ← θ + factor · g."""
    factor = factors[0]
    for i in range(size[0]):
        theta[i] += factor * g[i]


def momentum(size: Integers, factors: Array, theta: Array, g: Array, velocity: Array) -> None:
    """v ← μ v + factor · g, θ ← θ + v."""
    factor, mu = factors[0], factors[1]
    for i in range(size[0]):
        velocity[i] = mu * velocity[i] + factor * g[i]
        theta[i] += velocity[i]


def nesterov(size: Integers, factors: Array, theta: Array, g: Array, velocity: Array) -> None:
    """v ← μ v + factor · g, θ ← θ + μ v + factor · g."""
    factor, mu = factors[0], factors[1]
    for i in range(size[0]):
        velocity[i] = mu * velocity[i] + factor * g[i]
        theta[i] += mu * velocity[i] + factor * g[i]


def rmsprop(size: Integers, factors: Array, theta: Array, g: Array, v: Array) -> None:
    """v ← ρ v + (1 − ρ) g², θ ← θ − η g / √(v + ε)."""
    # v + (1 − ρ) (g² − v) would lose the digits of a g² much smaller than v where ρ is small.
    rate, rho, share, epsilon = factors[0], factors[1], factors[2], factors[3]
    for i in range(size[0]):
        v[i] = rho * v[i] + share * (g[i] * g[i])
        theta[i] -= rate * g[i] / np.sqrt(v[i] + epsilon)


def adam(size: Integers, factors: Array, theta: Array, g: Array, m: Array, v: Array) -> None:
    """m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← θ − decay · θ − α m / (√v + ε)."""
    rate, beta_1, share_1, beta_2, share_2 = factors[0], factors[1], factors[2], factors[3], factors[4]
    epsilon, decay = factors[5], factors[6]
    for i in range(size[0]):
        m[i] = beta_1 * m[i] + share_1 * g[i]
        v[i] = beta_2 * v[i] + share_2 * (g[i] * g[i])
        theta[i] -= decay * theta[i] + rate * m[i] / (np.sqrt(v[i]) + epsilon)


def adagrad(size: Integers, factors: Array, theta: Array, g: Array, total: Array) -> None:
    """s ← s + g², θ ← θ − η g / √(s + ε)."""
    rate, epsilon = factors[0], factors[1]
    for i in range(size[0]):
        total[i] += g[i] * g[i]
        theta[i] -= rate * g[i] / np.sqrt(total[i] + epsilon)


KEPT = {sgd: 0, momentum: 1, nesterov: 1, rmsprop: 1, adam: 2, adagrad: 1}
"""How many of the vectors that an optimizer keeps its loop takes."""
