"""Helpers for every part of the compiled step: they wait for the other threads, and find matrices in the records."""

from numba import types

from scratchnet.engine.intrinsics import give_way, part_of_step, question, seen, show, size_of
from scratchnet.engine.machine import CACHE_LINE
from scratchnet.engine.product import Matrix, matrix

PATIENCE = 4_000
"""Looks at a flag before a thread that waits gives its core away: a tenth of a millisecond or so."""


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
