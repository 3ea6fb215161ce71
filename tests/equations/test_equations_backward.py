"""Equations (25) to (50) and BP1.1 to BP4.1: backward propagation of one example.

Each test computes one equation from its definition and holds the code that docs/equations.md names against it. The
derivatives of a definition are central differences of it, or sums written out in plain numbers.
"""

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
    from_layer,
    jacobian,
    network,
    sigmoid,
    squared_errors,
    weighted_inputs,
)

from scratchnet import central_differences
from scratchnet.activations import ACTIVATIONS
from scratchnet.formulations import scalar, vector
from scratchnet.losses import LOSSES

BINARY, SQUARED = LOSSES["summed_binary_crossentropy"](), LOSSES["sum_of_squared_errors"]()
SOFTMAX = ACTIVATIONS["softmax"]

Z, Y = np.array([0.4, -1.1, 0.7]), np.array([1.0, 0.0, 0.5])
"""Weighted inputs and targets of three outputs."""
W = np.array([[0.3, -0.8, 1.1, 0.5], [-1.2, 0.6, 0.2, -0.7], [0.9, 0.1, -0.4, 1.3]])
B = np.array([0.2, -0.3, 0.1])
Z_ABOVE, DELTA = np.array([0.6, -0.4, 1.5, -0.9]), np.array([0.7, -0.2, 0.5])
"""W (3, 4) and b of layer l, z of layer l-1, the error of layer l."""


def row_by_scalar(loss, name, z=Z, y=Y):
    """The error at the output, n_L numbers."""
    a = FUNCTIONS[name](z)
    return scalar.output_error(loss, ACTIVATIONS[name], z.tolist(), a.tolist(), y.tolist())


def column_by_vector(loss, name, z=Z, y=Y):
    """The error at the output, (n_L, 1)."""
    a = FUNCTIONS[name](z)
    return vector.output_error(loss, ACTIVATIONS[name], z[:, None], a[:, None], y[:, None])


def propagated_by_scalar(name, delta=DELTA, z=Z_ABOVE):
    """The error of layer l-1, numbers."""
    return scalar.propagate(W.tolist(), delta.tolist(), ACTIVATIONS[name], z.tolist())


def propagated_by_vector(name, delta=DELTA, z=Z_ABOVE):
    """The error of layer l-1, a column."""
    return vector.propagate(W, delta[:, None], ACTIVATIONS[name], z[:, None])


def softmax_jacobian(z):
    """a_j ([i = j] − a_i) for row j and column i."""
    a = [np.exp(one) / sum(np.exp(other) for other in z) for one in z]
    return [[a[j] * ((i == j) - a[i]) for i in range(len(z))] for j in range(len(z))]


@pytest.mark.parametrize("name", ["tanh", "softmax"])
def test_equation_25(name):
    dL_da = jacobian(lambda a: squared_errors(a, Y), FUNCTIONS[name](Z))
    close(column_by_vector(SQUARED, name), (dL_da @ jacobian(FUNCTIONS[name], Z)).T, NUMERIC)
    close(vector.jacobian(ACTIVATIONS[name], Z[:, None]), jacobian(FUNCTIONS[name], Z), NUMERIC)


def test_equation_26():
    a, rows = FUNCTIONS["softmax"](Z), softmax_jacobian(Z)
    row = np.array([[2 * (a[0] - Y[0]), 2 * (a[1] - Y[1]), 2 * (a[2] - Y[2])]])
    close([SQUARED.partial(a.tolist(), Y.tolist(), i) for i in range(3)], row[0])
    close(vector.jacobian(SOFTMAX, Z[:, None]), rows)
    close(column_by_vector(SQUARED, "softmax").T, row @ np.array(rows))


