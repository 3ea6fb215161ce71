"""Equations (1) to (15) and (51): forward propagation of one example, component by component and in matrices.

Each test computes one equation from its definition and holds the code that docs/equations.md names against it.
"""

import math

import numpy as np
import pytest
from small import (
    ELEMENTWISE,
    FUNCTIONS,
    NUMERIC,
    activations,
    binary_crossentropy,
    close,
    examples,
    figure_1,
    jacobian,
    network,
    sigmoid,
    weighted_inputs,
)

from scratchnet.activations import ACTIVATIONS, Sigmoid
from scratchnet.formulations import scalar, vector
from scratchnet.losses import LOSSES

BINARY = LOSSES["summed_binary_crossentropy"]()


def by_components(of, x):
    """z and a of the layers 1 to L, by the scalar formulation."""
    return scalar.forward(scalar.layers_of(of), x.tolist())[1:]


def by_matrices(of, x):
    return vector.forward(vector.layers_of(of), x[:, None])[1:]


def test_equation_01():
    of = figure_1()
    (x, *_), _ = examples(of)
    (W, b), _ = of.parameters.get()
    z_1 = x[0] * W[0, 0] + x[1] * W[0, 1] + x[2] * W[0, 2] + b[0]
    close(by_components(of, x)[0].z[0], z_1)


def test_equation_02():
    of = figure_1()
    (x, *_), _ = examples(of)
    close(by_components(of, x)[0].a[0], sigmoid(weighted_inputs(of, x)[0][0]))


def test_equation_03():
    of = network("tanh", "relu", "sigmoid", widths=(3, 4, 2, 3))
    X, _ = examples(of)
    for x in X:
        for layer, z in zip(by_components(of, x), weighted_inputs(of, x), strict=True):
            close(layer.z, z)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equation_04(name):
    of = network(name, "sigmoid")
    X, _ = examples(of)
    for x in X:
        hidden, _ = by_components(of, x)
        close(hidden.a, FUNCTIONS[name](weighted_inputs(of, x)[0]))


@pytest.mark.parametrize("z", [-30.0, -2.0, -0.5, 0.0, 0.5, 2.0, 30.0])
def test_equation_05(z):
    expected, A = 1 / (1 + math.exp(-z)), np.array([[z]])
    ACTIVATIONS["sigmoid"](A.shape, A.dtype).forward(A, A)
    close(A, [[expected]], 1e-15)
    close(ACTIVATIONS["sigmoid"].value(z), expected, 1e-15)
    assert 0 < A < 1


def test_equation_06():
    of = figure_1()
    (x, *_), _ = examples(of)
    (W_1, b_1), (W_2, b_2) = of.parameters.get()
    hidden = [sigmoid(W_1[i] @ x + b_1[i]) for i in range(2)]
    y_hat = sigmoid(W_2[0, 0] * hidden[0] + W_2[0, 1] * hidden[1] + b_2[0])
    close(by_components(of, x)[-1].a, [y_hat])
    close(of.predict(x[None]), [[y_hat]])


def test_equation_07():
    of = network("tanh", "sigmoid", widths=(3, 2, 4))
    (x, *_), _ = examples(of)
    y_hat = activations(of, x)[-1]
    assert len(y_hat) == 4
    close(by_components(of, x)[-1].a, y_hat)
    assert all(0 < a < 1 for a in by_components(of, x)[-1].a)


def test_equation_08():
    thresholds = [0.5, 0.25, 0.75]
    assert scalar.prediction([0.5, 0.25, 0.75], thresholds) == [0, 0, 0], "not above its threshold"
    assert scalar.prediction([0.51, 0.26, 0.76], thresholds) == [1, 1, 1]
    assert scalar.prediction([0.6, 0.2, 0.7], thresholds) == [1, 0, 0], "each output has its own"


def test_equation_09():
    of = network("tanh", "relu", "sigmoid", widths=(3, 4, 2, 3))
    (x, *_), _ = examples(of)
    above = activations(of, x)
    for layer, (W, b), a in zip(by_matrices(of, x), of.parameters.get(), above[:-1], strict=True):
        close(layer.z[:, 0], np.einsum("ik,k->i", W, a) + b)


def test_equation_10():
    of = network("tanh", "sigmoid", widths=(3, 2, 4))
    (x, *_), _ = examples(of)
    (W, b), _ = of.parameters.get()
    rows = [
        [W[0, 0] * x[0] + W[0, 1] * x[1] + W[0, 2] * x[2] + b[0]],
        [W[1, 0] * x[0] + W[1, 1] * x[1] + W[1, 2] * x[2] + b[1]],
    ]
    close(by_matrices(of, x)[0].z, rows)
    assert [layer.W.shape for layer in vector.layers_of(of)] == [(2, 3), (4, 2)], "a row a neuron, a column an input"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equation_11(name):
    of = network(name, "sigmoid")
    (x, *_), _ = examples(of)
    close(by_matrices(of, x)[0].a[:, 0], FUNCTIONS[name](weighted_inputs(of, x)[0]))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_equation_12(name):
    of = network(name, "sigmoid", widths=(3, 4, 1))
    (x, *_), _ = examples(of)
    z, a = by_matrices(of, x)[0]
    alone = [ACTIVATIONS[name].value(float(z_i)) for z_i in z[:, 0]]
    close(a, np.array(alone)[:, None])


def test_equation_13():
    of = network("relu", "tanh", "sigmoid", widths=(3, 4, 2, 3))
    X, _ = examples(of)
    for x in X:
        a = x
        for name, (W, b) in zip(("relu", "tanh", "sigmoid"), of.parameters.get(), strict=True):
            a = FUNCTIONS[name](W @ a + b)
        close(by_matrices(of, x)[-1].a, a[:, None])


def test_equation_14():
    of = network("tanh", "sigmoid", widths=(3, 2, 4))
    X, _ = examples(of)
    columns = [by_matrices(of, x)[-1].a for x in X]
    assert {column.shape for column in columns} == {(4, 1)}
    for column, x in zip(columns, X, strict=True):
        close([float(column[i, 0]) for i in range(4)], [activations(of, x)[-1][i] for i in range(4)])


def test_equation_15():
    z, y = np.array([0.3, -1.2, 2.0]), np.array([1.0, 0.0, 0.25])
    a = [sigmoid(one) for one in z]
    loss = binary_crossentropy(a, y)
    close(BINARY.component(a, y.tolist()), loss)
    close(BINARY.per_example(z[:, None], y[:, None]), [loss])
    for bad, good in (((0.001, 1.0), (0.999, 1.0)), ((0.999, 0.0), (0.001, 0.0))):
        assert BINARY.component([bad[0]], [bad[1]]) > 6.9
        assert BINARY.component([good[0]], [good[1]]) < 0.002


@pytest.mark.parametrize("z", [-3.0, -0.5, 0.0, 0.5, 3.0])
def test_equation_51(z):
    close(Sigmoid.value(z), math.e**z / (math.e**z + 1))
    close(Sigmoid.slope(z), jacobian(lambda at: 1 / (1 + np.exp(-at)), np.array([z]))[0, 0], NUMERIC)
    A, slope = np.array([[sigmoid(z)]]), np.empty((1, 1))
    Sigmoid(A.shape, A.dtype).derivative(A, slope)
    close(slope, [[sigmoid(z) * (1 - sigmoid(z))]])
