"""The thread budget of TensorFlow.

It must reach TensorFlow before its first operation.
"""

from itertools import pairwise

import tensorflow as tf

from bench.spec import TrainingSpec

SMALL_NETWORK = 50_000
"""Weights below which operations do not gain from running side by side."""


def configure(spec: TrainingSpec, threads: int) -> None:
    """Give each operation `threads` threads, and let `operations_at_once` run side by side.

    XLA's compiled code takes its threads from the same pool: given one, it uses one (processor seconds = seconds).

    Raises RuntimeError: tensorFlow has run an operation already, with another budget; start a new process.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(operations_at_once(spec, threads))


def operations_at_once(spec: TrainingSpec, threads: int) -> int:
    """1 where handing an operation to another thread costs more than it saves, else `threads`.

    Median seconds of an epoch of `tf-graph` with 1 / with 2 operations at once, two rounds of fresh processes that took
    turns on two cores; M = 32, 128 and 512:
    784-30-10        0.72   0.82   0.91
    784-128-10       1.24   1.08   0.93
    784-512-512-10   1.37   1.28   1.06
    `SMALL_NETWORK` was chosen from this very table. `tf-xla`: 0.94 to 1.10, without a rule.
    """
    widths = spec.architecture.widths
    weights = sum(n_in * n_out for n_in, n_out in pairwise(widths))
    return 1 if weights < SMALL_NETWORK else threads


def budget() -> dict[str, int]:
    """What TensorFlow was given, read back from it."""
    return {
        "threads_in_an_operation": tf.config.threading.get_intra_op_parallelism_threads(),
        "operations_at_once": tf.config.threading.get_inter_op_parallelism_threads(),
    }
