"""The grid of networks that are timed: three architectures, hidden activations, three batch sizes, one optimizer."""

from itertools import product
from typing import Any, NamedTuple

from bench.spec import TrainingSpec, mnist_network

ARCHITECTURES: dict[str, tuple[int, ...]] = {"784-30-10": (30,), "784-128-10": (128,), "784-512-512-10": (512, 512)}
BATCH_SIZES = (32, 128, 512)
RELU = "relu"
ACTIVATIONS = (RELU, "sigmoid", "tanh", "gelu", "silu")
"""Of the hidden layers, by their names in a spec."""
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"name": "sgd", "learning_rate": 0.05},
    "momentum": {"name": "sgd", "learning_rate": 0.01, "momentum": 0.9},
    "adam": {"name": "adam", "learning_rate": 0.001},
}


class GridCell(NamedTuple):
    """One network at one batch size; `activation` is that of its hidden layers."""

    architecture: str
    batch_size: int
    activation: str = RELU

    def __str__(self) -> str:
        """ReLU is not named, so that the cells of earlier runs keep their names."""
        activation = "" if self.activation == RELU else f" {self.activation}"
        return f"{self.architecture}{activation} M={self.batch_size}"


class Grid(NamedTuple):
    """The cells, and what they have in common."""

    architectures: tuple[str, ...] = tuple(ARCHITECTURES)
    batch_sizes: tuple[int, ...] = BATCH_SIZES
    optimizer: str = "sgd"
    dtype: str = "float32"
    activations: tuple[str, ...] = (RELU,)

    @property
    def cells(self) -> list[GridCell]:
        """Every architecture with every activation and every batch size."""
        parts = product(self.architectures, self.activations, self.batch_sizes)
        return [GridCell(architecture, size, activation) for architecture, activation, size in parts]

    def spec(self, cell: GridCell) -> TrainingSpec:
        """The cell's activation and softmax, He's initial weights, on all of MNIST."""
        return mnist_network(
            ARCHITECTURES[cell.architecture],
            cell.batch_size,
            activation=cell.activation,
            initializer="he_normal",
            optimizer=OPTIMIZERS[self.optimizer],
            dtype=self.dtype,
        )
