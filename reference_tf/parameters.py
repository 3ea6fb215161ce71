"""Copies parameters into a Keras model and out of it, in the document's layout.

W of a layer is (n_l, n_{l-1}) and b is (n_l,). Keras's kernels are (n_{l-1}, n_l), that is Wᵀ.
"""

from collections.abc import Sequence
from typing import Any

import keras
from numpy.typing import NDArray

Parameters = Sequence[tuple[NDArray[Any], NDArray[Any]]]


def dense_layers(model: keras.Model) -> list[keras.layers.Dense]:
    """The layers with parameters, first to last."""
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]


def set_parameters(model: keras.Model, parameters: Parameters) -> None:
    """Overwrite each layer's weights and biases.

    Raises ValueError: the number of layers or a shape is not the model's.
    """
    for layer, (W, b) in zip(dense_layers(model), parameters, strict=True):
        layer.set_weights([W.T, b])


def get_parameters(model: keras.Model) -> Parameters:
    """Copies of each layer's weights and biases."""
    return [(kernel.T, bias) for kernel, bias in (layer.get_weights() for layer in dense_layers(model))]
