"""A network of dense layers: fit, predict, evaluate, save and load; the equations themselves are in `formulations`."""

import copy
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from os import PathLike
from types import NoneType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from scratchnet import engine, metrics, storage
from scratchnet.arrays import Array, Mask, Order, check_finite, check_masks, check_order
from scratchnet.arrays import rows as checked_rows
from scratchnet.checks import instance, integer, known, shown
from scratchnet.divergence import check_epoch
from scratchnet.dropout import masks_of
from scratchnet.early_stopping import EarlyStopping, StoppableTraining
from scratchnet.examples import Examples, targets, weights_of
from scratchnet.formulations import batch
from scratchnet.formulations.trainer import Trainer
from scratchnet.initializers import INITIALIZERS
from scratchnet.layers import Dense, check
from scratchnet.losses import LOSSES, Loss
from scratchnet.optimizers import SGD, Optimizer
from scratchnet.parameters import Parameters
from scratchnet.regularizers import L1L2
from scratchnet.training_lock import TrainingLock, one_thread_at_a_time
from scratchnet.workspace import Workspace

BOUND = ("_training", "_trainer")
"""Attributes that a copy of a network makes anew."""


@dataclass(frozen=True)
class Epoch:
    """The result of one epoch of `fit`: `cost` is the mean over its steps, each before its update."""

    number: int
    cost: float
    validation: dict[str, float] | None = None

    @property
    def monitored(self) -> dict[str, float]:
        """The values that early stopping may watch, by name."""
        validation = {f"validation_{name}": value for name, value in (self.validation or {}).items()}
        return {"train_cost": self.cost, **validation}


