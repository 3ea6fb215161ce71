"""Equations (16) to (24) and BP1.2 to BP4.2: a whole batch, beside the same computed for each example alone.

Each test computes one equation from its definition and holds the code that docs/equations.md names against it.
"""

import numpy as np
import pytest
from small import (
    FUNCTIONS,
    NUMERIC,
    activations,
    binary_crossentropy,
    close,
    examples,
    forward_passed,
    jacobian,
    network,
    squared_errors,
    weighted_inputs,
)

from scratchnet.activations import ACTIVATIONS
from scratchnet.formulations import batch, scalar, vector
from scratchnet.losses import LOSSES
from scratchnet.workspace import Workspace

M = 5
BINARY = LOSSES["summed_binary_crossentropy"]()


def gathered(of, X, order):
    workspace = Workspace(of.layers, of.parameters, of.parameters.zeros_like(), len(order))
    batch.gather(workspace, np.hstack([X, np.ones((len(X), 1))]), order)
    return workspace


def test_equation_16():
    of = network("tanh", "sigmoid")
    X, _ = examples(of, M)
    order = np.array([3, 0, 4])
    close(gathered(of, X, order).rows.T[:-1], np.stack([X[3], X[0], X[4]], axis=1))


def test_equation_17():
    of = network("tanh", "sigmoid")
    X, _ = examples(of, M)
    A_0 = gathered(of, X, np.arange(M)).rows.T
    assert A_0.shape == (of.inputs + 1, M)
    for m in range(M):
        for i in range(of.inputs):
            assert A_0[i, m] == X[m, i]
        assert A_0[-1, m] == 1.0, "the row of ones that meets the bias"


def test_equation_18():
    of = network("linear", "sigmoid")  # linear, so that Z[1] can be seen: f overwrites it
    X, _ = examples(of, M)
    workspace, _ = forward_passed(of, X)
    A = X.T
    for layer, (W, b) in zip(workspace.layers, of.parameters.get(), strict=True):
        B = np.repeat(b[:, None], M, axis=1)
        A = np.einsum("ik,km->im", W, A) + B
        close(layer.Z, A)


def test_equation_19():
    of = network("linear", "sigmoid")
    X, _ = examples(of, M)
    workspace, _ = forward_passed(of, X)
    for m, x in enumerate(X):
        for layer, z in zip(workspace.layers, weighted_inputs(of, x), strict=True):
            close([layer.Z[i, m] for i in range(len(z))], z)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equation_20(name):
    of = network(name, "sigmoid")
    X, _ = examples(of, M)
    workspace, _ = forward_passed(of, X)
    (W, b), _ = of.parameters.get()
    close(workspace.layers[0].A, FUNCTIONS[name](W @ X.T + b[:, None]))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equation_21(name):
    Z = np.random.default_rng(2).normal(size=(3, M))
    A = np.empty_like(Z)
    ACTIVATIONS[name](Z.shape, Z.dtype).forward(Z, A)
    for m in range(M):
        close(A[:, m], [ACTIVATIONS[name].component(Z[:, m].tolist(), i) for i in range(3)])


def test_equation_22():
    of = network("tanh", "sigmoid")
    X, Y = examples(of, M)
    workspace, _ = forward_passed(of, X)
    losses = BINARY.per_example(batch.loss_input(workspace, BINARY), Y.T)
    close(losses, [scalar.cost(of, X[m : m + 1], Y[m : m + 1]) for m in range(M)])


def test_equation_23():
    rng = np.random.default_rng(3)
    Z, Y = rng.normal(size=(4, M)), rng.uniform(size=(4, M))
    A = 1 / (1 + np.exp(-Z))
    sums = [sum(-Y[i, m] * np.log(A[i, m]) - (1 - Y[i, m]) * np.log(1 - A[i, m]) for i in range(4)) for m in range(M)]
    close(BINARY.per_example(Z, Y), sums)


