"""Numba's loops train what NumPy's passes train. The tests of tests/scratchnet run in this environment too."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from scratchnet import SGD, Adagrad, Adam, AdamW, Dense, Network, RMSprop, loops

NAMES = {"float32": "float", "float64": "double"}
OPTIMIZERS = {
    "nesterov": lambda: SGD(0.01, momentum=0.9, nesterov=True),
    "clipped nesterov": lambda: SGD(0.01, momentum=0.9, nesterov=True, clipnorm=0.1),
    "adam": lambda: Adam(0.001),
    "adamw": lambda: AdamW(0.001, weight_decay=0.1),
    "rmsprop": lambda: RMSprop(0.001),
    "adagrad": lambda: Adagrad(0.01),
}


def trained(library, monkeypatch, optimizer, dtype, processes, batch_size):
    """Cost of each step, parameters."""
    monkeypatch.setenv(loops.VARIABLE, library)
    rng = np.random.default_rng(0)
    X, y = rng.random((512, 60)), rng.integers(0, 10, 512)
    layers = [Dense(300, "relu"), Dense(100, "tanh"), Dense(10, "softmax")]
    network = Network(60, layers, optimizer=OPTIMIZERS[optimizer](), dtype=dtype, processes=processes)
    network.fit(X, y, epochs=2, batch_size=batch_size)
    return network.step_costs, network.parameters.vector.copy()


def test_it_is_preferred_where_it_is_installed(monkeypatch):
    monkeypatch.delenv(loops.VARIABLE, raising=False)
    assert (loops.installed(), loops.library()) == (["numba", "numpy"], "numba")


@pytest.mark.parametrize(("processes", "batch_size"), [(1, 64), (2, 64), (2, 256)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_both_train_the_same(optimizer, dtype, processes, batch_size, monkeypatch):
    by_loops, by_passes = (
        trained(name, monkeypatch, optimizer, dtype, processes, batch_size) for name in ("numba", "numpy")
    )
    for one, other in zip(by_loops, by_passes, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loop", [loops.nesterov, loops.rmsprop, loops.adam, loops.adagrad])
def test_a_loop_takes_many_parameters_at_a_time_and_in_their_dtype(loop, dtype):
    """One that looks for a division by zero, or computes in float64 for float32, is slower than NumPy's passes."""
    made, vector = loops.machine_code.__wrapped__(loop, on_disk=False), np.zeros(0, dtype)
    names = [name for name, kind in loop.__annotations__.items() if name != "return"]
    factors = sum(loop.__annotations__[name] is float for name in names)
    made(*[vector] * (len(names) - factors), *[vector.dtype.type(0.5)] * factors)
    (code,) = made.inspect_llvm().values()
    assert re.search(rf"fmul <\d+ x {NAMES[dtype]}>", code)
    assert dtype == "float64" or " x double>" not in code


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_optimizer_gives_a_loop_factors_of_its_dtype(optimizer, dtype, monkeypatch):
    monkeypatch.setenv(loops.VARIABLE, "numba")
    made = OPTIMIZERS[optimizer]()
    Network(2, [Dense(2, "softmax")], optimizer=made, dtype=dtype)
    assert all(len({getattr(one, "dtype", one) for one in types}) == 1 for types in made._loop.signatures)


def test_a_network_whose_updates_are_products_does_not_load_it():
    program = "import sys; from scratchnet import SGD, Dense, Network"
    program += "; Network(2, [Dense(2, 'softmax')], optimizer=SGD(0.1, momentum=0.9)); print('numba' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_it_compiles_where_nothing_can_be_written(tmp_path):
    program = "from scratchnet import Adam, Dense, Network; print(Network(2, [Dense(2, 'softmax')], optimizer=Adam()))"
    nowhere = {"NUMBA_CACHE_LOCATOR_CLASSES": "ZipCacheLocator"}
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **nowhere})
    assert told.stdout.startswith("<scratchnet"), told.stderr
