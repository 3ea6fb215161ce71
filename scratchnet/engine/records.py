"""The records that compiled code reads: one for a thread, and one for each of its layers.

Arrays are given by their addresses; strides are in bytes.
"""

from typing import Any

import numpy as np

TRAIN, PREDICT, GATHER = range(3)
"""Tasks: steps; predictions; the rows of one batch, to be looked at."""
ROW_BUFFERS = 3
"""Batches whose rows are in memory where threads gather together: the last, which one may still read, this, next."""

LAYER = np.dtype(
    [
        (name, np.int64)
        for name in (
            *("units", "columns", "first", "activation", "keeps"),  # columns of W̃, and where it starts in θ
            *("unit", "end", "with_bias"),  # own neurons; whether the biases of the layer above are this thread's
            *("A", "A_down"),  # (M, n_l + 1), of all threads
            *("own", "own_down", "flat", "S", "G"),  # (M, own neurons): A, derivative, error; flat: without gaps
            *("partial_G", "partial_step", "partial_down"),  # (M, n_l) of each thread: parts of a sum
            *("mask", "mask_step"),
            *("first_row", "last_row", "first_column", "last_column"),  # of W̃: what this thread updates
        )
    ]
    + [("kept_scale", np.float64)]
)
_INTEGERS = (
    "task",
    "products_only",
    *("batch_size", "example", "whole_batch"),  # M of this thread, and where in the batch it begins
    *("threads", "team", "mine", "flags"),  # team: threads that share neurons, all; or 1 where they share examples
    *("X", "X_step", "features", "order", "targets", "weights", "examples", "steps", "outputs"),
    *("rows", "rows_down", "rows_size", "first_row", "last_row"),  # the batch, and which rows are gathered here
    *("Z", "A", "Y", "delta", "S", "column", "partial_Z", "partial_Z_size"),  # of the output, (n_L, M)
    *("loss", "crosses", "losses", "penalties"),
    *("theta", "target", "kept", "kept_size", "partials"),  # partials: the gradient of each thread's examples
    *("optimizer", "factors", "factor_count", "clipping", "norms"),
    *("predicted", "predicted_Z"),
)
_REALS = ("one", "zero", "beta", "share", "limit", "clip", "l1", "l2")


def job_of(real: np.dtype[Any]) -> np.dtype[Any]:
    """The record of a thread for networks of that dtype."""
    return np.dtype([(name, np.int64) for name in _INTEGERS] + [(name, real) for name in _REALS], align=True)
