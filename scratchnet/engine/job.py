"""What compiled code is told: one record for a thread, and one for each of its layers. Addresses, steps in bytes."""

from typing import Any

import numpy as np
from numba import types

from scratchnet.engine.intrinsics import give_way, part_of_step, question, seen, show, size_of
from scratchnet.engine.machine import CACHE_LINE
from scratchnet.engine.product import Matrix, matrix

PATIENCE = 4_000
"""Looks at a flag before a thread that waits gives its core away: a tenth of a millisecond or so."""

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
    *("predicts", "products_only"),
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


@question
def wait(job):  # type: ignore[no-untyped-def]
    """Until all threads have come as often; False where one of them ends all."""
    mine = job.flags + job.mine * CACHE_LINE
    count = seen(mine) + 1
    show(mine, count)
    for other in range(job.threads):
        looks = 0
        while seen(job.flags + other * CACHE_LINE) < count:
            looks += 1
            if looks > PATIENCE and seen(job.flags + job.threads * CACHE_LINE):
                return False
            if looks > PATIENCE:
                give_way()
    return True


@matrix
def weights_of(start, layer, one):  # type: ignore[no-untyped-def]
    """W̃ of a layer, in θ or in what is like θ."""
    size = size_of(one)
    return Matrix(start + layer.first * size, layer.units, layer.columns, layer.columns * size, size)


@matrix
def own_of(start, layer, M, one):  # type: ignore[no-untyped-def]
    """(M, own neurons)."""
    return Matrix(start, M, layer.end - layer.unit, layer.own_down, size_of(one))


@part_of_step(lambda layer, own, one: types.UniTuple(types.int64, 2))
def flat(layer, own, one):  # type: ignore[no-untyped-def]
    """How many vectors without gaps that is, and how long they are: with what pads its rows it may be one."""
    if layer.flat:
        return 1, own.rows * (own.down // size_of(one))
    return own.rows, own.columns
