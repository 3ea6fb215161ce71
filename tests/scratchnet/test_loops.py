"""Which library updates the parameters; what the loops compute is in test_optimizers.py."""

import pytest

from scratchnet import Adam, Dense, Network, loops


def without_numba(monkeypatch):
    monkeypatch.setattr(loops, "find_spec", lambda name: None if name == "numba" else name)


def test_an_unknown_library_is_refused_with_the_allowed_ones(monkeypatch):
    monkeypatch.setenv(loops.VARIABLE, "cython")
    with pytest.raises(ValueError, match="SCRATCHNET_UPDATES 'cython' is not known; allowed: numba, numpy"):
        Network(2, [Dense(2, "softmax")], optimizer=Adam())


def test_a_library_that_is_not_installed_is_refused_with_the_command_that_installs_it(monkeypatch):
    without_numba(monkeypatch)
    monkeypatch.setenv(loops.VARIABLE, "numba")
    with pytest.raises(ValueError, match=r"pip install 'scratchnet\[numba\]'"):
        Network(2, [Dense(2, "softmax")], optimizer=Adam())


def test_without_numba_and_without_a_wish_numpy_updates(monkeypatch):
    without_numba(monkeypatch)
    monkeypatch.delenv(loops.VARIABLE, raising=False)
    assert (loops.library(), loops.installed(), loops.compiled(loops.adam)) == ("numpy", ["numpy"], None)
