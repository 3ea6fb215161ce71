"""The compiled step as Python calls it: the steps of an epoch, or predictions, as one of several threads.

Threads share a step by neurons (`propagation`), or by examples: each has its own examples of a batch, and the
gradients, which are sums over examples, are added up.
"""

from scratchnet.engine.intrinsics import procedure, question, size_of, vector
from scratchnet.engine.job import own_of, wait, weights_of
from scratchnet.engine.kernels import times_zero
from scratchnet.engine.product import Matrix, columns_of, product, transposed
from scratchnet.engine.propagation import (
    activate_hidden,
    activate_output,
    backward,
    forward,
    gather_batch,
    output_error,
)
from scratchnet.engine.records import GATHER, PREDICT
from scratchnet.engine.updating import add_gradients, clip, update_own


def work(jobs, layers, first, last):  # type: ignore[no-untyped-def]
    """A thread's task: steps first to last − 1, predictions of rows before `last`, or the rows of the first batch.

    False where another thread ends all, or where a number was not finite.
    """
    job = jobs[0]
    if job.task == PREDICT:
        return predict(job, layers, last)
    if job.task == GATHER:
        gather_batch(job, first)
        return True
    return train(job, layers, first, last)


@question
def train(job, layers, first, last):  # type: ignore[no-untyped-def]
    """Steps first to last − 1 of an epoch; False where another thread ends all."""
    if job.team > 1 and first == 0:
        gather_batch(job, 0)
        if not wait(job):
            return False
    step, goes_on = first, True
    while goes_on and step < last:
        goes_on = train_step(job, layers, step)
        step += 1
    return goes_on


@question
def train_step(job, layers, step):  # type: ignore[no-untyped-def]
    """One step; False where another thread ends all."""
    row, size = job.factors + step * job.factor_count * size_of(job.one), size_of(job.one)
    factors, of_update = vector(row, 2, job.one), vector(row + 2 * size, job.factor_count - 2, job.one)
    if job.team == 1:
        gather_batch(job, step)
    if not forward(job, layers, step):
        return False
    if job.products_only:
        return backward(job, layers, step, job.target, factors, job.beta) and wait(job)
    output_error(job, layers, step)
    if job.threads == job.team:
        goes_on = backward(job, layers, step, job.target, factors, job.beta)
        return goes_on and (not job.clipping or clip(job, layers)) and update_own(job, layers, of_update)
    backward(job, layers, step, job.partials + job.mine * job.kept_size, factors, job.zero)
    if not wait(job):
        return False
    add_gradients(job, layers, step, factors)
    # The next step reads the weights of all.
    return (not job.clipping or clip(job, layers)) and update_own(job, layers, of_update) and wait(job)


@question
def predict(job, layers, count):  # type: ignore[no-untyped-def]
    """A[L] and Z[L] of the rows of X (count, n_0), both (count, n_L), a block at a time, of which each thread takes its
    own; whether all numbers of these were finite."""
    one, n, size, wrong = job.one, job.outputs, size_of(job.one), job.zero
    for start in range(job.mine * job.batch_size, count, job.threads * job.batch_size):
        M = min(job.batch_size, count - start)
        rows = Matrix(job.X + start * job.X_step, M, job.features, job.X_step, size)
        for i in range(M):
            wrong += times_zero(vector(rows.start + i * rows.down, rows.columns, one), one)
        _outputs_of(job, layers, rows)
        of_A, of_Z = vector(job.A, n * M, one), vector(job.Z, n * M, one)
        A, Z = vector(job.predicted, count * n, one), vector(job.predicted_Z, count * n, one)
        for i in range(M):
            for k in range(n):
                A[(start + i) * n + k] = of_A[k * M + i]
                Z[(start + i) * n + k] = of_Z[k * M + i]
    return wrong == job.zero


@procedure
def _outputs_of(job, layers, rows):  # type: ignore[no-untyped-def]
    """Z[L] and A[L] of rows (M, n_0), which have no column of ones: there the product is added to the biases."""
    one, size, M, last, above = job.one, size_of(job.one), rows.rows, len(layers) - 1, rows
    for index in range(last):
        layer = layers[index]
        own, W = own_of(layer.own, layer, M, one), weights_of(job.theta, layer, one)
        if index == 0:
            _biases(W, own, one)
        product(one, above, transposed(columns_of(W, 0, above.columns)), one if index == 0 else job.zero, own)
        activate_hidden(job, layer, own, 0)
        above = Matrix(own.start, M, own.columns + 1, own.down, size)
    W, Z = weights_of(job.theta, layers[last], one), Matrix(job.Z, job.outputs, M, M * size, size)
    if last == 0:
        _biases(W, transposed(Z), one)
    product(one, columns_of(W, 0, above.columns), transposed(above), one if last == 0 else job.zero, Z)
    activate_output(job, layers[last], M)


@procedure
def _biases(W, into, one):  # type: ignore[no-untyped-def]
    """The biases, the last column of W̃, in each row of a matrix (M, n)."""
    for k in range(W.rows):
        bias = vector(W.start + k * W.down + (W.columns - 1) * W.across, 1, one)[0]
        for i in range(into.rows):
            vector(into.start + i * into.down + k * into.across, 1, one)[0] = bias
