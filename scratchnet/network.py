"""A network of dense layers: fit, predict, evaluate, save and load.

Fed by layer descriptions and arrays with one example a row; the equations themselves are in `formulations`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scratchnet import metrics, storage
from scratchnet.activations import ACTIVATIONS
from scratchnet.examples import Examples, targets
from scratchnet.formulations import batch
from scratchnet.initializers import INITIALIZERS
from scratchnet.losses import LOSSES
from scratchnet.optimizers import SGD
from scratchnet.parameters import Parameters
from scratchnet.regularizers import L2
from scratchnet.workspace import Workspace

Array = NDArray[np.floating[Any]]
Order = NDArray[np.integer[Any]]

PREDICTION_BATCH_SIZE = 1024


@dataclass(frozen=True)
class Dense:
    """One dense layer of n_l = `units` neurons."""

    units: int
    activation: str
    initializer: str = "glorot_uniform"

    def __post_init__(self) -> None:
        if self.units < 1:
            raise ValueError(f"units is {self.units}; allowed: 1 or more")
        for kind, name, table in (
            ("activation", self.activation, ACTIVATIONS),
            ("initializer", self.initializer, INITIALIZERS),
        ):
            if name not in table:
                raise ValueError(f"{kind} {name!r} is not known; allowed: {', '.join(table)}")


@dataclass(frozen=True)
class Epoch:
    """What one epoch of `fit` came to: `cost` is the mean over its steps, each before its update."""

    number: int
    cost: float
    validation: dict[str, float] | None = None


class Network:
    """Dense layers, a loss and an optimizer.

    Parameters
    ----------
    inputs : n_0, the number of input features.
    layers : the layers 1 to L; softmax may stand at the output only.
    loss : a name in `scratchnet.losses.LOSSES`; it must be defined on the output's activation.
    optimizer : an `SGD`; its velocity belongs to this network.
    l2 : factor of Σ w² in the cost.
    dtype : "float32" or "float64", of every array.
    seed : of the initial weights and of the order of examples in `fit`; a `numpy.random.Generator` is welcome.

    Raises
    ------
    ValueError
        Names the value and what is allowed.
    """

    def __init__(
        self,
        inputs: int,
        layers: Sequence[Dense],
        *,
        loss: str = "categorical_crossentropy",
        optimizer: SGD | None = None,
        l2: float = 0.0,
        dtype: str = "float32",
        seed: int | np.random.Generator = 0,
    ) -> None:
        _check(inputs, layers, loss, dtype)
        self.inputs, self.layers, self.loss_name, self.dtype = int(inputs), tuple(layers), loss, dtype
        self.loss = LOSSES[loss]
        self.optimizer = optimizer if optimizer is not None else SGD(0.1)
        self.regularizer = L2(l2)
        self._rng = np.random.default_rng(seed)
        self.parameters = Parameters([self.inputs, *(layer.units for layer in self.layers)], dtype)
        self.parameters.set(self._initial_parameters())
        self.optimizer.attach(self.parameters)
        self._scratch = [np.empty_like(W) for W in self.parameters.weights] if l2 else []
        self._workspaces: dict[int, Workspace] = {}
        self.step_costs: Array = np.zeros(0, dtype)
        """Cost of each step of the last epoch, before its update."""

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        epochs: int = 1,
        batch_size: int = 32,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
    ) -> list[Epoch]:
        """Train on X (N, n_0) and y: (N,) integer classes or (N, n_L) targets, in a new random order each epoch.

        `validation_data` is evaluated after each epoch; `on_epoch` is called with each `Epoch` as it ends.
        """
        examples, history = self.prepare(X, y), []
        for number in range(1, epochs + 1):
            cost = self.train_epoch(examples, self._rng.permutation(len(examples)), batch_size)
            validation = self.evaluate(*validation_data) if validation_data is not None else None
            history.append(Epoch(number, cost, validation))
            if on_epoch is not None:
                on_epoch(history[-1])
        return history

    def prepare(self, X: ArrayLike, y: ArrayLike) -> Examples:
        """Copy X (N, n_0) and y into the layout that `train_epoch` reads."""
        return Examples.prepare(X, y, self.inputs, self.layers[-1].units, self.dtype)

    def train_epoch(self, examples: Examples, order: Order, batch_size: int) -> float:
        """One pass over `examples` in that order (N,); the last batch is shorter where M does not divide N.

        Returns the cost: the mean over the examples, each step before its update. `step_costs` has it step by step.
        """
        starts = np.arange(0, len(order), batch_size)
        sizes = np.diff(starts, append=len(order))
        loss_inputs: Array = np.empty((len(examples.Y), len(order)), self.dtype)
        penalties = np.zeros(len(starts))
        Y = np.take(examples.Y, order, axis=1)
        with np.errstate(over="ignore"):  # the sigmoid of a very negative z is rightly 0
            for step, (columns, workspace) in enumerate(self.batches(examples, order, batch_size)):
                batch.forward(workspace)
                loss_inputs[:, columns] = batch.loss_input(workspace, self.loss)
                penalties[step] = self._penalty()
                self._update(workspace, Y[:, columns])
            losses = self.loss.per_example(loss_inputs, Y)  # (22)
        self.step_costs = np.add.reduceat(losses, starts) / sizes + penalties  # (24)
        return float(np.average(self.step_costs, weights=sizes))

    def batches(self, examples: Examples, order: Order, batch_size: int) -> Iterator[tuple[slice, Workspace]]:
        """Each batch of an epoch: its place in `order`, and the workspace into whose `rows` it has been gathered."""
        for start in range(0, len(order), batch_size):
            columns = slice(start, min(start + batch_size, len(order)))
            workspace = self._workspace(columns.stop - start)
            batch.gather(workspace, examples.X_augmented, order[columns])
            yield columns, workspace

    def _update(self, workspace: Workspace, Y: Array) -> None:
        optimizer, scale = self.optimizer, self.optimizer.scale
        for W, decay in zip(self.parameters.weights, self._scratch, strict=False):
            self.regularizer.gradient(W, scale, out=decay)
        batch.backward(workspace, self.loss, Y, scale, optimizer.beta)
        for W, decay in zip(optimizer.target.weights, self._scratch, strict=False):
            np.add(W, decay, out=W)
        optimizer.finish()

    def _penalty(self) -> float:
        return self.regularizer.cost(self.parameters.weights, self._scratch) if self._scratch else 0.0

    def predict(self, X: ArrayLike) -> Array:
        """A[L] as rows (N, n_L) for X (N, n_0)."""
        return np.ascontiguousarray(self._forward(X)[0].T)

    def evaluate(self, X: ArrayLike, y: ArrayLike) -> dict[str, float]:
        """Cost (24) with regularization, accuracy, precision and recall (macro) on X (N, n_0) and y."""
        A, loss_input = self._forward(X)
        Y, labels = targets(np.asarray(y), A.shape[1], A.shape[0], self.dtype)
        predicted, classes = metrics.predicted_classes(A.T), max(A.shape[0], 2)
        return {
            "cost": float(np.mean(self.loss.per_example(loss_input, Y))) + self._penalty(),  # (24)
            "accuracy": metrics.accuracy(predicted, labels),
            "precision": metrics.precision(predicted, labels, classes, "macro"),
            "recall": metrics.recall(predicted, labels, classes, "macro"),
        }

    def cost(self, X: ArrayLike, y: ArrayLike) -> float:
        """C of X (N, n_0) and y, equation (24), with regularization."""
        return self.evaluate(X, y)["cost"]

    def gradient(self, X: ArrayLike, y: ArrayLike) -> Array:
        """∂C/∂θ of the cost that `cost` reports, in the order of `parameters.vector`: BP1 to BP4 without an update."""
        examples, target = self.prepare(X, y), self.parameters.zeros_like()
        workspace = Workspace(self._activations, self.parameters, target, len(examples))
        batch.gather(workspace, examples.X_augmented, np.arange(len(examples)))
        with np.errstate(over="ignore"):
            batch.forward(workspace)
        batch.backward(workspace, self.loss, examples.Y, scale=1.0, beta=0.0)
        for W, dW in zip(self.parameters.weights, target.weights, strict=True):
            penalty = np.empty_like(W)
            self.regularizer.gradient(W, 1.0, out=penalty)
            np.add(dW, penalty, out=dW)
        return target.vector

    def save(self, path: str | PathLike[str]) -> None:
        """Write architecture and parameters to one `.npz` file, whole or not at all; no pickle."""
        layers = [asdict(layer) for layer in self.layers]
        description = {"inputs": self.inputs, "layers": layers, "loss": self.loss_name, "dtype": self.dtype}
        storage.save(path, {**description, "l2": self.regularizer.l2}, self.parameters.vector)

    @classmethod
    def load(cls, path: str | PathLike[str], optimizer: SGD | None = None) -> Self:
        """The network that `save` wrote.

        Raises
        ------
        ValueError
            Names the file, where it holds something else.
        """
        description, vector = storage.load(path)
        try:
            layers = [Dense(**layer) for layer in description.pop("layers")]
            network = cls(layers=layers, optimizer=optimizer, **description)
            network.parameters.vector[...] = vector
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: not a saved network ({error})") from None
        return network

    def _forward(self, X: ArrayLike) -> tuple[Array, Array]:
        """A[L] and what the loss reads, both (n_L, N); so many rows at a time, so that memory stays bounded."""
        rows = np.asarray(X)
        if rows.ndim != 2 or rows.shape[1] != self.inputs or not len(rows):
            raise ValueError(f"X has shape {rows.shape}; allowed: (N, {self.inputs}) with N of 1 or more")
        A: Array = np.empty((self.layers[-1].units, len(rows)), self.dtype)
        loss_input = np.empty_like(A)
        for start in range(0, len(rows), PREDICTION_BATCH_SIZE):
            columns = slice(start, min(start + PREDICTION_BATCH_SIZE, len(rows)))
            workspace = self._workspace(columns.stop - start)
            workspace.rows[:, :-1] = rows[columns]
            with np.errstate(over="ignore"):
                batch.forward(workspace)
            A[:, columns] = workspace.output.A
            loss_input[:, columns] = batch.loss_input(workspace, self.loss)
        return A, loss_input

    @property
    def _activations(self) -> list[str]:
        return [layer.activation for layer in self.layers]

    def _initial_parameters(self) -> list[tuple[Array, Array]]:
        draw = [INITIALIZERS[layer.initializer] for layer in self.layers]
        shapes = [W.shape for W in self.parameters.weights]
        return [(one(self._rng, *shape), np.zeros(shape[0])) for one, shape in zip(draw, shapes, strict=True)]

    def _workspace(self, batch_size: int) -> Workspace:
        if batch_size not in self._workspaces:
            self._workspaces[batch_size] = Workspace(
                self._activations, self.parameters, self.optimizer.target, batch_size
            )
        return self._workspaces[batch_size]


def _check(inputs: int, layers: Sequence[Dense], loss: str, dtype: str) -> None:
    if inputs < 1:
        raise ValueError(f"inputs is {inputs}; allowed: 1 or more")
    if not layers:
        raise ValueError("layers is empty; allowed: one Dense or more")
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype {dtype!r} is not known; allowed: float32, float64")
    if any(layer.activation == "softmax" for layer in layers[:-1]):
        raise ValueError("softmax in a hidden layer; allowed: at the output only")
    if loss not in LOSSES:
        raise ValueError(f"loss {loss!r} is not known; allowed: {', '.join(LOSSES)}")
    output, allowed = layers[-1].activation, sorted(LOSSES[loss].outputs)
    if output not in allowed:
        raise ValueError(f"loss {loss} does not fit output {output}; allowed: {', '.join(allowed)}")
