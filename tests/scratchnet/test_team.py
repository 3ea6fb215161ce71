"""Processes that train together give what one process gives, and none is left behind, whatever happens."""

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from scratchnet import SGD, Adagrad, Adam, AdamW, Dense, Network, RMSprop, blas, product, team
from scratchnet.shared import Barrier, shared_zeros
from scratchnet.subnormals import flushed_to_zero

pytestmark = pytest.mark.skipif(team.usable_processes(2) == 1, reason="processes train together on Linux, x86-64 only")

EXAMPLES, BATCH_SIZE = 203, 10  # 203 = 20 · 10 + 3: one process trains the last, shorter batch
OPTIMIZERS = {
    "sgd": lambda: SGD(0.1),
    "momentum": lambda: SGD(0.1, momentum=0.9),
    "nesterov": lambda: SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda: Adam(0.01),
    "adamw": lambda: AdamW(0.01, weight_decay=0.1),
    "rmsprop": lambda: RMSprop(0.01, momentum=0.5, centered=True),
    "adagrad": lambda: Adagrad(0.1),
}


@pytest.fixture(params=["by examples", "by neurons"])
def way(request, monkeypatch):
    ways = {"by examples": team.BY_EXAMPLES, "by neurons": team.BY_NEURONS}
    monkeypatch.setattr(
        "scratchnet.network.way_to_share", lambda network, size, n: ways[request.param] if n > 1 else None
    )
    return request.param


def data():
    rng = np.random.default_rng(0)
    return rng.random((EXAMPLES, 12)), rng.integers(0, 4, EXAMPLES)


def network(processes, optimizer=OPTIMIZERS["sgd"], hidden=("relu", "tanh"), outputs=4, **options):
    layers = [Dense(7, hidden[0], dropout=options.pop("dropout", 0.0)), Dense(6, hidden[1])]
    layers.append(Dense(outputs, options.pop("output", "softmax")))
    options = {"dtype": "float64", "seed": 3, **options}
    return Network(12, layers, optimizer=optimizer(), processes=processes, **options)


def trained(processes, epochs=3, fit=None, **options):
    net = network(processes, **options)
    X, y = data()
    y = y if net.layers[-1].units == 4 else np.eye(net.layers[-1].units)[y % net.layers[-1].units]
    history = net.fit(X, y, epochs=epochs, batch_size=BATCH_SIZE, **(fit or {}))
    return net, [epoch.cost for epoch in history]


def assert_same(processes, **options):
    (alone, costs), (together, their_costs) = trained(1, **options), trained(processes, **options)
    assert together._team is not None
    np.testing.assert_allclose(their_costs, costs, rtol=1e-13)
    np.testing.assert_allclose(together.parameters.vector, alone.parameters.vector, rtol=0, atol=1e-13)
    return alone, together


@pytest.mark.parametrize("processes", [2, 3])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_gives_what_one_process_gives(way, optimizer, processes):
    assert_same(processes, optimizer=OPTIMIZERS[optimizer])


def test_neurons_are_computed_as_by_one_process_to_the_last_bit(monkeypatch):
    """With SciPy's OpenBLAS; MKL takes other kernels for fewer rows on some processors, AMD's among them."""
    monkeypatch.setenv(blas.VARIABLE, "scipy")
    monkeypatch.setattr(team, "SMALLEST_STEP", 1)
    alone, together = assert_same(2, dtype="float32")
    np.testing.assert_array_equal(together.parameters.vector, alone.parameters.vector)


@pytest.mark.parametrize("library", blas.installed())
def test_neurons_are_computed_as_by_one_process_but_for_rounding(monkeypatch, library):
    monkeypatch.setenv(blas.VARIABLE, library)
    monkeypatch.setattr(team, "SMALLEST_STEP", 1)
    (alone, _), (together, _) = trained(1, dtype="float32"), trained(2, dtype="float32")
    assert together._team is not None
    np.testing.assert_allclose(together.parameters.vector, alone.parameters.vector, rtol=0, atol=1e-6)


