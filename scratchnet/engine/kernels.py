"""The part of a step that is not a matrix product, as loops over numbers in memory: each is compiled for both dtypes.

A kernel takes contiguous vectors. A is a layer's activation. G is what is multiplied by the derivative. S is the
derivative, for functions whose derivative does not follow from A. Each activation, loss and optimizer has its formula
in the module of that name.
"""

import math
from typing import Any

from numba import njit

from scratchnet.activations import LEAKY_SLOPE, SQRT_HALF
from scratchnet.engine.functions import absolute, exp, expm1, normal, sigmoid, softplus, tanh
from scratchnet.engine.intrinsics import fetch, like, number, procedure, size_of, vector
from scratchnet.engine.machine import CACHE_LINE

# Activations: A ← f(A) of A = Z, and G ← f'(Z) ⊙ G.


@procedure
def linear(A, S, one):  # type: ignore[no-untyped-def]
    """A stays."""


@procedure
def linear_product(A, S, G, one):  # type: ignore[no-untyped-def]
    """G stays."""


@procedure
def relu(A, S, one):  # type: ignore[no-untyped-def]
    """max(0, z)."""
    zero = like(0.0, one)
    for i in range(len(A)):
        A[i] = zero if A[i] < zero else A[i]


@procedure
def relu_product(A, S, G, one):  # type: ignore[no-untyped-def]
    """1 where z > 0."""
    zero = like(0.0, one)
    for i in range(len(A)):
        G[i] = G[i] if A[i] > zero else zero


@procedure
def leaky_relu(A, S, one):  # type: ignore[no-untyped-def]
    """max(z, slope z)."""
    zero, slope = like(0.0, one), like(LEAKY_SLOPE, one)
    for i in range(len(A)):
        A[i] = slope * A[i] if A[i] < zero else A[i]


@procedure
def leaky_relu_product(A, S, G, one):  # type: ignore[no-untyped-def]
    """1 where z > 0, else the slope."""
    zero, slope = like(0.0, one), like(LEAKY_SLOPE, one)
    for i in range(len(A)):
        G[i] = G[i] if A[i] > zero else slope * G[i]


@procedure
def elu(A, S, one):  # type: ignore[no-untyped-def]
    """z where z > 0, else eᶻ − 1."""
    zero = like(0.0, one)
    for i in range(len(A)):
        z = A[i]
        below = expm1(zero if z > zero else z)
        A[i] = z if z > zero else below


@procedure
def elu_product(A, S, G, one):  # type: ignore[no-untyped-def]
    """1 where z ≥ 0, else f + 1."""
    zero = like(0.0, one)
    for i in range(len(A)):
        G[i] *= (zero if A[i] > zero else A[i]) + one


@procedure
def sigmoids(A, S, one):  # type: ignore[no-untyped-def]
    """1 / (1 + e⁻ᶻ)."""
    for i in range(len(A)):
        A[i] = sigmoid(A[i])


@procedure
def sigmoid_product(A, S, G, one):  # type: ignore[no-untyped-def]
    """f (1 − f)."""
    for i in range(len(A)):
        G[i] *= A[i] * (one - A[i])


@procedure
def tanhs(A, S, one):  # type: ignore[no-untyped-def]
    """tanh z."""
    for i in range(len(A)):
        A[i] = tanh(A[i])


@procedure
def tanh_product(A, S, G, one):  # type: ignore[no-untyped-def]
    """1 − f²."""
    for i in range(len(A)):
        G[i] *= one - A[i] * A[i]


@procedure
def softpluses(A, S, one):  # type: ignore[no-untyped-def]
    """ln(1 + eᶻ)."""
    for i in range(len(A)):
        A[i] = softplus(A[i])


@procedure
def softplus_product(A, S, G, one):  # type: ignore[no-untyped-def]
    """1 − e^−f."""
    for i in range(len(A)):
        G[i] *= -expm1(-A[i])


@procedure
def silu(A, S, one):  # type: ignore[no-untyped-def]
    """z σ(z); S ← σ + f (1 − σ)."""
    for i in range(len(A)):
        share = sigmoid(A[i])
        f = A[i] * share
        S[i] = share + f * (one - share)
        A[i] = f


@procedure
def gelu(A, S, one):  # type: ignore[no-untyped-def]
    """z Φ(z); S ← Φ + z φ."""
    root_half = like(SQRT_HALF, one)
    height = like(SQRT_HALF / math.sqrt(math.pi), one)
    for i in range(len(A)):
        z = A[i]
        share, density = normal(z, root_half)
        S[i] = share + z * (density * height)
        A[i] = z * share


@procedure
def kept_product(A, S, G, one):  # type: ignore[no-untyped-def]
    """What `forward` kept."""
    for i in range(len(A)):
        G[i] *= S[i]


# Softmax, which looks at all neurons of an example.


