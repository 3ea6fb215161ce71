"""A whole epoch as one function of TensorFlow's, run as a graph or compiled by XLA.

Fed by a compiled model, the training examples and their order; feeds the backends `tf-graph` and `tf-xla`.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

Batch = tuple[tf.Tensor, tf.Tensor]
Epoch = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


def batch_bounds(examples: int, batch_size: int) -> list[tuple[int, int]]:
    """(start, size) of each batch of an epoch; the last is shorter where M does not divide N."""
    return [(start, min(batch_size, examples - start)) for start in range(0, examples, batch_size)]


def gather(x: tf.Tensor, y: tf.Tensor, order: tf.Tensor, start: Any, size: int) -> Batch:
    """Rows (size, n_0) of x and (size, n_L) of y: those that stand from `start` on in the order."""
    # XLA needs every shape beforehand: order[start : start + size] has none as long as `start` is a tensor.
    rows = tf.slice(order, [start], [size])
    return tf.gather(x, rows), tf.gather(y, rows)


def make_epoch(model: keras.Sequential, examples: int, batch_size: int, jit_compile: bool) -> Epoch:
    """A function of x (N, n_0), y (N, n_L) and order (N,) that trains the model for one epoch.

    It returns what each step cost before its update, mean loss plus regularization, as `fit` reports it: (steps,). Its
    first call traces it. x and y are arguments: a constant of the graph would be copied into it.

    Each step gathers its own rows: all rows gathered before the loop take 1.04 to 1.09 times as long as a graph and
    0.97 to 1.06 times with XLA (784-128-10 on two cores, M = 32 and 512). No gain at M = 32, and so left out:
    `assign_sub` in place of Keras's optimizer, five steps an iteration, iterations in parallel, 32-bit indices.
    """
    bounds = batch_bounds(examples, batch_size)
    full = [bound for bound in bounds if bound[1] == bounds[0][1]]
    shorter = bounds[len(full) :]

    def epoch(x: tf.Tensor, y: tf.Tensor, order: tf.Tensor) -> tf.Tensor:
        def step(start: Any, size: int) -> tf.Tensor:
            return _train_step(model, *gather(x, y, order, start, size))

        starts, size = tf.constant([start for start, _ in full]), full[0][1]
        # One iteration at a time: each step needs the weights that the step before left.
        costs = tf.map_fn(lambda start: step(start, size), starts, parallel_iterations=1, fn_output_signature=x.dtype)
        return tf.concat([costs, *([step(*bound)] for bound in shorter)], axis=0)

    compiled: Epoch = tf.function(epoch, jit_compile=jit_compile, autograph=False)
    return compiled


def _train_step(model: keras.Sequential, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """One update of the model by its own loss and optimizer; returns the cost before it."""
    with tf.GradientTape() as tape:
        cost = model.compute_loss(x, y, model(x, training=True))
    weights = model.trainable_variables
    model.optimizer.apply(tape.gradient(cost, weights), weights)
    return cost
