"""Initializers: shapes, variances, limits and the laws of their distributions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.initializers import INITIALIZERS

N_IN, N_OUT = 400, 300
VARIANCES = {
    "zeros": 0.0,
    "random_normal": 0.05**2,
    "random_uniform": (2 * 0.05) ** 2 / 12,  # of a uniform distribution of width 0.1
    "glorot_uniform": 2 / (N_IN + N_OUT),
    "glorot_normal": 2 / (N_IN + N_OUT),
    "he_uniform": 2 / N_IN,
    "he_normal": 2 / N_IN,
    "lecun_uniform": 1 / N_IN,
    "lecun_normal": 1 / N_IN,
    "orthogonal": 1 / N_IN,  # N_OUT rows of length 1 over N_IN columns
}


def draw(name, n_out=N_OUT, n_in=N_IN, seed=0):
    return INITIALIZERS[name](np.random.default_rng(seed), n_out, n_in)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_weights_have_the_mean_and_variance_they_promise(name):
    W, variance = draw(name), VARIANCES[name]
    assert W.shape == (N_OUT, N_IN)
    assert W.var() == pytest.approx(variance, rel=0.03)
    assert abs(W.mean()) <= 3 * np.sqrt(variance / W.size)


@pytest.mark.parametrize("name", [name for name in INITIALIZERS if name.endswith("uniform")])
def test_uniform_weights_fill_their_limits_and_do_not_pass_them(name):
    largest, limit = np.abs(draw(name)).max(), np.sqrt(3 * VARIANCES[name])
    assert 0.999 * limit < largest <= limit


@pytest.mark.parametrize("name", [name for name in INITIALIZERS if name.endswith("normal")])
def test_normal_weights_have_the_kurtosis_of_a_normal_distribution(name):
    W = draw(name)
    assert np.mean(W**4) / np.mean(W**2) ** 2 == pytest.approx(3.0, rel=0.03)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 100))
def test_orthogonal_weights_have_orthonormal_rows_or_columns(n_out, n_in, seed):
    W = draw("orthogonal", n_out, n_in, seed)
    assert W.shape == (n_out, n_in)
    product = W @ W.T if n_out <= n_in else W.T @ W
    np.testing.assert_allclose(product, np.eye(min(n_out, n_in)), atol=1e-13)


def test_orthogonal_matrices_are_as_often_reflections_as_rotations():
    """Without the signs of R's diagonal the determinants would depend on LAPACK."""
    signs = [np.linalg.det(draw("orthogonal", 3, 3, seed)) > 0 for seed in range(400)]
    assert 0.4 < np.mean(signs) < 0.6


@pytest.mark.parametrize("name", INITIALIZERS)
def test_a_seed_decides_the_weights(name):
    np.testing.assert_array_equal(draw(name, seed=1), draw(name, seed=1))
    assert name == "zeros" or not np.array_equal(draw(name, seed=1), draw(name, seed=2))
