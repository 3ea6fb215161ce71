"""One example in matrix form, equations (9) to (15) and BP1.1 to BP4.1; vectors are columns (n_l, 1)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from scratchnet.activations import ACTIVATIONS, Activation
from scratchnet.arrays import Array
from scratchnet.formulations.model import Model
from scratchnet.losses import Loss


class Layer(NamedTuple):
    """Layer l: W (n_l, n_{l-1}), b (n_l, 1), f."""

    W: Array
    b: Array
    f: type[Activation]


class Neurons(NamedTuple):
    """What the forward pass leaves of layer l: z and a, (n_l, 1) each. Of the input layer a is the example."""

    z: Array
    a: Array


class Gradient(NamedTuple):
    """dW (n_l, n_{l-1}) and db (n_l, 1) of one layer."""

    dW: Array
    db: Array


def layers_of(network: Model) -> list[Layer]:
    """The layers 1 to L of a network."""
    names = [layer.activation for layer in network.layers]
    pairs = zip(names, network.parameters.get(), strict=True)
    return [Layer(W, b[:, None], ACTIVATIONS[name]) for name, (W, b) in pairs]


def forward(layers: Sequence[Layer], x: Array) -> list[Neurons]:
    """z and a of the layers 0 to L for x (n_0, 1), equations (9) to (12); a of the last is ŷ, (13) and (14)."""
    neurons = [Neurons(x, x)]
    for W, b, f in layers:
        z = W @ neurons[-1].a + b  # (9)
        neurons.append(Neurons(z, _applied(f, z)))  # (11)
    return neurons


def _applied(f: type[Activation], z: Array) -> Array:
    a = np.empty_like(z)
    with np.errstate(over="ignore"):  # the sigmoid of a very negative z is rightly 0
        f(z.shape, z.dtype).forward(z, a)
    return a


def cost(network: Model, X: ArrayLike, Y: ArrayLike) -> float:
    """C over the rows of X (N, n_0) and Y (N, n_L), with regularization."""
    layers, loss = layers_of(network), network.loss
    outputs = [(forward(layers, x)[-1], y) for x, y in _examples(network, X, Y)]
    losses = [loss.per_example(z if loss.from_weighted_input else a, y)[0] for (z, a), y in outputs]  # (15)
    weights = [W for W, _, _ in layers]
    return float(np.mean(losses)) + network.regularizer.cost(weights, [np.empty_like(W) for W in weights])  # (24)


def jacobian(f: type[Activation], z: Array) -> Array:
    """∂a/∂z (n, n) of (25) and (26): row j holds the derivatives of a_j; diagonal where f is element-wise."""
    numbers: list[float] = z[:, 0].tolist()
    n = range(len(numbers))
    return np.array([[f.partial(numbers, j, i) for i in n] for j in n], z.dtype)


def output_error(loss: Loss, f: type[Activation], z: Array, a: Array, y: Array) -> Array:
    """delta[L] = (∂L/∂a ∂a/∂z)ᵀ, a column (n_L, 1)."""
    outputs, targets = a[:, 0].tolist(), y[:, 0].tolist()
    dL_da = np.array([[loss.partial(outputs, targets, j) for j in range(len(outputs))]], z.dtype)
    return (dL_da @ jacobian(f, z)).T  # (25), (26), (31), BP1.1


def propagate(W: Array, delta: Array, f: type[Activation], z: Array) -> Array:
    """delta[l-1] (n_{l-1}, 1) from W and delta of layer l, equations (36) and (37).

    Where f is element-wise, it is f'(z) ⊙ Wᵀ delta, (44) to (47).
    """
    return jacobian(f, z).T @ (W.T @ delta)  # (36), (47), BP2.1


def gradient(delta: Array, a: Array) -> Gradient:
    """∂L/∂W = delta aᵀ, from (48) and (49), and ∂L/∂b = delta of layer l; a is that of layer l-1."""
    return Gradient(delta @ a.T, delta)  # (48), BP3.1 and BP4.1


def backward(layers: Sequence[Layer], loss: Loss, x: Array, y: Array) -> list[Gradient]:
    """The gradients of one example's loss, layer 1 first."""
    neurons = forward(layers, x)
    delta = output_error(loss, layers[-1].f, neurons[-1].z, neurons[-1].a, y)
    gradients = [gradient(delta, neurons[-2].a)]
    for l in range(len(layers) - 1, 0, -1):  # noqa: E741 - the document's own letter
        delta = propagate(layers[l].W, delta, layers[l - 1].f, neurons[l].z)
        gradients.insert(0, gradient(delta, neurons[l - 1].a))
    return gradients


def gradients(network: Model, X: ArrayLike, Y: ArrayLike) -> Array:
    """∂C/∂θ as `Network.gradient` orders it: the mean of the examples' gradients, and the regularizer's."""
    layers, total = layers_of(network), network.parameters.zeros_like()
    examples = _examples(network, X, Y)
    for x, y in examples:
        for W_b, (dW, db) in zip(total.augmented, backward(layers, network.loss, x, y), strict=True):
            W_b += np.hstack([dW, db]) / len(examples)
    for dW, (W, _, _) in zip(total.weights, layers, strict=True):
        network.regularizer.gradient(W, 1.0, penalty := np.empty_like(W), np.empty_like(W))
        dW += penalty
    return total.vector


def _examples(network: Model, X: ArrayLike, Y: ArrayLike) -> list[tuple[Array, Array]]:
    """Columns x and y of each example; label smoothing is done here."""
    inputs, targets = np.asarray(X, network.dtype), network.loss.smooth(np.asarray(Y, network.dtype).T).T
    return [(x[:, None], y[:, None]) for x, y in zip(inputs, targets, strict=True)]
