"""The thread budget of TensorFlow.

Fed by the suite's number of threads and the spec; it must reach TensorFlow before its first operation.
"""

from itertools import pairwise

import tensorflow as tf

from bench.spec import TrainingSpec

SMALL_STEP = 8_000_000
"""Multiply-adds of a forward pass below which operations do not gain from running side by side."""


def configure(spec: TrainingSpec, threads: int) -> None:
    """Give each operation `threads` threads, and let `operations_at_once` run side by side.

    XLA's compiled code takes its threads from the same pool: given one, it uses one (processor seconds = seconds).

    Raises
    ------
    RuntimeError
        TensorFlow has run an operation already, with another budget; start a new process.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(operations_at_once(spec, threads))


def operations_at_once(spec: TrainingSpec, threads: int) -> int:
    """1 where handing an operation to another thread costs more than it saves, else `threads`.

    Best epoch of `tf-graph` with 1 / with 2, in two runs on two cores that others used too; M = 32, 128 and 512:
    784-30-10        0.81 to 0.82   0.58 to 0.89   0.93 to 0.94
    784-128-10       0.73 to 0.97   1.00 to 1.16   0.93 to 1.11
    784-512-512-10   1.04 to 1.51   1.25 to 1.33   0.89 to 1.09
    `SMALL_STEP` was chosen from this very table. `tf-xla` (three cells) and `fit` (two) showed no difference beyond the
    noise, which was large.
    """
    widths = spec.architecture.widths
    multiply_adds = spec.batch_size * sum(n_in * n_out for n_in, n_out in pairwise(widths))
    return 1 if multiply_adds < SMALL_STEP else threads


def budget() -> dict[str, int]:
    """What TensorFlow was given, read back from it."""
    return {
        "threads_in_an_operation": tf.config.threading.get_intra_op_parallelism_threads(),
        "operations_at_once": tf.config.threading.get_inter_op_parallelism_threads(),
    }