@procedure
def softmax_row(A, one):  # type: ignore[no-untyped-def]
    """A ← softmax of the one example A (n,)."""
    largest, total = A[0], like(0.0, one)
    for k in range(1, len(A)):
        largest = max(largest, A[k])
    for k in range(len(A)):
        A[k] = exp(A[k] - largest)
    for k in range(len(A)):
        total += A[k]
    for k in range(len(A)):
        A[k] /= total


@procedure
def softmax_row_product(A, G, one):  # type: ignore[no-untyped-def]
    """G ← A ⊙ (G − Σ_j G_j A_j) of one example."""
    total = like(0.0, one)
    for k in range(len(A)):
        total += G[k] * A[k]
    for k in range(len(A)):
        G[k] = A[k] * (G[k] - total)


@procedure
def softmax_columns(A, largest, total, n, M, one):  # type: ignore[no-untyped-def]
    """A (n, M) ← softmax of each column, its largest number and the sum of its exponentials."""
    for i in range(M):
        largest[i] = A[i]
        total[i] = like(0.0, one)
    for k in range(M, n * M, M):
        for i in range(M):
            largest[i] = A[k + i] if A[k + i] > largest[i] else largest[i]
    for k in range(0, n * M, M):
        for i in range(M):
            A[k + i] = exp(A[k + i] - largest[i])
            total[i] += A[k + i]
    for k in range(0, n * M, M):
        for i in range(M):
            A[k + i] /= total[i]


@procedure
def softmax_columns_product(A, G, total, n, M, one):  # type: ignore[no-untyped-def]
    """G (n, M) ← A ⊙ (G − Σ_j G_j A_j) of each column."""
    for i in range(M):
        total[i] = like(0.0, one)
    for k in range(0, n * M, M):
        for i in range(M):
            total[i] += G[k + i] * A[k + i]
    for k in range(0, n * M, M):
        for i in range(M):
            G[k + i] = A[k + i] * (G[k + i] - total[i])


# Losses: the term of one output and its derivative. z and a are weighted input and activation, y the target, `shift`
# the logarithm of the column's sum of exponentials, `limit` Huber's threshold.


@number
def squared(z, a, y, shift, limit):  # type: ignore[no-untyped-def]
    """(a − y)²."""
    return (a - y) * (a - y)


@number
def squared_slope(a, y, limit):  # type: ignore[no-untyped-def]
    """2 (a − y)."""
    return (a - y) + (a - y)


@number
def distance(z, a, y, shift, limit):  # type: ignore[no-untyped-def]
    """|a − y|."""
    return absolute(a - y)


@number
def distance_slope(a, y, limit):  # type: ignore[no-untyped-def]
    """The sign of a − y."""
    zero, one = like(0.0, a), like(1.0, a)
    return one if a > y else (-one if a < y else (a - y if a != y else zero))


@number
def huber(z, a, y, shift, limit):  # type: ignore[no-untyped-def]
    """e²/2 where |e| ≤ δ, else δ|e| − δ²/2."""
    error, half = absolute(a - y), like(0.5, a)
    return half * error * error if error <= limit else limit * (error - half * limit)


@number
def huber_slope(a, y, limit):  # type: ignore[no-untyped-def]
    """a − y, at most δ from 0."""
    error = a - y
    error = limit if error > limit else error
    return -limit if error < -limit else error


@number
def binary(z, a, y, shift, limit):  # type: ignore[no-untyped-def]
    """ln(1 + eᶻ) − z y."""
    return softplus(z) - z * y


@number
def categorical(z, a, y, shift, limit):  # type: ignore[no-untyped-def]
    """y (ln Σ eᶻ − z)."""
    return y * (shift - z)


@number
def difference(a, y, limit):  # type: ignore[no-untyped-def]
    """a − y, where the activation's derivative cancels."""
    return a - y


def loss_kernel(term: Any, slope: Any) -> Any:
    """The loop over the outputs of a batch: losses (M,) and delta (n, M), the derivative of each by a (or by z)."""

    @procedure
    def kernel(Z, A, Y, shift, delta, losses, n, M, share, limit, one):  # type: ignore[no-untyped-def]
        for i in range(M):
            losses[i] = like(0.0, one)
        for k in range(0, n * M, M):
            for i in range(M):
                losses[i] += share * term(Z[k + i], A[k + i], Y[k + i], shift[i], limit)
                delta[k + i] = share * slope(A[k + i], Y[k + i], limit)

    return kernel


# Optimizers: θ is updated from g, with what is kept from step to step and the factors of the step.


@procedure
def nothing(theta, g, u, v, w, f):  # type: ignore[no-untyped-def]
    """The product has added −η g to θ."""


@procedure
def added(theta, g, u, v, w, f):  # type: ignore[no-untyped-def]
    """θ ← θ + factor · g."""
    factor = f[0]
    for i in range(len(theta)):
        theta[i] += factor * g[i]


