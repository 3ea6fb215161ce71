"""The end of a step, after the products: regularization, the sum over threads, clipping and the optimizer's update."""

import math

import numpy as np
from numba import types

from scratchnet.engine.choosing import update
from scratchnet.engine.intrinsics import like, part_of_step, procedure, question, size_of, vector
from scratchnet.engine.job import wait
from scratchnet.engine.kernels import decay, sum_of_squares
from scratchnet.engine.tables import CLIP_NORM, CLIP_VALUE


@part_of_step(lambda layer, of_weights: types.UniTuple(types.int64, 4))
def own_parts(layer, of_weights):  # type: ignore[no-untyped-def]
    """Own parameters of a layer as vectors in θ: how many, where the first starts, how long, from one to the next.

    of_weights : without the biases.
    """
    rows, start = layer.last_row - layer.first_row, layer.first + layer.first_row * layer.columns + layer.first_column
    if of_weights:
        return rows, start, min(layer.last_column, layer.columns - 1) - layer.first_column, layer.columns
    if layer.first_column == 0 and layer.last_column == layer.columns:
        return 1, start, rows * layer.columns, 0
    return rows, start, layer.last_column - layer.first_column, layer.columns


@part_of_step(lambda job, layer, step, factors, beta: beta)
def decayed(job, layer, step, factors, beta):  # type: ignore[no-untyped-def]
    """target ← β target + scale · the regularizer's gradient, where there is one; the β that is left to the product."""
    if job.threads > job.team or (job.l1 == job.zero and job.l2 == job.zero):
        return beta
    decay_now(job, layer, step, factors)
    return job.one


@procedure
def decay_now(job, layer, step, factors):  # type: ignore[no-untyped-def]
    """target ← β target + scale · the regularizer's gradient of own parameters; the penalty is written down."""
    one, size = job.one, size_of(job.one)
    count, start, length, apart = own_parts(layer, True)
    total = 0.0
    for row in range(count):
        place = (start + row * apart) * size
        theta, target = vector(job.theta + place, length, one), vector(job.target + place, length, one)
        sizes, squares = decay(theta, target, job.beta, job.l1 * factors[1], job.l2 * factors[1])
        total += job.l1 * sizes + job.l2 * squares
        if layer.last_column == layer.columns:
            bias = vector(job.target + place + length * size, 1, one)
            bias[0] = job.zero if job.beta == job.zero else job.beta * bias[0]
    vector(job.penalties + 8 * (step * job.threads + job.mine), 1, 1.0)[0] += total


@procedure
def add_gradients(job, layers, step, factors):  # type: ignore[no-untyped-def]
    """target ← β target + the sum of the gradients of all threads' examples, of own parameters."""
    one, size = job.one, size_of(job.one)
    for index in range(len(layers)):
        layer, beta = layers[index], job.beta
        if job.l1 != job.zero or job.l2 != job.zero:
            decay_now(job, layer, step, factors)
            beta = one
        count, start, length, apart = own_parts(layer, False)
        for row in range(count):
            place = (start + row * apart) * size
            target = vector(job.target + place, length, one)
            for thread in range(job.threads):
                part = vector(job.partials + thread * job.kept_size + place, length, one)
                _add(target, part, beta if thread == 0 else one)


@procedure
def _add(target, part, beta):  # type: ignore[no-untyped-def]
    """target ← β target + part."""
    if beta == like(0.0, beta):
        for i in range(len(target)):
            target[i] = part[i]
    else:
        for i in range(len(target)):
            target[i] = beta * target[i] + part[i]


@question
def clip(job, layers):  # type: ignore[no-untyped-def]
    """The gradient within its limit; False where another thread ends all."""
    if job.clipping == CLIP_VALUE:
        for index in range(len(layers)):
            count, start, length, apart = own_parts(layers[index], False)
            for row in range(count):
                _clip_values(vector(job.target + (start + row * apart) * size_of(job.one), length, job.one), job.clip)
        return True
    _square(job, layers)
    if not wait(job):
        return False
    whole = _sum(job, 0, 1, 2 * len(layers))
    for index in range(len(layers)):
        of_weights, of_biases = whole, whole
        if job.clipping == CLIP_NORM:
            of_weights = _sum(job, 2 * index, 2 * len(layers), 2 * len(layers))
            of_biases = _sum(job, 2 * index + 1, 2 * len(layers), 2 * len(layers))
        _shrink(job, layers[index], of_weights, of_biases)
    return wait(job)  # the squares of the next step must not come before all have read these


@part_of_step(lambda *arguments: types.float64)
def _sum(job, first, step, variables):  # type: ignore[no-untyped-def]
    """Σ g² over the threads, in the same order in each: of all variables, or of every `step`-th from the first on."""
    count, total = job.threads * variables, 0.0
    squares = vector(job.norms, count, 1.0)
    for place in range(first, count, step):
        total += squares[place]
    return total


@procedure
def _clip_values(g, limit):  # type: ignore[no-untyped-def]
    for i in range(len(g)):
        value = limit if g[i] > limit else g[i]
        g[i] = -limit if value < -limit else value


@procedure
def _square(job, layers):  # type: ignore[no-untyped-def]
    """Σ g² of own weights, and of own biases, of each layer."""
    one, size, variables = job.one, size_of(job.one), 2 * len(layers)
    mine = vector(job.norms + 8 * job.mine * variables, variables, 1.0)
    for index in range(len(layers)):
        layer = layers[index]
        count, start, length, apart = own_parts(layer, True)
        mine[2 * index] = 0.0
        mine[2 * index + 1] = 0.0
        for row in range(count):
            place = start + row * apart
            mine[2 * index] += sum_of_squares(vector(job.target + place * size, length, one), one)
            if layer.last_column == layer.columns:
                bias = vector(job.target + (place + length) * size, 1, one)[0]
                mine[2 * index + 1] += bias * bias


@procedure
def _shrink(job, layer, of_weights, of_biases):  # type: ignore[no-untyped-def]
    """g ← g · c / max(‖g‖, c) of own parameters."""
    limit = np.float64(job.clip)
    for_weights = like(limit / max(math.sqrt(of_weights), limit), job.one)
    for_biases = like(limit / max(math.sqrt(of_biases), limit), job.one)
    count, start, length, apart = own_parts(layer, True)
    for row in range(count):
        g = vector(job.target + (start + row * apart) * size_of(job.one), length + 1, job.one)
        for i in range(length):
            g[i] *= for_weights
        if layer.last_column == layer.columns:
            g[length] *= for_biases


@question
def update_own(job, layers, factors):  # type: ignore[no-untyped-def]
    """Own parameters after the step; `factors` are those of the formula. True."""
    one, size = job.one, size_of(job.one)
    for index in range(len(layers)):
        count, start, length, apart = own_parts(layers[index], False)
        for row in range(count):
            place = (start + row * apart) * size
            theta, g, kept = vector(job.theta + place, length, one), vector(job.target + place, length, one), job.kept
            u, v = vector(kept + place, length, one), vector(kept + job.kept_size + place, length, one)
            update(job.optimizer, theta, g, u, v, vector(kept + 2 * job.kept_size + place, length, one), factors)
    return True
