"""The sets that come with scikit-learn. Run where it is installed: `tox run -e peers`."""

import numpy as np
import pytest

from bench.core.errors import UnusableError
from bench.data import load_dataset
from bench.data.sklearn_sets import SETS
from bench.spec import DataSpec

datasets = pytest.importorskip("sklearn.datasets")


@pytest.mark.parametrize("name", SETS)
def test_every_set_is_whole(name):
    data, bunch = load_dataset(DataSpec(source=f"sklearn:{name}", task=SETS[name])), getattr(datasets, f"load_{name}")()
    x, y = np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train, data.y_test])
    pairs = np.column_stack([x, y]).tolist()
    assert sorted(pairs) == sorted(np.column_stack([bunch.data, bunch.target]).tolist())
    assert len(data.y_test) == round(0.2 * len(x))
    assert len(data.class_names) == (len(set(bunch.target)) if SETS[name] == "classification" else y.shape[1])


def test_the_order_is_random_and_a_test_fraction_is_kept():
    data = load_dataset(DataSpec(source="sklearn:iris", test_fraction=0.4))
    assert (len(data.y_test), data.class_names) == (60, ("setosa", "versicolor", "virginica"))
    assert set(data.y_test) == set(data.y_train[:20]) == {0, 1, 2}


def test_too_small_a_fraction():
    with pytest.raises(UnusableError, match=r"sklearn:iris: 150 rows and test_fraction 0.001 leave one split without"):
        load_dataset(DataSpec(source="sklearn:iris", test_fraction=0.001))
