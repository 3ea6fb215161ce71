"""The product of the formulations, through SciPy's BLAS."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.product import Product

SIZE = st.integers(1, 6)
FACTOR = st.sampled_from([0.0, 1.0, -0.5])


@given(
    dtype=st.sampled_from(["float32", "float64"]),
    n=SIZE,
    k=SIZE,
    m=SIZE,
    gap=st.integers(0, 3),
    turned=st.tuples(st.booleans(), st.booleans()),
    a=FACTOR,
    b=FACTOR,
)
def test_it_is_the_product(dtype, n, k, m, gap, turned, a, b):
    rng = np.random.default_rng(0)

    def operand(rows, columns, is_turned=False):
        whole = rng.normal(size=(columns, rows + gap) if is_turned else (rows, columns + gap)).astype(dtype)
        return whole[:, :rows].T if is_turned else whole[:, :columns]

    A, B, C = operand(n, k, turned[0]), operand(k, m, turned[1]), operand(n, m)
    expected = a * A @ B + b * C
    Product(A, B, C)(a, b)
    np.testing.assert_allclose(C, expected, rtol=0, atol=50 * np.finfo(dtype).eps)


def test_a_result_is_overwritten_where_its_factor_is_0():
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