def test_equation_27():
    (d_1, d_2, d_3), J = 2 * (FUNCTIONS["softmax"](Z) - Y), softmax_jacobian(Z)
    multiplied_out = [
        d_1 * J[0][0] + d_2 * J[1][0] + d_3 * J[2][0],
        d_1 * J[0][1] + d_2 * J[1][1] + d_3 * J[2][1],
        d_1 * J[0][2] + d_2 * J[1][2] + d_3 * J[2][2],
    ]
    close(row_by_scalar(SQUARED, "softmax"), multiplied_out)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equation_28(name):
    a, J = FUNCTIONS[name](Z), jacobian(FUNCTIONS[name], Z)
    sums = [sum(2 * (a[j] - Y[j]) * J[j, i] for j in range(3)) for i in range(3)]
    close(row_by_scalar(SQUARED, name), sums, NUMERIC)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equation_29(name):
    a, J = FUNCTIONS[name](Z), jacobian(FUNCTIONS[name], Z)
    only_i = [2 * (a[i] - Y[i]) * J[i, i] for i in range(3)]
    partials = np.array([[ACTIVATIONS[name].partial(Z.tolist(), j, i) for i in range(3)] for j in range(3)])
    diagonal = not (partials - np.diag(np.diag(partials))).any()
    assert diagonal == (name in ELEMENTWISE), "softmax is no function of z_j alone"
    assert np.allclose(row_by_scalar(SQUARED, name), only_i, atol=NUMERIC) == diagonal


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_equation_30(name):
    G, product = np.array([[1.5], [-0.5], [2.0]]), np.empty((3, 1))
    activation, A = ACTIVATIONS[name]((3, 1), Z.dtype), np.empty((3, 1))
    activation.forward(Z[:, None], A)
    activation.jacobian_product(A, G, product)
    slopes = [float(jacobian(FUNCTIONS[name], Z[i : i + 1])[0, 0]) for i in range(3)]
    close(product[:, 0], [G[i, 0] * slopes[i] for i in range(3)], NUMERIC)


def test_equation_31():
    a = [sigmoid(z) for z in Z]
    column = [[2 * (a[i] - Y[i]) * a[i] * (1 - a[i])] for i in range(3)]
    close(column_by_vector(SQUARED, "sigmoid"), column)
    delta = np.empty((3, 1))
    SQUARED.output_error(ACTIVATIONS["sigmoid"]((3, 1), Z.dtype), np.array(a)[:, None], Y[:, None], delta)
    close(delta, column)


def test_equation_32():
    a = np.array([sigmoid(z) for z in Z])
    close([BINARY.slope(a[i], Y[i]) for i in range(3)], [-(Y[i] / a[i] - (1 - Y[i]) / (1 - a[i])) for i in range(3)])
    slopes = [BINARY.partial(a.tolist(), Y.tolist(), i) for i in range(3)]
    close([slopes], jacobian(lambda a: binary_crossentropy(a, Y), a), NUMERIC)


def test_equation_33():
    for a in (0.01, 0.3, 0.5, 0.99):
        for y in (0.0, 0.25, 1.0):
            close(BINARY.slope(a, y), -(y - a) / (a * (1 - a)))


def test_equation_34():
    for z, y in zip(Z, Y, strict=True):
        slope = jacobian(FUNCTIONS["sigmoid"], np.array([z]))[0, 0]
        close(BINARY.slope(sigmoid(z), y), -(y - sigmoid(z)) / slope, NUMERIC)


def test_equation_35():
    a = np.array([[sigmoid(z)] for z in Z])
    expected = [-(Y[i] - a[i, 0]) for i in range(3)]
    close(row_by_scalar(BINARY, "sigmoid"), expected)
    delta = np.empty((3, 1))
    BINARY.output_error(ACTIVATIONS["sigmoid"]((3, 1), Z.dtype), a, Y[:, None], delta)
    close(delta[:, 0], expected, 1e-15)
    dL_dz = jacobian(lambda z: binary_crossentropy(FUNCTIONS["sigmoid"](z), Y), Z)
    close([expected], dL_dz, NUMERIC)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equation_36(name):
    dz_dz = jacobian(lambda z: W @ FUNCTIONS[name](z) + B, Z_ABOVE)
    close(propagated_by_vector(name), (DELTA[None] @ dz_dz).T, NUMERIC)


def test_equation_37():
    J = np.array(softmax_jacobian(Z_ABOVE))
    rows = [[sum(W[j, k] * J[k, i] for k in range(4)) for i in range(4)] for j in range(3)]
    close(propagated_by_vector("softmax").T, DELTA[None] @ np.array(rows))
    elementwise = [[W[j, i] * (1 - np.tanh(Z_ABOVE[i]) ** 2) for i in range(4)] for j in range(3)]
    close(propagated_by_vector("tanh").T, DELTA[None] @ np.array(elementwise))


def test_equation_38():
    J = jacobian(lambda z: W @ FUNCTIONS["softmax"](z) + B, Z_ABOVE)
    multiplied_out = [
        DELTA[0] * J[0, 0] + DELTA[1] * J[1, 0] + DELTA[2] * J[2, 0],
        DELTA[0] * J[0, 1] + DELTA[1] * J[1, 1] + DELTA[2] * J[2, 1],
        DELTA[0] * J[0, 2] + DELTA[1] * J[1, 2] + DELTA[2] * J[2, 2],
        DELTA[0] * J[0, 3] + DELTA[1] * J[1, 3] + DELTA[2] * J[2, 3],
    ]
    close(propagated_by_scalar("softmax"), multiplied_out, NUMERIC)


