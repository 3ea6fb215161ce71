"""Cells that lie outside the product of the axes: one for each further option of a spec.

An entry replaces keys of the cell's spec.
"""

from typing import Any

from bench.spec import OUTPUT_ACTIVATIONS
from bench.spec.networks import CLASSES, FEATURES


def _layers(*widths: int, output: str = "softmax", **options: Any) -> dict[str, Any]:
    """784 inputs, layers of tanh of these widths but for the last, which has `output`."""
    hidden = [{"units": units, "activation": "tanh", **options} for units in widths[:-1]]
    layers = [*hidden, {"units": widths[-1], "activation": output}]
    return {"architecture": {"inputs": FEATURES, "layers": layers}}


def _rate(name: str, **options: Any) -> dict[str, Any]:
    return {"optimizer": {"learning_rate": {"name": name, **options}}}


OUTPUTS: dict[str, dict[str, Any]] = {
    f"{loss} on {output}": {"loss": loss, **_layers(12, CLASSES, output=output)}
    for loss, allowed in OUTPUT_ACTIVATIONS.items()
    for output in allowed
    if len(allowed) > 1
}

EXTRAS: dict[str, dict[str, Any]] = {
    **OUTPUTS,
    "label smoothing, categorical": {"label_smoothing": 0.1},
    "label smoothing, binary": {
        "loss": "binary_crossentropy",
        "label_smoothing": 0.1,
        **_layers(12, CLASSES, output="sigmoid"),
    },
    "label smoothing, summed": {
        "loss": "summed_binary_crossentropy",
        "label_smoothing": 0.1,
        **_layers(12, CLASSES, output="sigmoid"),
    },
    "huber delta 0.1": {"loss": "huber", "huber_delta": 0.1, **_layers(12, CLASSES, output="linear")},
    "class weights": {"class_weights": [0.5, 2, 1, 1, 3, 1, 0.25, 1, 0, 1]},
    "sample weights": {"sample_weight_range": [0, 2]},
    "class and sample weights": {"class_weights": [2, 1] * 5, "sample_weight_range": [0.5, 1.5]},
    "dropout": _layers(24, 12, CLASSES, dropout=0.5),
    "dropout and weights": {**_layers(24, CLASSES, dropout=0.2), "sample_weight_range": [0.5, 1.5]},
    "exponential decay": _rate("exponential_decay", initial_learning_rate=0.02, decay_steps=50, decay_rate=0.5),
    "exponential decay, staircase": _rate(
        "exponential_decay", initial_learning_rate=0.02, decay_steps=50, decay_rate=0.5, staircase=True
    ),
    "inverse time decay": _rate("inverse_time_decay", initial_learning_rate=0.02, decay_steps=50, decay_rate=0.5),
    "polynomial decay": _rate("polynomial_decay", initial_learning_rate=0.02, decay_steps=150, power=2.0),
    "polynomial decay, cycle": _rate("polynomial_decay", initial_learning_rate=0.02, decay_steps=60, cycle=True),
    "cosine decay": _rate("cosine_decay", initial_learning_rate=0.02, decay_steps=150, alpha=0.1),
    "cosine decay, warm-up": _rate(
        "cosine_decay", initial_learning_rate=0.001, decay_steps=100, warmup_target=0.02, warmup_steps=50
    ),
    "piecewise constant": _rate("piecewise_constant_decay", boundaries=[50, 120], values=[0.02, 0.01, 0.005]),
    "adam with a schedule": {
        "optimizer": {
            "name": "adam",
            "learning_rate": {"name": "cosine_decay", "initial_learning_rate": 0.002, "decay_steps": 150},
        }
    },
    "clipnorm": {"optimizer": {"learning_rate": 0.02, "clipnorm": 0.2}},
    "clipnorm, momentum": {"optimizer": {"learning_rate": 0.005, "momentum": 0.9, "clipnorm": 0.2}},
    "global clipnorm": {"optimizer": {"name": "adam", "learning_rate": 0.002, "global_clipnorm": 0.5}},
    "clipvalue": {"optimizer": {"name": "rmsprop", "learning_rate": 0.001, "clipvalue": 0.01}},
    "batch size 1": {"batch_size": 1, "data": {"source": "mnist", "train_examples": 200, "test_examples": 1}},
    "no hidden layer": _layers(CLASSES),
    "three hidden layers": _layers(16, 12, 8, CLASSES),
    "one neuron in a hidden layer": _layers(1, CLASSES),
}
