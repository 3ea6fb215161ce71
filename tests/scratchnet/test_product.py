"""The product of the hot path, through each BLAS that is installed, and which of them is taken."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import blas
from scratchnet.product import AddScaled, Product

SIZE = st.integers(1, 6)
FACTOR = st.sampled_from([0.0, 1.0, -0.5])
LIBRARY = st.sampled_from(blas.installed())


@given(
    library=LIBRARY,
    dtype=st.sampled_from(["float32", "float64"]),
    n=SIZE,
    k=SIZE,
    m=SIZE,
    gap=st.integers(0, 3),
    turned=st.tuples(st.booleans(), st.booleans()),
    a=FACTOR,
    b=FACTOR,
)
def test_it_is_the_product(library, dtype, n, k, m, gap, turned, a, b):
    rng = np.random.default_rng(0)

    def operand(rows, columns, is_turned=False):
        whole = rng.normal(size=(columns, rows + gap) if is_turned else (rows, columns + gap)).astype(dtype)
        return whole[:, :rows].T if is_turned else whole[:, :columns]

    A, B, C = operand(n, k, turned[0]), operand(k, m, turned[1]), operand(n, m)
    expected = a * A @ B + b * C
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(blas.VARIABLE, library)
        Product(A, B, C)(a, b)
    np.testing.assert_allclose(C, expected, rtol=0, atol=50 * np.finfo(dtype).eps)


@pytest.mark.parametrize("library", blas.installed())
def test_a_result_is_overwritten_where_its_factor_is_0(library, monkeypatch):
    monkeypatch.setenv(blas.VARIABLE, library)
    C = np.full((2, 3), np.nan, np.float32)
    Product(np.ones((2, 4), np.float32), np.ones((4, 3), np.float32), C)()
    assert (C == 4).all()


ONES = np.ones((2, 2))


@pytest.mark.parametrize(
    ("operands", "message"),
    [
        ((np.ones((4, 4))[::2, ::2], ONES, ONES), "neighbours in memory along one axis"),
        ((ONES, ONES, np.asfortranarray(ONES)), "rows without gaps in its result"),
        ((ONES.astype(np.float32), ONES, ONES), "one dtype"),
        ((ONES, np.ones((3, 2)), ONES), r"a product of \(2, 2\) and \(3, 2\) does not fit into \(2, 2\)"),
        ((ONES, ONES, np.ones((2, 3))), r"does not fit into \(2, 3\)"),
    ],
)
def test_what_would_need_a_copy_or_does_not_fit_is_refused(operands, message):
    with pytest.raises(ValueError, match=message):
        Product(*operands)


def test_an_unknown_library_is_refused_with_the_allowed_ones(monkeypatch):
    monkeypatch.setenv(blas.VARIABLE, "atlas")
    with pytest.raises(ValueError, match="SCRATCHNET_BLAS 'atlas' is not known; allowed: mkl, scipy"):
        Product(ONES, ONES, ONES.copy())


def test_a_library_that_is_not_installed_is_refused_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setenv(blas.VARIABLE, "mkl")
    monkeypatch.setattr(blas, "_mkl_path", lambda: None)
    with pytest.raises(ValueError, match=r"pip install 'scratchnet\[mkl\]'"):
        Product(ONES, ONES, ONES.copy())


def test_without_mkl_and_without_a_wish_the_library_is_scipys(monkeypatch):
    monkeypatch.delenv(blas.VARIABLE, raising=False)
    monkeypatch.setattr(blas, "_mkl_path", lambda: None)
    assert (blas.library(), blas.installed()) == ("scipy", ["scipy"])


@pytest.mark.parametrize(("intels", "wide"), [(True, "mkl"), (False, "scipy")])
def test_wide_networks_go_through_scipys_library_where_the_processor_is_not_intels(intels, wide, monkeypatch):
    monkeypatch.delenv(blas.VARIABLE, raising=False)
    monkeypatch.setattr(blas, "installed", lambda: ["mkl", "scipy"])
    monkeypatch.setattr(blas, "_is_intels", lambda: intels)
    assert (blas.library(), blas.library(blas.WIDE - 1), blas.library(blas.WIDE)) == ("mkl", "mkl", wide)
    assert blas.described() == ("mkl" if intels else "mkl, scipy from 256 units a layer on")
    monkeypatch.setenv(blas.VARIABLE, "mkl")
    assert (blas.library(blas.WIDE), blas.described()) == ("mkl", "mkl")


@given(library=LIBRARY, dtype=st.sampled_from(["float32", "float64"]), n=st.integers(1, 40), a=FACTOR)
def test_a_scaled_vector_is_added(library, dtype, n, a):
    x, y = np.random.default_rng(0).normal(size=(2, n)).astype(dtype)
    expected = y + a * x
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(blas.VARIABLE, library)
        AddScaled(x, y)(a)
    np.testing.assert_allclose(y, expected, rtol=0, atol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize(
    ("x", "y"), [(np.ones(4)[::2], np.ones(2)), (np.ones(2, np.float32), np.ones(2)), (np.ones(3), np.ones(2))]
)
def test_a_sum_that_would_need_a_copy_or_does_not_fit_is_refused(x, y):
    with pytest.raises(ValueError, match="without gaps, of one shape and one dtype"):
        AddScaled(x, y)