@procedure
def momentum(theta, g, u, v, w, f):  # type: ignore[no-untyped-def]
    """v ← μ v + factor · g, θ ← θ + v."""
    factor, mu = f[0], f[1]
    for i in range(len(theta)):
        u[i] = mu * u[i] + factor * g[i]
        theta[i] += u[i]


@procedure
def nesterov(theta, g, u, v, w, f):  # type: ignore[no-untyped-def]
    """v ← μ v + factor · g, θ ← θ + μ v + factor · g."""
    factor, mu = f[0], f[1]
    for i in range(len(theta)):
        step = factor * g[i]
        u[i] = mu * u[i] + step
        theta[i] += mu * u[i] + step


def _rmsprop(centered: bool, has_momentum: bool) -> Any:
    """v ← ρ v + (1 − ρ) g², θ ← θ − η g / √(v + ε), with its two options."""

    @procedure
    def kernel(theta, g, u, v, w, f):  # type: ignore[no-untyped-def]
        rate, rho, share, epsilon, mu = f[0], f[1], f[2], f[3], f[4]
        for i in range(len(theta)):
            u[i] = rho * u[i] + share * (g[i] * g[i])
            variance = u[i] + epsilon
            if centered:
                v[i] = rho * v[i] + share * g[i]
                variance -= v[i] * v[i]
                variance = epsilon if variance < epsilon else variance
            step = rate * (g[i] / math.sqrt(variance))
            if has_momentum and centered:
                w[i] = mu * w[i] + step
                step = w[i]
            elif has_momentum:
                v[i] = mu * v[i] + step
                step = v[i]
            theta[i] -= step

    return kernel


rmsprop, rmsprop_momentum = _rmsprop(False, False), _rmsprop(False, True)
rmsprop_centered, rmsprop_centered_momentum = _rmsprop(True, False), _rmsprop(True, True)


@procedure
def adam(theta, g, u, v, w, f):  # type: ignore[no-untyped-def]
    """m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← θ − decay · θ − α m / (√v + ε)."""
    rate, beta_1, share_1, beta_2, share_2, epsilon, decayed = f[0], f[1], f[2], f[3], f[4], f[5], f[6]
    for i in range(len(theta)):
        u[i] = beta_1 * u[i] + share_1 * g[i]
        v[i] = beta_2 * v[i] + share_2 * (g[i] * g[i])
        theta[i] -= decayed * theta[i] + rate * u[i] / (math.sqrt(v[i]) + epsilon)


@procedure
def adagrad(theta, g, u, v, w, f):  # type: ignore[no-untyped-def]
    """s ← s + g², θ ← θ − η g / √(s + ε)."""
    rate, epsilon = f[0], f[1]
    for i in range(len(theta)):
        u[i] += g[i] * g[i]
        theta[i] -= rate * (g[i] / math.sqrt(u[i] + epsilon))


# The rest of a step.


@procedure
def gather(X, X_step, order, count, rows, rows_step, width, one):  # type: ignore[no-untyped-def]
    """The rows of X that `order` (count,) names, `width` numbers each, one below the other, equation (16)."""
    for i in range(count):
        following = X + order[min(i + 1, count - 1)] * X_step  # memory is slow: two rows at a time are on their way
        for line in range(0, width * size_of(one), CACHE_LINE):
            fetch(following + line)
        source, row = vector(X + order[i] * X_step, width, one), vector(rows + i * rows_step, width, one)
        for j in range(width):
            row[j] = source[j]


@procedure
def gather_targets(targets, order, n, M, Y, one):  # type: ignore[no-untyped-def]
    """Y (n, M) ← the rows of `targets` (N, n) that `order` (M,) names, as columns."""
    for i in range(M):
        first = order[i] * n
        for k in range(n):
            Y[k * M + i] = targets[first + k]


@njit(fastmath={"reassoc", "contract"}, error_model="numpy", nogil=True)
def decay(theta, target, beta, l1, l2):  # type: ignore[no-untyped-def]
    """target ← β target + l1 sign(θ) + 2 l2 θ; Σ|θ| and Σ θ²."""
    zero = like(0.0, beta)
    total, squares = zero, zero
    for i in range(len(theta)):
        w = theta[i]
        sign = l1 if w > zero else (-l1 if w < zero else zero)
        total += absolute(w)
        squares += w * w
        target[i] = (beta * target[i] if beta != zero else zero) + sign + (l2 + l2) * w
    return total, squares


@njit(fastmath={"reassoc", "contract"}, error_model="numpy", nogil=True)
def sum_of_squares(g, one):  # type: ignore[no-untyped-def]
    """Σ g²."""
    total = like(0.0, one)
    for i in range(len(g)):
        total += g[i] * g[i]
    return total


@njit(fastmath={"reassoc", "contract"}, error_model="numpy", nogil=True)
def times_zero(x, one):  # type: ignore[no-untyped-def]
    """0 where all numbers are finite, else `nan`."""
    total = like(0.0, one)
    for i in range(len(x)):
        total += x[i] * like(0.0, one)
    return total
