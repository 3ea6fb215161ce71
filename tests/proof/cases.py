"""Small networks in float64 with a batch each, for every activation, loss with output, depth and regularizer.

All come from the tables of scratchnet, so that a new name in one of them is proved at once.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet import Dense, Network
from scratchnet.formulations import vector
from scratchnet.losses import LOSSES, Loss

Array = np.ndarray[Any, np.dtype[np.float64]]

OUTPUTS = [(loss, output) for loss in LOSSES for output in sorted(LOSSES[loss].outputs)]


def is_allowed(hidden: str, loss: str, output: str, *rest: object) -> bool:
    """Whether a network may have that output with that loss."""
    return (loss, output) in OUTPUTS


# Factors that float32 holds exactly: Keras takes a regularizer's factor through float32, whatever the dtype.
REGULARIZERS = {"none": {}, "l1": {"l1": 1 / 32}, "l2": {"l2": 1 / 16}, "l1+l2": {"l1": 1 / 64, "l2": 1 / 32}}
SMOOTHED = [name for name in LOSSES if name.endswith("crossentropy") and name != "sparse_categorical_crossentropy"]
BINARY, CATEGORICAL = {"sigmoid"}, {"softmax"}

INPUTS, WIDTHS, CLASSES, EXAMPLES = 2, (3, 2, 2), 3, 4
KINKED = {"relu", "leaky_relu", "elu"}
KINK_DISTANCE = 1e-3
"""Central differences move a weighted input by about 1e-5: so far from a kink, none is crossed."""
TRIES = 1000


class Case(NamedTuple):
    """A network, X (N, n_0) and Y (N, n_L)."""

    network: Network
    X: Array
    Y: Array


def case(
    hidden: str,
    loss: str | Loss,
    output: str,
    depth: int = 1,
    *,
    classes: int = CLASSES,
    examples: int = EXAMPLES,
    dropout: float = 0.0,
    **options: Any,
) -> Case:
    """The first case of a fixed sequence that stands away from every kink, with each layer's gradient alive."""
    constant = output == "softmax" and classes == 1
    for number in range(TRIES):
        rng = np.random.default_rng([number, depth, classes, examples])
        layers = [*(Dense(n, hidden, dropout=dropout) for n in WIDTHS[:depth]), Dense(classes, output)]
        network = Network(INPUTS, layers, loss=loss, dtype="float64", **options)
        network.parameters.vector[...] = rng.normal(size=network.parameters.vector.shape)
        X = rng.normal(size=(examples, INPUTS))
        found = Case(network, X, targets(network.loss, rng, (examples, classes)))
        if distance_to_kinks(found) > KINK_DISTANCE and (constant or reaches_every_layer(found)):
            return found
    raise AssertionError(f"no case of {hidden}, {loss}, {output}, depth {depth} in {TRIES} tries")


def targets(loss: Loss, rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Targets that the loss is defined on, not only whole classes."""
    if loss.outputs == BINARY:
        return rng.uniform(size=shape)
    if loss.outputs == CATEGORICAL and "sparse" not in type(loss).__name__.lower():
        return rng.dirichlet(np.ones(shape[1]), size=shape[0])
    if loss.outputs == CATEGORICAL:
        return np.eye(shape[1])[rng.integers(0, shape[1], shape[0])]
    return rng.normal(size=shape)


def distance_to_kinks(of: Case) -> float:
    """The least distance of any number to where the cost has no derivative in it; infinite where there is none."""
    network, X, Y = of
    neurons = [vector.forward(vector.layers_of(network), x[:, None])[1:] for x in X]
    names = [layer.activation for layer in network.layers]
    distances = [z for one in neurons for (z, _), name in zip(one, names, strict=True) if name in KINKED]
    errors = np.abs(np.hstack([one[-1].a for one in neurons]).T - Y)
    if type(network.loss) is LOSSES["mean_absolute_error"]:
        distances.append(errors)
    if type(network.loss) is LOSSES["huber"]:
        distances.append(errors - network.loss.delta)
    if network.regularizer.l1:
        distances += network.parameters.weights
    return min((float(np.min(np.abs(array))) for array in distances), default=np.inf)


def reaches_every_layer(of: Case) -> bool:
    """Whether no layer's error is zero in every example: a layer of dead neurons would prove nothing."""
    gradient = of.network.parameters.zeros_like()
    gradient.vector[...] = of.network.gradient(of.X, of.Y)
    return all(np.abs(db).max() > 1e-3 for db in gradient.biases)


def distance(values: Any, expected: Any) -> float:
    """‖values − expected‖ / ‖expected‖; where the latter is 0, the former."""
    scale = float(np.linalg.norm(np.atleast_1d(expected)))
    return float(np.linalg.norm(np.atleast_1d(values) - np.atleast_1d(expected))) / (scale or 1.0)
