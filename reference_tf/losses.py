"""The document's losses of one example each, as functions that `Model.compile` takes.

Fed by targets y and activations a of a batch, both rows (M, n_L); feeds `reference_tf.model`.
"""

from collections.abc import Callable
from typing import Any

import keras


def summed_binary_crossentropy(y: Any, a: Any) -> Any:
    """−Σ_i y_i log a_i + (1 − y_i) log(1 − a_i), the document's (15): (M,). Keras's own takes the mean over i.

    `a` must be what the sigmoid returned, not a cast or a copy: it carries the weighted inputs, from which Keras then
    computes the loss without clipping.
    """
    return keras.ops.sum(keras.ops.binary_crossentropy(y, a), axis=-1)


def sum_of_squared_errors(y: Any, a: Any) -> Any:
    """Σ_i (a_i − y_i)², without a factor of one half: (M,). Keras's `mean_squared_error` takes the mean over i."""
    return keras.ops.sum(keras.ops.square(a - y), axis=-1)


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "summed_binary_crossentropy": summed_binary_crossentropy,
    "categorical_crossentropy": keras.losses.categorical_crossentropy,
    "sum_of_squared_errors": sum_of_squared_errors,
}
