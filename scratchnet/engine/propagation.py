"""Forward and backward propagation of a batch, compiled; it reads like `scratchnet.formulations.batch`.

Examples are rows here, (M, n_l), except for the output and its error, (n_L, M). So each product has a form that
`scratchnet.engine.product` computes without a copy. Threads may share a step by neurons: each thread has its own
neurons of each hidden layer, and the weights from these neurons to the output layer. No weight passes from core to
core; what passes is a sum over the threads (Shoeybi et al., "Megatron-LM", 2019, share a pair of layers like this).
"""

import numpy as np
from numba import types

from scratchnet.engine.choosing import activate, derivative_product, loss_and_slope
from scratchnet.engine.functions import log
from scratchnet.engine.intrinsics import like, part_of_step, procedure, question, size_of, vector
from scratchnet.engine.job import flat, own_of, wait, weights_of
from scratchnet.engine.kernels import (
    gather,
    gather_targets,
    softmax_columns,
    softmax_columns_product,
    softmax_row,
    softmax_row_product,
)
from scratchnet.engine.product import Matrix, columns_of, matrix, product, rows_of, transposed
from scratchnet.engine.records import ROW_BUFFERS
from scratchnet.engine.tables import SOFTMAX
from scratchnet.engine.updating import decayed


@matrix
def batch_rows(job, step):  # type: ignore[no-untyped-def]
    """Ã[0] of a step (M, n_0 + 1)."""
    buffer = step % ROW_BUFFERS if job.team > 1 else 0
    start = job.rows + buffer * job.rows_size
    return Matrix(start, job.batch_size, job.features + 1, job.rows_down, size_of(job.one))


@procedure
def gather_batch(job, step):  # type: ignore[no-untyped-def]
    """This thread's rows of the batch of a step, equations (16) and (17)."""
    rows, count = batch_rows(job, step), job.last_row - job.first_row
    order = vector(job.order + 8 * (step * job.whole_batch + job.example + job.first_row), count, np.int64(1))
    first = rows.start + job.first_row * rows.down
    gather(job.X, job.X_step, order, count, first, rows.down, job.features, job.one)


@question
def forward(job, layers, step):  # type: ignore[no-untyped-def]
    """Z[L] of the batch (n_L, M), equations (18) to (21); False where another thread ends all."""
    above, hidden = batch_rows(job, step), len(layers) - 1
    for index in range(hidden):
        layer = layers[index]
        W, own = weights_of(job.theta, layer, job.one), own_of(layer.own, layer, job.batch_size, job.one)
        product(job.one, above, transposed(rows_of(W, layer.unit, layer.end)), job.zero, own)  # (18)
        if not job.products_only:
            activate_hidden(job, layer, own, step)  # (20)
        if index == hidden - 1:
            above = Matrix(own.start, own.rows, own.columns + layer.with_bias, own.down, own.across)
        else:
            if job.team > 1 and not wait(job):
                return False
            above = Matrix(layer.A, job.batch_size, layer.units + 1, layer.A_down, own.across)
    return _output(job, layers, above, step)


@question
def _output(job, layers, above, step):  # type: ignore[no-untyped-def]
    """Z[L], a sum over threads that share neurons; the next batch is gathered before they wait for each other."""
    n, M, size = job.outputs, job.batch_size, size_of(job.one)
    W = _own_columns(layers, weights_of(job.theta, layers[len(layers) - 1], job.one))
    if job.team == 1:
        product(job.one, W, transposed(above), job.zero, Matrix(job.Z, n, M, M * size, size))  # (18)
        return True
    parts = job.partial_Z + (step % 2) * job.team * job.partial_Z_size
    mine = Matrix(parts + job.mine * job.partial_Z_size, n, M, M * size, size)
    product(job.one, W, transposed(above), job.zero, mine)
    if step + 1 < job.steps:
        gather_batch(job, step + 1)
    if not wait(job):
        return False
    Z = vector(job.Z, n * M, job.one)
    for thread in range(job.team):
        part = vector(parts + thread * job.partial_Z_size, n * M, job.one)
        for i in range(n * M):
            Z[i] = part[i] if thread == 0 else Z[i] + part[i]
    return True


