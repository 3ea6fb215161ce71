"""Features are scaled as the spec says, by what the training split alone shows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.core.errors import UnusableError
from bench.data import Dataset
from bench.inputs import scaling
from bench.inputs.scaling import SCALERS
from bench.inputs.splits import Inputs
from bench.spec import TrainingSpec

TRAIN = np.array([[1.0, 10, 7], [3, 10, 9], [5, 40, 7], [7, 20, 7], [900, -900, 900]])
TEST = np.array([[2.0, 30, 8]])
FOUR = TRAIN[:4]


def inputs_of(x=TRAIN, test=TEST, **changes):
    """The last training example is held out."""
    data = Dataset(x, np.arange(len(x)) % 2, test, np.zeros(len(test), np.int64), None, ("a", "b"))
    values = {
        "architecture": {"inputs": x.shape[1], "layers": [{"units": 2, "activation": "softmax"}]},
        "loss": "categorical_crossentropy",
        "optimizer": {"learning_rate": 0.1},
        "batch_size": 2,
        "epochs": 1,
        "seeds": (0,),
        "dtype": "float64",
        "validation_fraction": 0.2,
        "name": "s",
    }
    return Inputs(data, TrainingSpec.model_validate(values | changes))


@pytest.mark.parametrize(
    ("kind", "shift", "unit"),
    [
        ("standard", FOUR.mean(axis=0), FOUR.std(axis=0)),
        ("min_max", FOUR.min(axis=0), FOUR.max(axis=0) - FOUR.min(axis=0)),
    ],
)
def test_the_training_split_alone_says_how(kind, shift, unit):
    inputs = inputs_of(scaling=kind)
    assert len(inputs.validation.x) == 1
    np.testing.assert_allclose(inputs.train.x, (FOUR - shift) / unit, rtol=1e-14)
    np.testing.assert_allclose(inputs.validation.x, (TRAIN[4:] - shift) / unit, rtol=1e-14)
    np.testing.assert_allclose(inputs.test.x, (TEST - shift) / unit, rtol=1e-14)


def test_numbers_stay_as_they_are_without_a_scaling():
    inputs = inputs_of(dtype="float32")
    np.testing.assert_array_equal(inputs.train.x, FOUR.astype(np.float32))
    assert inputs.train.x.dtype == np.float32


def test_bytes_are_divided_by_255_or_scaled():
    x = np.array([[0, 255], [51, 102], [255, 0], [0, 51], [9, 9]], np.uint8)
    np.testing.assert_array_equal(inputs_of(x, x[:1]).train.x, x[:4] / 255)
    np.testing.assert_array_equal(inputs_of(x, x[:1], scaling="min_max").train.x, x[:4] / 255)
    standard = inputs_of(x, x[:1], scaling="standard").train.x
    np.testing.assert_allclose([standard.mean(axis=0), standard.std(axis=0)], [[0, 0], [1, 1]], atol=1e-14)


def test_a_feature_that_never_changes_becomes_0():
    same = np.array([[4.0, 1], [4, 2], [4, 3], [4, 4], [5, 5]])
    for kind in SCALERS:
        assert inputs_of(same, same[4:], scaling=kind).train.x[:, 0].tolist() == [0, 0, 0, 0]
        assert inputs_of(same, same[4:], scaling=kind).test.x[0, 0] == 1


@settings(max_examples=50, deadline=None)
@given(arrays(np.float64, (7, 3), elements=st.floats(-1e3, 1e3)), st.sampled_from(list(SCALERS)))
def test_what_is_scaled_can_be_restored(x, kind):
    scaler = SCALERS[kind](x)
    np.testing.assert_allclose(scaler.restored(scaler.scaled(x, np.float64)), x, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", SCALERS)
def test_many_rows_are_scaled_part_by_part(monkeypatch, kind):
    x = np.random.default_rng(0).normal(3, 5, (50, 4))
    whole = SCALERS[kind](x).scaled(x, np.float32)
    monkeypatch.setattr(scaling, "NUMBERS_AT_ONCE", 12)
    np.testing.assert_allclose(SCALERS[kind](x).scaled(x, np.float32), whole, rtol=1e-6, atol=1e-6)


def test_a_number_too_large_for_the_dtype_is_refused():
    large = FOUR * 1e300
    assert np.isfinite(inputs_of(large, large).train.x).all()
    with pytest.raises(UnusableError, match=r"spec 's': data mnist has features too large for float32; remedy: dt"):
        inputs_of(large, large, dtype="float32")