@pytest.mark.parametrize("way", [None, team.BY_NEURONS, team.BY_EXAMPLES], ids=["alone", "neurons", "examples"])
def test_all_products_go_through_the_library_of_the_widest_layer(way, monkeypatch):
    """Of two libraries each would keep threads that spin."""
    asked = []

    def function(name, dtype, width):
        asked.append(width)
        return blas.function(name, dtype, width)

    monkeypatch.setattr(product, "blas", SimpleNamespace(function=function, address=blas.address))
    monkeypatch.setattr("scratchnet.network.way_to_share", lambda *_: way)
    network = Network(4, [Dense(3, "relu"), Dense(30, "relu"), Dense(3, "softmax")], optimizer=Adam(), processes=2)
    network.fit(np.ones((8, 4)), np.arange(8) % 3, batch_size=4)
    network.predict(np.ones((8, 4)))
    assert set(asked) == {30}


@pytest.mark.parametrize(
    "options",
    [
        {"hidden": ("gelu", "elu"), "output": "sigmoid", "loss": "mean_squared_error"},
        {"hidden": ("sigmoid", "softplus"), "output": "tanh", "loss": "huber", "outputs": 5},
        {"hidden": ("silu", "leaky_relu"), "output": "sigmoid", "loss": "summed_binary_crossentropy"},
        {"fit": {"sample_weight": np.linspace(0.5, 1.5, EXAMPLES), "class_weight": {1: 2.0}}},
    ],
    ids=["mean squared", "huber", "binary", "weights"],
)
def test_losses_activations_and_weights(way, options):
    assert_same(2, **options)


def test_regularization_and_dropout_are_shared_by_examples(monkeypatch):
    monkeypatch.setattr(team, "LARGE_BATCH", 2)
    assert_same(2, dropout=0.3, l1=0.001, l2=0.01)
    assert_same(3, l2=0.01, optimizer=OPTIMIZERS["adam"])


def test_which_way_a_network_is_trained():
    def way_of(hidden, batch_size, processes=2, optimizer=None, **options):
        net = Network(784, [*hidden, Dense(10, "softmax")], optimizer=optimizer, **options)
        return team.way_to_share(net, batch_size, processes)

    small, large = [Dense(30, "relu")], [Dense(512, "relu"), Dense(512, "relu")]
    assert way_of(small, 32) is way_of(large, 128) is way_of(large, 512) is team.BY_NEURONS
    assert way_of(small, 128) is way_of(large, 2048) is way_of(large, 512, l2=0.1) is team.BY_EXAMPLES
    assert way_of(small, 32, processes=1) is None
    assert way_of(small, 1) is None
    assert way_of(large, 32, optimizer=Adam(clipnorm=1.0)) is None
    assert way_of(large, 32, l2=0.1) is None
    assert way_of([Dense(512, "relu", dropout=0.1)], 32) is None
    assert way_of([Dense(512, "softmax")], 32) is None


def test_parameters_that_are_set_between_epochs_are_trained_on(way):
    X, y = data()
    nets = [network(processes) for processes in (1, 2)]
    for net in nets:
        prepared, order = net.prepare(X, y), np.arange(EXAMPLES)
        start = net.parameters.get()
        net.train_epoch(prepared, order, BATCH_SIZE)
        net.parameters.set(start)
        net.train_epoch(prepared, order, BATCH_SIZE)
    np.testing.assert_allclose(nets[0].parameters.vector, nets[1].parameters.vector, rtol=0, atol=1e-13)


def children():
    return psutil.Process().children(recursive=True)


def test_a_process_that_is_killed_ends_the_epoch_and_the_next_one_goes_on(way):
    before = {child.pid for child in children()}
    net, (X, y) = network(2), data()
    prepared, order = net.prepare(X, y), np.arange(EXAMPLES)
    net.train_epoch(prepared, order, BATCH_SIZE)
    (started,) = [child for child in children() if child.pid not in before]
    started.kill()
    with pytest.raises((team.LostError, BrokenPipeError), match=r"trained together|Broken pipe"):
        net.train_epoch(prepared, order, BATCH_SIZE)
    assert np.isfinite(net.train_epoch(prepared, order, BATCH_SIZE))


def test_no_process_outlives_its_network(way):
    before = {child.pid for child in children()}
    net, _ = trained(2)
    assert {child.pid for child in children()} > before
    del net
    gc.collect()
    assert {child.pid for child in children()} == before


def test_no_file_of_openmp_is_left_by_its_processes(way):
    before = {child.pid for child in children()}
    net, _ = trained(2)
    started = {child.pid for child in children()} - before
    mine = [f"__KMP_REGISTERED_LIB_{pid}_{os.getuid()}" for pid in started]
    for name in mine:  # as MKL makes them where it is installed
        Path("/dev/shm", name).touch()
    del net
    gc.collect()
    assert mine
    assert not any(Path("/dev/shm", name).exists() for name in mine)