def test_equation_24():
    of = network("tanh", "sigmoid")
    X, Y = examples(of, M)
    losses = [binary_crossentropy(activations(of, x)[-1], y) for x, y in zip(X, Y, strict=True)]
    cost = sum(losses) / M
    for reported in (of.cost(X, Y), scalar.cost(of, X, Y), vector.cost(of, X, Y)):
        close(reported, cost)
    close(batch.cost(np.array(losses), np.array([3, 2])), [sum(losses[:3]) / 3, sum(losses[3:]) / 2])


@pytest.mark.parametrize("output", ["tanh", "softmax"])
def test_bp1_2(output):
    of = network("tanh", output, loss="sum_of_squared_errors")
    X, Y = examples(of, M)
    workspace, _ = forward_passed(of, X)
    batch.output_error(workspace.output, of.loss, Y.T)
    assert workspace.output.delta.shape == (4, M)
    for m, (x, y) in enumerate(zip(X, Y, strict=True)):
        z = weighted_inputs(of, x)[-1]
        dL_dz = jacobian(lambda z, y=y: squared_errors(FUNCTIONS[output](z), y), z)
        close(workspace.output.delta[:, m], dL_dz[0], NUMERIC)


@pytest.mark.parametrize("hidden", ["tanh", "sigmoid", "softmax"])
def test_bp2_2(hidden):
    of = network(hidden, "linear", loss="sum_of_squared_errors")
    X, _ = examples(of, M)
    workspace, _ = forward_passed(of, X)
    ((output, product, above),) = workspace.descent
    output.delta[...] = np.random.default_rng(4).normal(size=output.delta.shape)
    batch.propagate(product, above)
    _, (W, _) = of.parameters.get()
    for m, x in enumerate(X):
        slopes = jacobian(FUNCTIONS[hidden], weighted_inputs(of, x)[0])
        expected = [
            sum(slopes[k, i] * sum(W[j, k] * output.delta[j, m] for j in range(4)) for k in range(2)) for i in range(2)
        ]
        close(above.delta[:, m], expected, NUMERIC)


def batch_gradient(scale, beta, before):
    """The target of layer 2 after `batch.gradient`, and delta[2] (4, M) and A[1] (2, M) that went in."""
    of = network("tanh", "linear", loss="sum_of_squared_errors")
    X, _ = examples(of, M)
    workspace, target = forward_passed(of, X)
    workspace.output.delta[...] = np.random.default_rng(5).normal(size=(4, M))
    target.vector[...] = before
    batch.gradient(workspace.output, scale, beta)
    return target, workspace.output.delta, np.stack([activations(of, x)[1] for x in X], axis=1)


def mean_of_products(delta, A):
    """(1/M) Σ_m delta_i^m a_k^m for each i and k."""
    M = delta.shape[1]
    return [[sum(delta[i, m] * A[k, m] for m in range(M)) / M for k in range(len(A))] for i in range(len(delta))]


def test_bp3_2():
    target, delta, A = batch_gradient(1 / M, 0.0, before=7.0)
    close(target.weights[1], mean_of_products(delta, A))
    target, delta, A = batch_gradient(-0.5 / M, 0.25, before=8.0)
    close(target.weights[1], 2.0 - 0.5 * np.array(mean_of_products(delta, A)))


def test_bp4_2():
    target, delta, _ = batch_gradient(1 / M, 0.0, before=7.0)
    close(target.biases[1], [sum(delta[i, m] for m in range(M)) / M for i in range(4)])
    of = network("tanh", "sigmoid")
    X, Y = examples(of, M)
    errors = [np.array(scalar.gradients(of, X[m : m + 1], Y[m : m + 1])) for m in range(M)]
    gradient = of.parameters.zeros_like()
    gradient.vector[...] = of.gradient(X, Y)
    mean = of.parameters.zeros_like()
    mean.vector[...] = sum(errors) / M
    for db, expected in zip(gradient.biases, mean.biases, strict=True):
        close(db, expected)
