"""The grid of networks that are timed: three architectures, three batch sizes, one optimizer.

Fed by the command line; feeds the workers.
"""

from typing import Any, NamedTuple

from bench.spec import TrainingSpec

ARCHITECTURES: dict[str, tuple[int, ...]] = {"784-30-10": (30,), "784-128-10": (128,), "784-512-512-10": (512, 512)}
BATCH_SIZES = (32, 128, 512)
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"name": "sgd", "learning_rate": 0.05},
    "momentum": {"name": "sgd", "learning_rate": 0.01, "momentum": 0.9},
    "adam": {"name": "adam", "learning_rate": 0.001},
}


class GridCell(NamedTuple):
    """One network at one batch size."""

    architecture: str
    batch_size: int

    def __str__(self) -> str:
        return f"{self.architecture} M={self.batch_size}"


class Grid(NamedTuple):
    """The cells, and what they have in common."""

    architectures: tuple[str, ...] = tuple(ARCHITECTURES)
    batch_sizes: tuple[int, ...] = BATCH_SIZES
    optimizer: str = "sgd"
    dtype: str = "float32"

    @property
    def cells(self) -> list[GridCell]:
        """Every architecture with every batch size."""
        return [GridCell(architecture, size) for architecture in self.architectures for size in self.batch_sizes]

    def spec(self, cell: GridCell) -> TrainingSpec:
        """ReLU and softmax, He's initial weights, on all of MNIST."""
        hidden = [{"units": n, "activation": "relu", "initializer": "he_normal"} for n in ARCHITECTURES[cell[0]]]
        return TrainingSpec.model_validate(
            {
                "architecture": {"inputs": 784, "layers": [*hidden, {"units": 10, "activation": "softmax"}]},
                "loss": "categorical_crossentropy",
                "optimizer": OPTIMIZERS[self.optimizer],
                "batch_size": cell.batch_size,
                "dtype": self.dtype,
                "epochs": 1,
                "seeds": (0,),
            }
        )
