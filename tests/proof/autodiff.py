"""Cost and gradient of a network by TensorFlow's automatic differentiation, by Keras's activations and losses alone."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from scratchnet import Network

Array = np.ndarray[Any, np.dtype[Any]]


def _losses(network: Network, Y: Any, A: Any) -> Any:
    """ℓ of each example, (N,): Keras's function of the same name, but for the two that it has not."""
    name, n_L, options = network.loss_name, A.shape[1], vars(network.loss)
    if name == "sum_of_squared_errors":
        return tf.reduce_sum(tf.math.squared_difference(A, Y), axis=1)
    if name == "summed_binary_crossentropy":
        return n_L * keras.losses.binary_crossentropy(Y, A, **options)
    if name == "sparse_categorical_crossentropy":
        return keras.losses.sparse_categorical_crossentropy(tf.argmax(Y, axis=1), A)
    return getattr(keras.losses, name)(Y, A, **options)


def outputs(network: Network, X: Any, theta: list[Any]) -> Any:
    """A[L] (N, n_L). Keras's sigmoid and softmax attach their logits, which its cross entropies then use."""
    A = tf.constant(X, keras.config.floatx())
    for layer, (W, b) in zip(network.layers, zip(theta[::2], theta[1::2], strict=True), strict=True):
        A = keras.activations.get(layer.activation)(A @ tf.transpose(W) + b)
    return A


def cost_and_gradient(network: Network, X: Array, Y: Array, weights: Array | None = None) -> tuple[float, Array]:
    """C, and ∂C/∂θ in the order of `parameters.vector`, in Keras's float type."""
    dtype = keras.config.floatx()
    theta = [tf.Variable(array, dtype=dtype) for pair in network.parameters.get() for array in pair]
    penalty = keras.regularizers.L1L2(network.regularizer.l1, network.regularizer.l2)
    with tf.GradientTape() as tape:
        losses = _losses(network, tf.constant(Y, dtype), outputs(network, X, theta))
        if weights is not None:
            losses *= tf.constant(weights, dtype)
        cost = tf.reduce_mean(losses) + tf.add_n([penalty(W) for W in theta[::2]])
    gradients = [g.numpy() for g in tape.gradient(cost, theta)]
    return float(cost), np.concatenate(
        [np.hstack([dW, db[:, None]]).ravel() for dW, db in zip(gradients[::2], gradients[1::2], strict=True)]
    )
