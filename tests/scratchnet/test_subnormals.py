"""Subnormal numbers count as 0 while a network trains, whoever takes the steps, and only then."""

import numpy as np
import pytest

from scratchnet import SGD, Dense, Network, engine, subnormals
from scratchnet.subnormals import flushed_to_zero

SWITCHABLE = pytest.mark.skipif(not subnormals._SWITCHABLE, reason="this C library cannot switch it")


@SWITCHABLE
def test_subnormal_numbers_are_zero_within_and_themselves_again_after():
    tiny = np.full(4, 1e-40, np.float32)
    with flushed_to_zero():
        assert not (tiny * np.float32(1.0)).any()
    assert (tiny * np.float32(1.0)).all()


def test_subnormal_numbers_are_themselves_again_after_an_error():
    with pytest.raises(KeyError), flushed_to_zero():
        raise KeyError
    assert (np.full(4, 1e-40, np.float32) * np.float32(1.0)).all()


@SWITCHABLE
@pytest.mark.parametrize("library", engine.installed())
def test_a_velocity_that_decays_ends_at_zero(library, monkeypatch):
    """Of the weights of an input that is always 0, whose gradient is 0."""
    monkeypatch.setenv(engine.VARIABLE, library)
    net = Network(20, [Dense(8, "relu"), Dense(3, "softmax")], optimizer=SGD(0.1, momentum=0.9))
    net.optimizer.kept[...] = 1e-39
    net.fit(np.zeros((12, 20)), np.arange(12) % 3, batch_size=4)
    assert not net.optimizer.target.weights[0].any()