def test_no_process_outlives_a_parent_that_is_killed(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        "import numpy as np, psutil, time\n"
        "from scratchnet import Dense, Network\n"
        "net = Network(20, [Dense(600, 'relu'), Dense(4, 'softmax')], processes=2)\n"
        "X, y = np.random.rand(256, 20), np.random.randint(0, 4, 256)\n"
        "net.fit(X, y, batch_size=256)\n"
        "print(psutil.Process().children()[0].pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, cwd=os.getcwd()) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs([child], timeout=30)
    assert not alive


def test_there_are_never_more_processes_than_examples_in_a_batch(monkeypatch):
    """As on a machine of very many cores: 8 examples, and 80 processes that may train them."""
    monkeypatch.setattr(team, "SMALLEST_STEP", 1)
    monkeypatch.setattr(team, "LARGE_BATCH", 2)
    X, y = data()
    alone, together = (
        Network(12, [Dense(7, "relu"), Dense(4, "softmax")], dtype="float64", processes=processes, seed=3)
        for processes in (1, 80)
    )
    before = len(children())
    for net in (alone, together):
        net.fit(X[:8], y[:8], batch_size=8)
    assert len(children()) - before == 7
    np.testing.assert_allclose(together.parameters.vector, alone.parameters.vector, rtol=0, atol=1e-13)
    np.testing.assert_allclose(together.step_costs, alone.step_costs, rtol=1e-13)


@pytest.mark.parametrize("batch_size", [1, 2, 3])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_batches_smaller_than_the_number_of_processes(way, optimizer, batch_size):
    X, y = data()
    alone, together = (network(processes, OPTIMIZERS[optimizer]) for processes in (1, 4))
    for net in (alone, together):
        net.fit(X[:9], y[:9], epochs=2, batch_size=batch_size)
    np.testing.assert_allclose(together.parameters.vector, alone.parameters.vector, rtol=0, atol=1e-12)


def test_parameters_fewer_than_processes(monkeypatch):
    monkeypatch.setattr("scratchnet.network.way_to_share", lambda *_: team.BY_EXAMPLES)
    X, y = data()
    alone, together = (
        Network(1, [Dense(1, "sigmoid")], loss="binary_crossentropy", dtype="float64", processes=processes)
        for processes in (1, 4)
    )
    for net in (alone, together):
        net.fit(X[:, :1], y > 1, batch_size=10)
    np.testing.assert_allclose(together.parameters.vector, alone.parameters.vector, rtol=0, atol=1e-13)


def test_no_processes_at_all_are_refused():
    with pytest.raises(ValueError, match=r"processes is 0; allowed: 1 or more"):
        network(0)


def test_a_wait_ends_where_the_check_raises(monkeypatch):
    monkeypatch.setattr("scratchnet.shared.PATIENCE", 1)
    barrier = Barrier(2)

    def gone():
        raise team.LostError("gone")

    barrier.stand_at(0, gone)
    with pytest.raises(team.LostError, match="gone"):
        barrier.wait()


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # Python's of any fork, from 3.12 on
def test_shared_memory_is_shared():
    array = shared_zeros((2, 3), np.float32)
    if (child := os.fork()) == 0:
        array[1, 2] = 5.0
        os._exit(0)
    os.waitpid(child, 0)
    assert array[1, 2] == 5.0


def test_subnormal_numbers_are_zero_within_and_themselves_again_after():
    tiny = np.full(4, 1e-40, np.float32)
    with flushed_to_zero():
        assert not (tiny * np.float32(1.0)).any()
    assert (tiny * np.float32(1.0)).all()


def test_subnormal_numbers_are_themselves_again_after_an_error():
    with pytest.raises(KeyError), flushed_to_zero():
        raise KeyError
    assert (np.full(4, 1e-40, np.float32) * np.float32(1.0)).all()


def test_a_team_is_ended_by_an_interrupt(way, monkeypatch):
    before = {child.pid for child in children()}
    net, (X, y) = network(2), data()
    prepared = net.prepare(X, y)
    net.train_epoch(prepared, np.arange(EXAMPLES), BATCH_SIZE)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(net._team, "steps", interrupted)
    with pytest.raises(KeyboardInterrupt):
        net.train_epoch(prepared, np.arange(EXAMPLES), BATCH_SIZE)
    deadline = time.monotonic() + 10
    while {child.pid for child in children()} != before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert {child.pid for child in children()} == before