@matrix
def _own_columns(layers, W):  # type: ignore[no-untyped-def]
    """The columns of the output's W̃ that multiply own neurons, and the biases where they are this thread's."""
    if len(layers) == 1:
        return W
    below = layers[len(layers) - 2]
    return columns_of(W, below.unit, below.end + below.with_bias)


@procedure
def activate_hidden(job, layer, own, step):  # type: ignore[no-untyped-def]
    """A ← f(Z), dropped out where the layer does, and 1 beside it."""
    one = job.one
    if layer.activation == SOFTMAX:
        for i in range(own.rows):
            softmax_row(vector(own.start + i * own.down, own.columns, one), one)
    else:
        count, length = flat(layer, own, one)
        for i in range(count):
            S = vector(layer.S + i * own.down, length, one)
            activate(layer.activation, vector(own.start + i * own.down, length, one), S, one)
    if layer.mask:
        _drop(job, layer, own, step)
    if layer.with_bias:
        for i in range(own.rows):
            vector(own.start + i * own.down + own.columns * size_of(one), 1, one)[0] = one


@part_of_step(lambda *arguments: types.int64)
def _mask(job, layer, step, i):  # type: ignore[no-untyped-def]
    """Where it stands which of the own neurons an example of the batch keeps, a byte each."""
    return layer.mask + (step * job.whole_batch + job.example + i) * layer.mask_step + layer.unit


@procedure
def _drop(job, layer, own, step):  # type: ignore[no-untyped-def]
    """A ← mask ⊙ A / (1 − rate); S ← f' times the same, or A itself for softmax, whose derivative is no factor."""
    one, factor, is_softmax = job.one, like(layer.kept_scale, job.one), layer.activation == SOFTMAX
    for i in range(own.rows):
        mask = vector(_mask(job, layer, step, i), own.columns, np.uint8(1))
        A, S = vector(own.start + i * own.down, own.columns, one), vector(layer.S + i * own.down, own.columns, one)
        for k in range(own.columns if is_softmax or not layer.keeps else 0):
            S[k] = A[k] if is_softmax else one
        if not is_softmax and not layer.keeps:
            derivative_product(layer.activation, A, A, S, one)
        for k in range(own.columns):
            scale = factor if mask[k] else job.zero
            A[k] *= scale
            S[k] *= one if is_softmax else scale


@procedure
def _through(job, layer, own, G, step):  # type: ignore[no-untyped-def]
    """G ← f'(Z) ⊙ G, BP2.2."""
    one = job.one
    if layer.activation == SOFTMAX:
        for i in range(own.rows):
            _through_softmax(job, layer, own, G, step, i)
        return
    count, length = flat(layer, own, one)
    for i in range(count):
        A, S = vector(own.start + i * own.down, length, one), vector(layer.S + i * own.down, length, one)
        errors = vector(G.start + i * G.down, length, one)
        if layer.mask:
            for k in range(length):
                errors[k] *= S[k]
        else:
            derivative_product(layer.activation, A, S, errors, one)


@procedure
def _through_softmax(job, layer, own, G, step, i):  # type: ignore[no-untyped-def]
    """The same for softmax, whose Jacobian is full, and one example."""
    errors = vector(G.start + i * G.down, own.columns, job.one)
    if layer.mask:
        mask = vector(_mask(job, layer, step, i), own.columns, np.uint8(1))
        factor = like(layer.kept_scale, job.one)
        for k in range(own.columns):
            errors[k] *= factor if mask[k] else job.zero
    A = vector((layer.S if layer.mask else own.start) + i * own.down, own.columns, job.one)
    softmax_row_product(A, errors, job.one)


@procedure
def activate_output(job, layer, M):  # type: ignore[no-untyped-def]
    """A[L] ← f(Z[L]) (n_L, M); of softmax also the logarithm of the sum of exponentials of each example."""
    count, one = job.outputs * M, job.one
    Z, A = vector(job.Z, count, one), vector(job.A, count, one)
    for i in range(count):
        A[i] = Z[i]
    if layer.activation == SOFTMAX:
        shift, total = vector(job.column, M, one), vector(job.column + M * size_of(one), M, one)
        softmax_columns(A, shift, total, job.outputs, M, one)
        for i in range(M):
            shift[i] += log(total[i])
    else:
        activate(layer.activation, A, vector(job.S, count, one), one)


