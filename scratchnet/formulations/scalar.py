"""One example in component form, equations (1) to (8) and the components of BP1.1 to BP4.1: plain numbers and loops.

`vector` and `batch` compute the same in matrices. Cross entropies need outputs strictly between 0 and 1 here, for (32)
divides by them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scratchnet.activations import ACTIVATIONS, Activation
from scratchnet.formulations.model import Model
from scratchnet.losses import Loss

Numbers = Sequence[float]


class Layer(NamedTuple):
    """Layer l: W[i][k] connects neuron k of layer l-1 to neuron i; b[i]; f."""

    W: Sequence[Numbers]
    b: Numbers
    f: type[Activation]


class Neurons(NamedTuple):
    """What the forward pass leaves of layer l: z[i], a[i]. Of the input layer a is the example, and z is empty."""

    z: Numbers
    a: Numbers


class Gradient(NamedTuple):
    """dW[i][k] = ∂L/∂w_ik and db[i] = ∂L/∂b_i of one layer."""

    dW: Sequence[Numbers]
    db: Numbers


def layers_of(network: Model) -> list[Layer]:
    """The layers 1 to L of a network, as plain numbers."""
    names = [layer.activation for layer in network.layers]
    pairs = zip(names, network.parameters.get(), strict=True)
    return [Layer(W.tolist(), b.tolist(), ACTIVATIONS[name]) for name, (W, b) in pairs]


def forward(layers: Sequence[Layer], x: Numbers) -> list[Neurons]:
    """z and a of the layers 0 to L, equations (1) to (4) and (41); a of the last is ŷ, (6) and (7)."""
    neurons = [Neurons([], x)]
    for W, b, f in layers:
        a = neurons[-1].a
        z = [sum(a[k] * W[i][k] for k in range(len(a))) + b[i] for i in range(len(b))]  # (3)
        neurons.append(Neurons(z, [f.component(z, i) for i in range(len(z))]))  # (4)
    return neurons


def prediction(a: Numbers, threshold: Numbers) -> list[int]:
    """1 for each output above its threshold, else 0."""
    return [1 if a_i > threshold_i else 0 for a_i, threshold_i in zip(a, threshold, strict=True)]  # (8)


def cost(network: Model, X: ArrayLike, Y: ArrayLike) -> float:
    """C over the rows of X (N, n_0) and Y (N, n_L), with regularization."""
    layers, loss, examples = layers_of(network), network.loss, _examples(network, X, Y)
    losses = [loss.component(forward(layers, x)[-1].a, y) for x, y in examples]  # (15), (23)
    penalty = sum(network.regularizer.value(w) for W, _, _ in layers for row in W for w in row)
    return sum(losses) / len(losses) + penalty  # (24)


def output_error(loss: Loss, f: type[Activation], z: Numbers, a: Numbers, y: Numbers) -> list[float]:
    """delta_i = Σ_j ∂L/∂a_j ∂a_j/∂z_i, equations (27) and (28); where f is element-wise, only j = i is left, (29)."""
    n = len(a)
    return [sum(loss.partial(a, y, j) * f.partial(z, j, i) for j in range(n)) for i in range(n)]  # (28), BP1.1


def propagate(W: Sequence[Numbers], delta: Numbers, f: type[Activation], z: Numbers) -> list[float]:
    """delta_i of layer l-1 from W and delta of layer l, and z and f of layer l-1, equations (38) to (40).

    Where f is element-wise, one term of the second sum is left, (42) and (43).
    """
    n = len(z)
    dL_da = [sum(W[j][k] * delta[j] for j in range(len(delta))) for k in range(n)]  # (40)
    return [sum(dL_da[k] * f.partial(z, k, i) for k in range(n)) for i in range(n)]  # (42), (43), BP2.1


def gradient(delta: Numbers, a: Numbers) -> Gradient:
    """∂L/∂w_ik and ∂L/∂b_i of layer l from its error and the activations of layer l-1."""
    dW = [[delta[i] * a[k] for k in range(len(a))] for i in range(len(delta))]  # (49), BP3.1
    return Gradient(dW, list(delta))  # BP4.1


def backward(layers: Sequence[Layer], loss: Loss, x: Numbers, y: Numbers) -> list[Gradient]:
    """The gradients of one example's loss, layer 1 first."""
    neurons = forward(layers, x)
    delta = output_error(loss, layers[-1].f, neurons[-1].z, neurons[-1].a, y)
    gradients = [gradient(delta, neurons[-2].a)]
    for l in range(len(layers) - 1, 0, -1):  # noqa: E741 - the document's own letter
        delta = propagate(layers[l].W, delta, layers[l - 1].f, neurons[l].z)
        gradients.insert(0, gradient(delta, neurons[l - 1].a))
    return gradients


def gradients(network: Model, X: ArrayLike, Y: ArrayLike) -> NDArray[np.float64]:
    """∂C/∂θ as `Network.gradient` orders it: the mean of the examples' gradients, and the regularizer's slope."""
    layers, examples = layers_of(network), _examples(network, X, Y)
    by_example = [_flat(backward(layers, network.loss, x, y)) for x, y in examples]
    slope = network.regularizer.slope
    slopes = _flat([Gradient([[slope(w) for w in row] for row in W], [0.0] * len(b)) for W, b, _ in layers])
    sums = [sum(parts) for parts in zip(*by_example, strict=True)]
    return np.array([total / len(examples) + extra for total, extra in zip(sums, slopes, strict=True)])


def _examples(network: Model, X: ArrayLike, Y: ArrayLike) -> list[tuple[Any, Any]]:
    """Inputs and targets of each example; label smoothing is done here."""
    targets = network.loss.smooth(np.asarray(Y, float).T).T
    return list(zip(np.asarray(X, float).tolist(), targets.tolist(), strict=True))


def _flat(gradients: Sequence[Gradient]) -> list[float]:
    """The rows of [dW db], layer by layer."""
    return [value for dW, db in gradients for row, bias in zip(dW, db, strict=True) for value in (*row, bias)]
