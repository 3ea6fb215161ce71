"""The cells of the parity matrix: each is one combination of optimizer, loss, activation and so on."""

import random
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations, groupby, product
from typing import Any, Literal, NamedTuple

from bench.core.models import NotNegative
from bench.parity.extras import EXTRAS
from bench.spec import OUTPUT_ACTIVATIONS, TrainingSpec
from bench.spec.networks import CLASSES, FEATURES
from scratchnet.activations import ACTIVATIONS
from scratchnet.initializers import INITIALIZERS
from scratchnet.losses import LOSSES

BATCH_SIZE, HIDDEN = 8, 12

# Small enough that no combination diverges: a parity of infinities would prove nothing.
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"learning_rate": 0.003},
    "momentum": {"learning_rate": 0.002, "momentum": 0.9},
    "nesterov": {"learning_rate": 0.002, "momentum": 0.9, "nesterov": True},
    "rmsprop": {"name": "rmsprop", "learning_rate": 0.001},
    "rmsprop_centered": {"name": "rmsprop", "learning_rate": 0.0005, "centered": True, "momentum": 0.5},
    "adam": {"name": "adam", "learning_rate": 0.002},
    "adamw": {"name": "adamw", "learning_rate": 0.002, "weight_decay": 0.01},
    "adagrad": {"name": "adagrad", "learning_rate": 0.02},
}
REGULARIZERS: dict[str, dict[str, float]] = {
    "none": {},
    "l1": {"l1": 1e-4},
    "l2": {"l2": 1e-3},
    "l1_l2": {"l1": 1e-4, "l2": 1e-3},
}
# Both are at least 200 steps; the shorter batch of 3 comes in the middle of training too.
LAST_BATCHES: dict[str, dict[str, Any]] = {
    "full": {"train_examples": 200 * BATCH_SIZE, "epochs": 1},
    "shorter": {"train_examples": 100 * BATCH_SIZE + 3, "epochs": 2},
}


class ParityCell(NamedTuple):
    """One combination; `extra` names what lies outside the product of the axes."""

    optimizer: str = "sgd"
    loss: str = "categorical_crossentropy"
    activation: str = "relu"
    regularizer: str = "none"
    last_batch: str = "shorter"
    initializer: str = "glorot_uniform"
    extra: str = ""

    @property
    def graph(self) -> tuple[str, ...]:
        """What cells with the same traced graph have in common: all but the initializer."""
        return (*self[:5], self.extra)


AXES: dict[str, tuple[str, ...]] = {
    "optimizer": tuple(OPTIMIZERS),
    "loss": tuple(LOSSES),
    "activation": tuple(ACTIVATIONS),
    "regularizer": tuple(REGULARIZERS),
    "last_batch": tuple(LAST_BATCHES),
    "initializer": tuple(INITIALIZERS),
}


def all_cells() -> list[ParityCell]:
    """The whole product of the axes, cells of one graph side by side, and the extras."""
    return [*(ParityCell(*values) for values in product(*AXES.values())), *extra_cells()]


def extra_cells() -> list[ParityCell]:
    """One cell for each entry of `EXTRAS`."""
    return [ParityCell(extra=name) for name in EXTRAS]


@cache
def covering_cells() -> tuple[ParityCell, ...]:
    """A selection in which every pair of values of two axes stands together at least once, and the extras.

    Greedy over the product in a fixed random order: first the cells that bring many new pairs, at last those with one.
    """
    shuffled = [ParityCell(*values) for values in product(*AXES.values())]
    random.Random(0).shuffle(shuffled)
    chosen, seen = [], set[tuple[Any, Any]]()
    for wanted in range(15, 0, -1):
        for cell in shuffled:
            pairs = set(combinations(enumerate(cell[:6]), 2))
            if len(pairs - seen) >= wanted:
                chosen.append(cell)
                seen |= pairs
    return (*sorted(chosen), *extra_cells())


def groups(cells: Sequence[ParityCell]) -> Iterator[tuple[ParityCell, ...]]:
    """The cells that share a graph, in the order given."""
    for _, group in groupby(cells, key=lambda cell: cell.graph):
        yield tuple(group)


def spec_of(cell: ParityCell) -> TrainingSpec:
    """What both sides train: 784-12-10 in float64 on the first examples of MNIST, in the order of a plan."""
    last_batch = LAST_BATCHES[cell.last_batch]
    hidden = {"units": HIDDEN, "activation": cell.activation, "initializer": cell.initializer}
    output = {"activation": _natural_output(cell.loss), "initializer": cell.initializer}
    values: dict[str, Any] = {
        "architecture": {"inputs": FEATURES, "layers": [hidden, {"units": CLASSES, **output}]},
        "loss": cell.loss,
        "optimizer": OPTIMIZERS[cell.optimizer],
        "regularization": REGULARIZERS[cell.regularizer],
        "dtype": "float64",
        "batch_size": BATCH_SIZE,
        "epochs": last_batch["epochs"],
        "seeds": [0],
        "data": {"source": "mnist", "train_examples": last_batch["train_examples"], "test_examples": 1},
    }
    return TrainingSpec.model_validate({**values, **EXTRAS.get(cell.extra, {})})


def _natural_output(loss: str) -> str:
    """The one activation that a loss is defined on; linear where it is defined on all."""
    allowed = OUTPUT_ACTIVATIONS[loss]
    return allowed[0] if len(allowed) == 1 else "linear"


ParityStatus = Literal["agrees", "ill_conditioned", "differs", "diverged", "failed"]


class ParityOutcome(NamedTuple):
    """`difference`: largest relative difference of the cost over all `steps`; `step`: where it was, from 1."""

    cell: ParityCell
    status: ParityStatus
    difference: NotNegative | None = None
    step: int | None = None
    steps: int | None = None
    reason: str = ""

    @property
    def row(self) -> dict[str, Any]:
        """The outcome as flat names and values."""
        return {**self.cell._asdict(), **{name: value for name, value in self._asdict().items() if name != "cell"}}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "ParityOutcome":
        """The outcome of such a row."""
        cell = ParityCell(**{name: row[name] for name in ParityCell._fields})
        return cls(cell, **{name: row[name] for name in cls._fields if name != "cell"})
