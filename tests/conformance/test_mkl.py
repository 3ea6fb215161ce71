"""MKL's products train what SciPy's train. The tests of tests/scratchnet run in this environment too, through MKL."""

import subprocess
import sys

import numpy as np
import pytest

from scratchnet import Adam, Dense, Network, blas


def trained(library, monkeypatch, dtype, processes, batch_size):
    """Cost of each step, parameters, predictions."""
    monkeypatch.setenv(blas.VARIABLE, library)
    rng = np.random.default_rng(0)
    X, y = rng.random((512, 60)), rng.integers(0, 10, 512)
    layers = [Dense(300, "relu"), Dense(100, "tanh"), Dense(10, "softmax")]
    network = Network(60, layers, optimizer=Adam(0.001), dtype=dtype, processes=processes)
    network.fit(X, y, epochs=2, batch_size=batch_size)
    return network.step_costs, network.parameters.vector.copy(), network.predict(X)


def test_it_is_preferred_where_it_is_installed(monkeypatch):
    monkeypatch.delenv(blas.VARIABLE, raising=False)
    assert (blas.installed(), blas.library()) == (["mkl", "scipy"], "mkl")


@pytest.mark.parametrize(("processes", "batch_size"), [(1, 64), (2, 64), (2, 256)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_libraries_train_the_same(monkeypatch, dtype, processes, batch_size):
    by_mkl, by_scipy = (trained(name, monkeypatch, dtype, processes, batch_size) for name in ("mkl", "scipy"))
    for one, other in zip(by_mkl, by_scipy, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e4 * np.finfo(dtype).eps)


def test_its_threads_are_limited_though_nothing_has_loaded_it_before():
    """In a process that shares its step, MKL's own threads made an epoch 30 times as long."""
    program = "from scratchnet import blas; print([one['prefix'] for one in blas.threads().info()])"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "libmkl_rt" in told.stdout
