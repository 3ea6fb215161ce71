"""The network that most measurements train: hidden layers of one activation, softmax, cross-entropy, on MNIST."""

from collections.abc import Sequence
from typing import Any

from bench.spec.suite import TrainingSpec

FEATURES, CLASSES = 784, 10


def mnist_network(
    hidden: Sequence[int],
    batch_size: int,
    *,
    activation: str = "relu",
    initializer: str = "glorot_uniform",
    **changes: Any,
) -> TrainingSpec:
    """784 inputs, hidden layers of these widths, 10 outputs; one epoch from seed 0 unless `changes` says otherwise."""
    layers: list[dict[str, Any]] = [
        {"units": units, "activation": activation, "initializer": initializer} for units in hidden
    ]
    values: dict[str, Any] = {
        "architecture": {"inputs": FEATURES, "layers": [*layers, {"units": CLASSES, "activation": "softmax"}]},
        "loss": "categorical_crossentropy",
        "batch_size": batch_size,
        "epochs": 1,
        "seeds": (0,),
    }
    return TrainingSpec.model_validate(values | changes)