@pytest.mark.parametrize("name", ["tanh", "softmax"])
def test_equation_39(name):
    z = W @ FUNCTIONS[name](Z_ABOVE) + B
    dL_dz = jacobian(lambda z: squared_errors(FUNCTIONS["sigmoid"](z), Y), z)[0]
    dz_dz = jacobian(lambda above: W @ FUNCTIONS[name](above) + B, Z_ABOVE)
    sums = [sum(dL_dz[j] * dz_dz[j, i] for j in range(3)) for i in range(4)]
    close(propagated_by_scalar(name, np.array(row_by_scalar(SQUARED, "sigmoid", z))), sums, NUMERIC)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equation_40(name):
    dz_dz = jacobian(lambda z: W @ FUNCTIONS[name](z) + B, Z_ABOVE)
    sums = [sum(DELTA[j] * dz_dz[j, i] for j in range(3)) for i in range(4)]
    close(propagated_by_scalar(name), sums, NUMERIC)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equation_41(name):
    of = network("tanh", name, "sigmoid", widths=(3, 2, 4, 3))
    (x, *_), _ = examples(of)
    _, above, layer = scalar.forward(scalar.layers_of(of), x.tolist())[1:]
    w, b = of.parameters.get()[2]
    f = FUNCTIONS[name](np.array(above.z))
    close(layer.z, [sum(w[j, k] * f[k] for k in range(4)) + b[j] for j in range(3)])


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_equation_42(name):
    slopes = [jacobian(FUNCTIONS[name], Z_ABOVE[k : k + 1])[0, 0] for k in range(4)]
    for j in range(3):  # the error of z_j itself leaves its derivatives
        close(propagated_by_scalar(name, np.eye(3)[j]), [W[j, k] * slopes[k] for k in range(4)], NUMERIC)


def test_equation_43():
    slopes = [sigmoid(z) * (1 - sigmoid(z)) for z in Z_ABOVE]
    expected = [slopes[k] * sum(W[j, k] * DELTA[j] for j in range(3)) for k in range(4)]
    close(propagated_by_scalar("sigmoid"), expected)


def test_equation_44():
    slopes = np.array([1 - np.tanh(z) ** 2 for z in Z_ABOVE])
    sums = np.array([sum(W[j, k] * DELTA[j] for j in range(3)) for k in range(4)])
    close(propagated_by_vector("tanh")[:, 0], slopes * sums)


def test_equation_45():
    slopes = np.array([1.0 if z > 0 else 0.0 for z in Z_ABOVE])
    close(propagated_by_vector("relu")[:, 0], slopes * np.array([*DELTA]).dot(np.array([[*row] for row in W])))


def test_equation_46():
    slopes = np.exp(-Z_ABOVE) / (1 + np.exp(-Z_ABOVE)) ** 2
    row = slopes[None] * (DELTA[:, None].T @ W)
    assert row.shape == (1, 4)
    close(propagated_by_vector("sigmoid"), row.T)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu"])
def test_equation_47(name):
    of = network(name, "linear", loss="sum_of_squared_errors")
    (x, *_), (y, *_) = examples(of)
    slope = {
        "sigmoid": lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2,
        "tanh": lambda z: 1 / np.cosh(z) ** 2,
        "relu": lambda z: np.heaviside(z, 0.0),
    }[name]
    (z, _), W_2 = weighted_inputs(of, x), of.parameters.get()[1][0]
    delta = 2 * (activations(of, x)[-1] - y)
    column = slope(z)[:, None] * (W_2.T @ delta[:, None])
    layers = vector.layers_of(of)
    close(vector.propagate(layers[1].W, delta[:, None], layers[0].f, z[:, None]), column)
    close(vector.backward(layers, of.loss, x[:, None], y[:, None])[0].db, column)


def test_equation_48():
    a, delta = np.array([0.5, -1.5, 2.0, 0.25]), np.array([[0.7, -0.2, 0.5]])
    dz_dw = jacobian(lambda w: w.reshape(3, 4) @ a + B, W.ravel())
    assert dz_dw.shape == (3, 12)
    close(vector.gradient(delta.T, a[:, None]).dW.ravel(), (delta @ dz_dw)[0], NUMERIC)