class Network:
    """Dense layers, a loss and an optimizer. A wrong value is a ValueError or TypeError that says what is allowed.

    inputs : n_0, the number of input features.
    layers : the layers 1 to L.
    loss : a name in `scratchnet.losses.LOSSES`, or one of its objects; it must be defined on the output's activation.
    optimizer : one of `scratchnet.optimizers`, which no other network uses: `copy.deepcopy` makes another. Left out:
        SGD(0.1).
    l1, l2 : factors of Σ|w| and Σ w² in the cost.
    dtype : "float32" or "float64", of every array.
    threads : how many threads may work on it together, at most one a core; left out: all cores that can be used. Small
        steps take one. The mathematics is the same; sums of another order are rounded otherwise.
    seed : of the initial weights, and of order and dropout in `fit`; a `numpy.random.Generator` is welcome.

    Several threads may predict, evaluate, and ask for cost and gradient at once. One thread at a time may train; a
    second one gets a RuntimeError. A read while another thread trains sees the parameters of that moment, some perhaps
    before and some after an update. Copies (`copy.deepcopy`) and pickles train on as this network would.
    """

    def __init__(
        self,
        inputs: int,
        layers: Sequence[Dense],
        *,
        loss: str | Loss = "categorical_crossentropy",
        optimizer: Optimizer | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        dtype: str = "float32",
        seed: int | np.random.Generator = 0,
        threads: int | None = None,
    ) -> None:
        self.inputs, self.layers, self.dtype = integer("inputs", inputs, 1), _layers(layers), _dtype(dtype)
        self.loss_name, self.loss = _loss(loss)
        check(self.layers, self.loss_name, self.loss)
        self.is_regression = self.loss.is_regression(self.layers[-1].activation)
        """Whether `evaluate` reports errors of real numbers; otherwise accuracy and the like."""
        self.optimizer = _optimizer(optimizer) or SGD(0.1)
        self.regularizer = L1L2(l1, l2)
        self._rng = _generator(seed)
        self.threads = usable_cores() if threads is None else integer("threads", threads, 1)
        self.parameters = Parameters([self.inputs, *(layer.units for layer in self.layers)], self.dtype)
        self.parameters.set(self._initial_parameters())
        self.step_costs: Array = np.zeros(0, self.dtype)
        """Cost of each step of the last epoch, before its update."""
        self._bind()

    def _bind(self) -> None:
        """Make all that is bound to the parameters, and no part of a copy."""
        self.optimizer.attach(self.parameters)
        self._training = TrainingLock()
        parts = self.layers, self.parameters, self.loss, self.optimizer, self.regularizer, self.threads
        self._trainer = self.trainer_kind()(*parts)

    def trainer_kind(self) -> type[Trainer]:
        """The class that takes the steps and predicts: of the engine, or of the formulations."""
        return engine.trainer_for(self.loss, self.optimizer) or Trainer

    def __getstate__(self) -> dict[str, Any]:
        """Settings, parameters, random state, the optimizer's memory: a copy or a pickle trains on from here."""
        state = {name: value for name, value in vars(self).items() if name not in BOUND}
        return {**state, "memory": self.optimizer.memory()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        memory = state.pop("memory")
        vars(self).update(state)
        self._bind()
        self.optimizer.remember(memory)

    def __copy__(self) -> Self:
        """A deep copy: parameters and optimizer belong to one network."""
        return copy.deepcopy(self)

    @one_thread_at_a_time
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        epochs: int = 1,
        batch_size: int = 32,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
        sample_weight: ArrayLike | None = None,
        class_weight: Mapping[int, float] | None = None,
        early_stopping: EarlyStopping | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
    ) -> list[Epoch]:
        """Train on X (N, n_0) and y: (N,) integer classes or (N, n_L) targets, in a new random order each epoch.

        `validation_data`, (X, y) or (X, y, sample_weight), is evaluated after each epoch; `on_epoch` is called with
        each `Epoch` as it ends. An example's loss counts as often as `sample_weight` (N,) and `class_weight`
        (class → factor) say, both multiplied; the cost still divides by the number of examples, as in Keras.

        All arguments are checked before the first step. A DivergedError tells that the cost or a parameter is no longer
        finite; early stopping with `restore_best` still puts the best back.
        """
        epochs, batch_size = integer("epochs", epochs, 1), integer("batch_size", batch_size, 1)
        if on_epoch is not None and not callable(on_epoch):
            raise TypeError(f"on_epoch is {shown(on_epoch)}; allowed: a function of an Epoch")
        examples, history = self.prepare(X, y, sample_weight, class_weight), []
        _check_early_stopping(early_stopping, self._monitors(validation_data))
        with StoppableTraining(early_stopping, self.parameters.vector) as training:
            for number in range(1, epochs + 1):
                order = self._rng.permutation(len(examples))
                masks = masks_of(self._rng, self.layers, len(examples))
                with np.errstate(all="ignore"):
                    cost = self.train_epoch(examples, order, batch_size, masks)
                    check_epoch(number, cost, self.parameters.vector, self.optimizer.learning_rate)
                validation = self.evaluate(*validation_data) if validation_data is not None else None
                history.append(Epoch(number, cost, validation))
                if on_epoch is not None:
                    on_epoch(history[-1])
                if training.stops(history[-1].monitored):
                    break
        return history

    def prepare(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        class_weight: Mapping[int, float] | None = None,
    ) -> Examples:
        """Copy X (N, n_0), y and the weights into the layout that `train_epoch` reads."""
        if class_weight is not None and self.is_regression:
            raise ValueError(f"class_weight in a regression ({self.loss_name}); allowed: sample_weight")
        examples = Examples.prepare(X, y, self.inputs, self.layers[-1].units, self.dtype)
        return examples.smoothed(self.loss).weighted(sample_weight, class_weight)

    @one_thread_at_a_time
    def train_epoch(self, examples: Examples, order: Order, batch_size: int, masks: Sequence[Mask] = ()) -> float:
        """One pass over `examples` in that order (N,); the last batch is shorter where M does not divide N.

        masks : for each layer with dropout, which neurons are kept, (N, n_l); row i is of the example at order[i].
        Returns the cost: the mean over the examples, each step before its update. `step_costs` has it step by step.
        """
        instance("examples", examples, Examples, "what network.prepare(X, y) returns")
        examples.check_fit(self.inputs, self.layers[-1].units)
        order, batch_size = check_order(order, len(examples)), integer("batch_size", batch_size, 1)
        check_masks(masks, self._dropped_units(), len(order))
        self.step_costs = self._trainer.train(examples, order, batch_size, masks)
        sizes = np.diff(np.arange(0, len(order), batch_size), append=len(order))
        return float(np.average(self.step_costs, weights=sizes))

    def batches(self, examples: Examples, order: Order, batch_size: int) -> Iterator[Array]:
        """X of each batch (M, n_0) of an epoch in that order, as its steps gather it: to check what is trained on.

        Not while another thread trains.
        """
        return self._trainer.gathered(examples, check_order(order, len(examples)), batch_size)

    def predict(self, X: ArrayLike) -> Array:
        """A[L] as rows (N, n_L) for X (N, n_0)."""
        return self._forward(X)[0]

    def evaluate(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, masks: Sequence[Mask] = ()
    ) -> dict[str, float]:
        """Cost (24) with regularization, and metrics of the task, on X (N, n_0) and y.

        Of a classification they are accuracy, precision, recall and F1 (macro averages); of a regression, which is a
        loss of errors on an output other than sigmoid and softmax: mean absolute error, root mean squared error, R².
        The cost counts each example's loss as often as `sample_weight` (N,) says. `masks` are those of `train_epoch`,
        in the order of the rows: the cost of a training step with dropout.
        """
        A, Z = self._forward(X, masks)
        Y, labels = targets(y, len(A), A.shape[1], self.dtype)
        losses = self.loss.per_example((Z if self.loss.from_weighted_input else A).T, self.loss.smooth(Y))
        losses = losses * weights_of(sample_weight, len(losses), self.dtype)
        penalty = self.regularizer.cost(self.parameters.weights, self.parameters.zeros_like().weights)
        return {
            "cost": float(np.mean(losses, dtype=np.float64)) + penalty,  # (24)
            **(metrics.of_numbers(A, Y.T) if self.is_regression else metrics.of_classes(A, labels)),
        }

    def cost(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, masks: Sequence[Mask] = ()
    ) -> float:
        """C of X (N, n_0) and y, equation (24), with regularization; weights and masks as in `evaluate`."""
        return self.evaluate(X, y, sample_weight, masks)["cost"]

    def gradient(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, masks: Sequence[Mask] = ()
    ) -> Array:
        """∂C/∂θ of the cost that `cost` reports, in the order of `parameters.vector`: BP1 to BP4 without an update."""
        examples, target = self.prepare(X, y, sample_weight), self.parameters.zeros_like()
        workspace = Workspace(self.layers, self.parameters, target, len(examples))
        self._check_masks(masks, len(examples))
        workspace.keep(masks)
        batch.gather(workspace, examples.X_augmented, np.arange(len(examples)))
        with np.errstate(over="ignore"):
            batch.forward(workspace)
        batch.backward(workspace, self.loss, examples.Y, scale=1.0, beta=0.0, weights=examples.weights)
        for W, dW in zip(self.parameters.weights, target.weights, strict=True):
            self.regularizer.gradient(W, 1.0, penalty := np.empty_like(W), np.empty_like(W))
            dW += penalty
        return target.vector

    def save(self, path: str | PathLike[str]) -> None:
        """Write architecture and parameters to one `.npz` file, whole or not at all; no pickle."""
        description = {
            "inputs": self.inputs,
            "layers": [asdict(layer) for layer in self.layers],
            "loss": {"name": self.loss_name, **asdict(self.loss)},
            "dtype": self.dtype,
            "l1": self.regularizer.l1,
            "l2": self.regularizer.l2,
        }
        storage.save(path, description, self.parameters.vector)

    @classmethod
    def load(cls, path: str | PathLike[str], optimizer: Optimizer | None = None) -> Self:
        """The network that `save` wrote; a ValueError names the file where it holds something else."""
        if (given := _optimizer(optimizer)) is not None:
            given.check_unused()
        description, vector = storage.load(path)
        try:
            layers = [Dense(**layer) for layer in description.pop("layers")]
            loss = _stored_loss(description.pop("loss"))
            network = cls(layers=layers, loss=loss, optimizer=optimizer, **description)
            network.parameters.vector[...] = vector
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: not a saved network ({error})") from None
        return network

    def _forward(self, X: ArrayLike, masks: Sequence[Mask] = ()) -> tuple[Array, Array]:
        """A[L] and Z[L], both (N, n_L)."""
        rows = checked_rows(X, self.inputs)
        self._check_masks(masks, len(rows))
        return self._trainer.forward(rows, masks)

    def _dropped_units(self) -> list[int]:
        """n_l of each layer with dropout."""
        return [layer.units for layer in self.layers if layer.dropout]

    def _check_masks(self, masks: Sequence[Mask], examples: int) -> None:
        """No masks: nothing is dropped."""
        check_masks(masks, self._dropped_units() if len(masks) else [], examples)

    def _monitors(self, validation_data: Any) -> list[str]:
        """What early stopping can watch; refuses validation data that `evaluate` would refuse after an epoch."""
        if validation_data is None:
            return ["train_cost"]
        pair = "(X, y) or (X, y, sample_weight)"
        instance("validation_data", validation_data, (tuple, list), pair)
        if len(validation_data) not in (2, 3):
            raise ValueError(f"validation_data has {len(validation_data)} items; allowed: {pair}")
        self._check_data(*validation_data)
        names = metrics.REGRESSION if self.is_regression else metrics.CLASSIFICATION
        return ["train_cost", "validation_cost", *(f"validation_{name}" for name in names)]

    def _check_data(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Refuse what `evaluate` would refuse."""
        rows = checked_rows(X, self.inputs)
        check_finite("X", rows, self.dtype)
        Y, _ = targets(y, len(rows), self.layers[-1].units, self.dtype)
        self.loss.smooth(Y)
        weights_of(sample_weight, len(rows), self.dtype)

    def _initial_parameters(self) -> list[tuple[Array, Array]]:
        pairs = zip(self.layers, self.parameters.weights, strict=True)
        return [(INITIALIZERS[one.initializer](self._rng, *W.shape), np.zeros(one.units)) for one, W in pairs]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Within, no other thread can train this network; what a fork copied is no longer shared with its parent."""
        if self._training.is_of_another_process:
            self.__setstate__(copy.deepcopy(self.__getstate__()))
        with self._training.held():
            yield


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _layers(layers: Any) -> tuple[Dense, ...]:
    instance("layers", layers, (list, tuple), "a list of Dense, such as [Dense(2, 'softmax')]")
    return tuple(layers)


def _dtype(dtype: Any) -> str:
    """Its name: NumPy's own types are welcome too."""
    name = np.dtype(dtype).name if isinstance(dtype, type | np.dtype) else dtype
    return known("dtype", name, ("float32", "float64"))


def _generator(seed: Any) -> np.random.Generator:
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise ValueError(f"seed is {shown(seed)}; allowed: a whole number, 0 or more, or a Generator") from None


def _optimizer(optimizer: Any) -> Optimizer | None:
    instance("optimizer", optimizer, (Optimizer, NoneType), "an optimizer object, such as Adam(0.001)")
    return optimizer  # type: ignore[no-any-return]


def _check_early_stopping(rule: Any, monitors: Sequence[str]) -> None:
    instance("early_stopping", rule, (EarlyStopping, NoneType), "an EarlyStopping object, such as EarlyStopping()")
    if rule is not None and rule.monitor not in monitors:
        allowed = ", ".join(monitors) if len(monitors) > 1 else f"{monitors[0]}, or validation_data given"
        raise ValueError(f"early stopping watches {rule.monitor}; allowed: {allowed}")


def _loss(loss: str | Loss) -> tuple[str, Loss]:
    """Its name in the table, and the loss."""
    if isinstance(loss, Loss):
        names = (name for name, kind in LOSSES.items() if kind is type(loss))
        return next(names, type(loss).__name__), loss
    return loss, LOSSES[known("loss", loss, LOSSES)]()


def _stored_loss(loss: Any) -> Loss:
    """The loss that a saved network names: files of version 1 hold the name alone."""
    options = {"name": loss} if isinstance(loss, str) else dict(loss)
    return LOSSES[options.pop("name")](**options)
