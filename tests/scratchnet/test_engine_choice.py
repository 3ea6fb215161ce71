"""Which library takes the steps; what the compiled ones compute is in tests/conformance/test_engine.py."""

import os
import subprocess
import sys

import pytest

from scratchnet import Adam, Dense, Network, engine
from scratchnet.formulations.trainer import Trainer
from scratchnet.losses import LOSSES


def without_numba(monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda name: None if name == "numba" else name)


def test_an_unknown_library_is_refused_with_the_allowed_ones(monkeypatch):
    monkeypatch.setenv(engine.VARIABLE, "cython")
    with pytest.raises(ValueError, match="SCRATCHNET_STEPS 'cython' is not known; allowed: numba, numpy"):
        Network(2, [Dense(2, "softmax")], optimizer=Adam())


def test_a_library_that_is_not_installed_is_refused_with_the_command_that_installs_it(monkeypatch):
    without_numba(monkeypatch)
    monkeypatch.setenv(engine.VARIABLE, "numba")
    with pytest.raises(ValueError, match=r"pip install 'scratchnet\[numba\]'"):
        Network(2, [Dense(2, "softmax")], optimizer=Adam())


def test_without_numba_and_without_a_wish_numpy_takes_the_steps(monkeypatch):
    without_numba(monkeypatch)
    monkeypatch.delenv(engine.VARIABLE, raising=False)
    assert (engine.library(), engine.installed()) == ("numpy", ["numpy"])
    assert Network(2, [Dense(2, "softmax")]).trainer_kind() is Trainer


def test_where_numba_cannot_be_imported_a_network_trains_and_predicts():
    program = "import sys; sys.modules['numba'] = None; sys.modules['llvmlite'] = None; import importlib.util as u; "
    program += "find = u.find_spec; u.find_spec = lambda name, *a: None if name == 'numba' else find(name, *a); "
    program += "import numpy as np; from scratchnet import Adam, Dense, Network; "
    program += "net = Network(2, [Dense(2, 'softmax')], optimizer=Adam()); net.fit(np.eye(2), np.arange(2)); "
    program += "print(net.predict(np.eye(2)).shape)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert told.stdout == "(2, 2)\n", told.stderr


def test_a_loss_or_an_optimizer_of_ones_own_is_trained_by_numpy():
    """Its formula is known to no kernel."""

    class Own(LOSSES["mean_squared_error"]):
        pass

    class OwnAdam(Adam):
        pass

    layers = [Dense(2, "linear")]
    assert Network(2, layers, loss=Own()).trainer_kind() is Trainer
    assert Network(2, layers, loss="mean_squared_error", optimizer=OwnAdam()).trainer_kind() is Trainer


def test_an_unknown_width_of_vectors_is_refused_with_the_allowed_ones():
    program = "from scratchnet import Dense, Network; Network(2, [Dense(2, 'softmax')])"
    environment = {**os.environ, "SCRATCHNET_VECTOR_BITS": "wide", "SCRATCHNET_STEPS": "numba"}
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert "ValueError: SCRATCHNET_VECTOR_BITS 'wide' is not known; allowed: 128, 256, 512" in told.stderr