@procedure
def output_error(job, layers, step):  # type: ignore[no-untyped-def]
    """The losses of the batch (22), and delta[L] (n_L, M), BP1.2."""
    one, n, M, size = job.one, job.outputs, job.batch_size, size_of(job.one)
    layer, count, first = layers[len(layers) - 1], n * M, step * job.whole_batch + job.example
    order = vector(job.order + 8 * first, M, np.int64(1))
    Z, A, Y = vector(job.Z, count, one), vector(job.A, count, one), vector(job.Y, count, one)
    delta, shift = vector(job.delta, count, one), vector(job.column, M, one)
    # Where threads share neurons each has all outputs, but one alone writes down what they cost.
    writes = job.team == 1 or job.mine == 0
    losses = vector(job.losses + first * size if writes else job.column + 2 * M * size, M, one)
    gather_targets(vector(job.targets, job.examples * n, one), order, n, M, Y, one)
    activate_output(job, layer, M)
    loss_and_slope(job.loss, Z, A, Y, shift, delta, losses, n, M, job.share, job.limit, one)
    if not job.crosses and layer.activation == SOFTMAX:
        softmax_columns_product(A, delta, vector(job.column + M * size, M, one), n, M, one)
    elif not job.crosses:
        derivative_product(layer.activation, A, vector(job.S, count, one), delta, one)
    if job.weights:
        weights = vector(job.weights, job.examples, one)
        for i in range(M):
            losses[i] *= weights[order[i]]
            for k in range(i, count, M):
                delta[k] *= weights[order[i]]


@question
def backward(job, layers, step, target, factors, beta):  # type: ignore[no-untyped-def]
    """target ← β target + factor · ∂C/∂W̃ of each layer; an error is propagated before the weights may change."""
    M, size, alpha, last = job.batch_size, size_of(job.one), factors[0], len(layers) - 1
    delta = transposed(Matrix(job.delta, job.outputs, M, M * size, size))  # (M, n_L)
    for index in range(last, 0, -1):
        layer, below = layers[index], layers[index - 1]
        W, into = weights_of(job.theta, layer, job.one), weights_of(target, layer, job.one)
        A, G = own_of(below.own, below, M, job.one), own_of(below.G, below, M, job.one)
        is_sum = index < last and job.team > 1
        if index == last:
            W, into = columns_of(W, below.unit, below.end), _own_columns(layers, into)
            above = Matrix(A.start, M, A.columns + below.with_bias, A.down, size)
        else:
            W = columns_of(rows_of(W, layer.unit, layer.end), 0, below.units)
            into = rows_of(into, layer.unit, layer.end)
            above = Matrix(below.A, M, below.units + 1, below.A_down, size)
        part = G
        if is_sum:
            part = Matrix(below.partial_G + job.mine * below.partial_step, M, below.units, below.partial_down, size)
        product(job.one, delta, W, job.zero, part)
        product(alpha, transposed(delta), above, decayed(job, layer, step, factors, beta), into)  # BP3.2 and BP4.2
        if is_sum:
            if not wait(job):
                return False
            _add_parts(job, below, G)
        if not job.products_only:
            _through(job, below, A, G, step)  # BP2.2
        delta = G
    first = layers[0]
    into = weights_of(target, first, job.one)
    if last > 0:
        into = rows_of(into, first.unit, first.end)
    product(alpha, transposed(delta), batch_rows(job, step), decayed(job, first, step, factors, beta), into)
    return True


@procedure
def _add_parts(job, layer, G):  # type: ignore[no-untyped-def]
    """G (M, own neurons) ← the sum of the threads' parts."""
    for thread in range(job.team):
        start = layer.partial_G + thread * layer.partial_step + layer.unit * size_of(job.one)
        for i in range(G.rows):
            total = vector(G.start + i * G.down, G.columns, job.one)
            part = vector(start + i * layer.partial_down, G.columns, job.one)
            for k in range(G.columns):
                total[k] = part[k] if thread == 0 else total[k] + part[k]
