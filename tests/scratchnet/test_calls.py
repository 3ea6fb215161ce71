"""Which library takes the steps; what its loops compute is in test_optimizers.py and test_numba.py."""

import pytest

from scratchnet import Adam, Dense, Network, calls


def without_numba(monkeypatch):
    monkeypatch.setattr(calls, "find_spec", lambda name: None if name == "numba" else name)


def test_an_unknown_library_is_refused_with_the_allowed_ones(monkeypatch):
    monkeypatch.setenv(calls.VARIABLE, "cython")
    with pytest.raises(ValueError, match="SCRATCHNET_STEPS 'cython' is not known; allowed: numba, numpy"):
        Network(2, [Dense(2, "softmax")], optimizer=Adam())


def test_a_library_that_is_not_installed_is_refused_with_the_command_that_installs_it(monkeypatch):
    without_numba(monkeypatch)
    monkeypatch.setenv(calls.VARIABLE, "numba")
    with pytest.raises(ValueError, match=r"pip install 'scratchnet\[numba\]'"):
        Network(2, [Dense(2, "softmax")], optimizer=Adam())


def test_without_numba_and_without_a_wish_numpy_takes_the_steps(monkeypatch):
    without_numba(monkeypatch)
    monkeypatch.delenv(calls.VARIABLE, raising=False)
    assert (calls.library(), calls.installed(), calls.compiles()) == ("numpy", ["numpy"], False)