def test_equation_49():
    a, delta = [0.5, -1.5], [0.7, -0.2, 0.5]
    dz_dw = [[a[0], a[1], 0, 0, 0, 0], [0, 0, a[0], a[1], 0, 0], [0, 0, 0, 0, a[0], a[1]]]
    flat = [sum(delta[j] * dz_dw[j][p] for j in range(3)) for p in range(6)]
    close([value for row in scalar.gradient(delta, a).dW for value in row], flat)


def test_equation_50():
    of = network("tanh", "sigmoid", l2=0.125)
    X, Y = examples(of)
    theta, exact, cost = of.parameters.vector, of.gradient(X, Y), of.cost(X, Y)

    def forward(epsilon):
        """(C(w + ε e_j) − C(w)) / ε for each j."""
        differences = []
        for j, value in enumerate(theta.tolist()):
            theta[j] = value + epsilon
            differences.append((of.cost(X, Y) - cost) / epsilon)
            theta[j] = value
        return np.array(differences)

    def errors(by):
        return [float(np.linalg.norm(by(epsilon) - exact)) for epsilon in (1e-2, 1e-3)]

    def central(epsilon):
        return central_differences(of, X, Y, epsilon)

    close(np.divide(*errors(forward)), 10.0, 0.1)  # O(ε)
    close(np.divide(*errors(central)), 100.0, 0.1)  # O(ε²)
    close(forward(1e-6), exact, 1e-5)


@pytest.mark.parametrize(
    ("loss", "output"),
    [
        ("summed_binary_crossentropy", "sigmoid"),
        ("binary_crossentropy", "sigmoid"),
        ("categorical_crossentropy", "softmax"),
        *(("sum_of_squared_errors", name) for name in FUNCTIONS),
    ],
)
def test_bp1_1(loss, output):
    of = network("tanh", output, loss=loss)
    (x, *_), y = examples(of)[0], np.array([0.25, 0.0, 0.5, 0.25])
    value = {
        "summed_binary_crossentropy": binary_crossentropy,
        "binary_crossentropy": lambda a, y: binary_crossentropy(a, y) / len(a),
        "categorical_crossentropy": lambda a, y: -sum(y * np.log(a)),
        "sum_of_squared_errors": squared_errors,
    }[loss]
    z = weighted_inputs(of, x)[-1]
    dL_dz = jacobian(lambda z: value(from_layer(of, 2, z), y), z)
    close([row_by_scalar(of.loss, output, z, y)], dL_dz, NUMERIC)
    close(column_by_vector(of.loss, output, z, y), dL_dz.T, NUMERIC)


@pytest.mark.parametrize("hidden", FUNCTIONS)
def test_bp2_1(hidden):
    of = network("tanh", hidden, "sigmoid", widths=(3, 2, 4, 3))
    (x, *_), (y, *_) = examples(of)
    by_scalar = scalar.backward(scalar.layers_of(of), of.loss, x.tolist(), y.tolist())
    by_vector = vector.backward(vector.layers_of(of), of.loss, x[:, None], y[:, None])
    for l, z in enumerate(weighted_inputs(of, x), start=1):  # noqa: E741 - the equations' own letter
        dL_dz = jacobian(lambda z, at=l: binary_crossentropy(from_layer(of, at, z), y), z)
        close([by_scalar[l - 1].db], dL_dz, NUMERIC)
        close(by_vector[l - 1].db, dL_dz.T, NUMERIC)


def gradients_and_differences(part):
    """For each layer: ∂L/∂W or ∂L/∂b of one example by scalar, by vector, by central differences of its loss."""
    of = network("tanh", "softmax", "sigmoid", widths=(3, 2, 4, 3))
    (x, *_), (y, *_) = examples(of)
    by_scalar = scalar.backward(scalar.layers_of(of), of.loss, x.tolist(), y.tolist())
    by_vector = vector.backward(vector.layers_of(of), of.loss, x[:, None], y[:, None])
    for l, own in enumerate(getattr(of.parameters, part)):  # noqa: E741 - the equations' own letter
        before = own.copy()

        def loss(values, own=own):
            own[...] = values.reshape(own.shape)
            return binary_crossentropy(activations(of, x)[-1], y)

        numeric = jacobian(loss, before.ravel()).reshape(own.shape)
        own[...] = before
        yield by_scalar[l], by_vector[l], numeric


def test_bp3_1():
    for by_scalar, by_vector, dW in gradients_and_differences("weights"):
        close(by_scalar.dW, dW, NUMERIC)
        close(by_vector.dW, dW, NUMERIC)


def test_bp4_1():
    for by_scalar, by_vector, db in gradients_and_differences("biases"):
        close(by_scalar.db, db, NUMERIC)
        close(by_vector.db, db[:, None], NUMERIC)
