"""The compiled engine trains and predicts what the formulations do by NumPy, whatever it is, on any number of cores."""

import copy
import io
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from covering import covering, weekly

from bench.backends.products import ProductsOnly
from scratchnet import SGD, Adagrad, Adam, AdamW, Dense, Network, RMSprop, engine
from scratchnet.activations import ACTIVATIONS
from scratchnet.engine import caching, compiling, trainer
from scratchnet.losses import LOSSES
from scratchnet.schedules import ExponentialDecay

OPTIMIZERS = {
    "sgd": lambda: SGD(0.01),
    "sgd, schedule": lambda: SGD(ExponentialDecay(0.01, 3, 0.9)),
    "sgd, clipped": lambda: SGD(0.01, clipnorm=0.1),
    "momentum": lambda: SGD(0.003, momentum=0.9),
    "momentum, clipped": lambda: SGD(0.003, momentum=0.9, global_clipnorm=0.1),
    "nesterov": lambda: SGD(0.003, momentum=0.9, nesterov=True),
    "nesterov, clipped": lambda: SGD(0.003, momentum=0.9, nesterov=True, clipvalue=0.01),
    "adam": lambda: Adam(0.001),
    "adam, clipped": lambda: Adam(0.001, global_clipnorm=0.1),
    "adamw, schedule": lambda: AdamW(ExponentialDecay(0.001, 3, 0.9), weight_decay=0.1),
    "rmsprop": lambda: RMSprop(0.001),
    "rmsprop, centered": lambda: RMSprop(0.001, centered=True),
    "rmsprop, momentum": lambda: RMSprop(0.001, momentum=0.5),
    "rmsprop, centered, momentum, clipped": lambda: RMSprop(0.001, momentum=0.5, centered=True, clipnorm=0.1),
    "adagrad": lambda: Adagrad(0.01),
}
WAYS = {"alone": (1, 1), "neurons": (2, 2), "three, neurons": (3, 3), "examples": (2, 1), "three, examples": (3, 1)}
PENALTIES = {"none": {}, "l1": {"l1": 0.01}, "l2": {"l2": 0.1}, "both": {"l1": 0.01, "l2": 0.1}}
CELLS = covering(
    *(OPTIMIZERS, ACTIVATIONS, LOSSES, ACTIVATIONS, WAYS, PENALTIES, [0.0, 0.3]),
    [(), (3,), (20, 33), (17, 9, 20)],
    where=lambda optimizer, hidden, loss, output, *rest: output in LOSSES[loss].outputs,
)
EXAMPLES = 115
"""Which 32 does not divide: the last step is shorter."""


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """How many threads take a step, and how many of them share neurons: where that can be done."""
    threads, team = WAYS[request.param]

    def of(self, M):
        hidden = [layer.activation for layer in self._layers[:-1]]
        return threads, team if hidden and "softmax" not in hidden else 1

    monkeypatch.setattr(trainer.Trainer, "_way", of)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(EXAMPLES, 37)), rng.integers(0, 10, EXAMPLES)


def trained(library, monkeypatch, data, layers=None, batch_size=32, weights=None, **options):
    """A network, and the cost of each step of its last epoch."""
    monkeypatch.setenv(engine.VARIABLE, library)
    layers = layers or [Dense(50, "relu"), Dense(40, "tanh"), Dense(10, "softmax")]
    net = Network(37, layers, **{"dtype": "float64", **copy.deepcopy(options)})
    net.fit(*data, epochs=2, batch_size=batch_size, sample_weight=weights)
    return net


def assert_same(monkeypatch, data, **options):
    compiled, by_numpy = (trained(name, monkeypatch, data, **options) for name in ("numba", "numpy"))
    assert (type(compiled._trainer) is trainer.Trainer, type(by_numpy._trainer) is trainer.Trainer) == (True, False)
    tolerance = 2e4 * np.finfo(compiled.dtype).eps
    for one, other in (
        (compiled.step_costs, by_numpy.step_costs),
        (compiled.parameters.vector, by_numpy.parameters.vector),
        (compiled.predict(data[0]), by_numpy.predict(data[0])),
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)
    assert compiled.optimizer.steps == by_numpy.optimizer.steps == 8
    return compiled


@pytest.mark.parametrize(
    ("optimizer", "hidden", "loss", "output", "way", "penalty", "dropout", "widths"), CELLS, indirect=["way"]
)
def test_compiled_steps_are_those_of_numpy(
    optimizer, hidden, loss, output, way, penalty, dropout, widths, monkeypatch, data
):
    X, y = data
    y = y if loss == "sparse_categorical_crossentropy" else np.random.default_rng(1).dirichlet(np.ones(10), EXAMPLES)
    layers = [*(Dense(n, hidden, dropout=dropout) for n in widths), Dense(10, output)]
    made = LOSSES[loss](0.3) if loss in ("huber", "categorical_crossentropy") else loss
    weights = np.linspace(0.0, 2.0, EXAMPLES) if penalty == "l2" else None
    options = {"layers": layers, "loss": made, "weights": weights, **PENALTIES[penalty]}
    for dtype in ("float32", "float64"):
        assert_same(monkeypatch, (X, y), optimizer=OPTIMIZERS[optimizer](), dtype=dtype, **options)


def test_layers_of_any_width(way, monkeypatch, data):
    assert_same(monkeypatch, data, layers=[*(Dense(n, "tanh") for n in (300, 20, 17, 50)), Dense(10, "softmax")])


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_a_map_of_a_file_is_read_batch_by_batch(dtype, way, monkeypatch, tmp_path, data):
    np.save(tmp_path / "x.npy", (data[0] * 30 + 128).clip(0, 255).astype(dtype))
    monkeypatch.setattr(trainer, "CAST_AT_ONCE", 40)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert_same(monkeypatch, (mapped, data[1]), dtype="float32", optimizer=SGD(1e-6))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("is_mapped", [False, True])
@pytest.mark.parametrize("library", engine.LIBRARIES)
def test_batches_are_the_rows_that_the_order_names(library, is_mapped, dtype, monkeypatch, tmp_path):
    monkeypatch.setenv(engine.VARIABLE, library)
    X, order = np.random.default_rng(0).random((EXAMPLES, 37), np.float32), np.random.default_rng(1).permutation(100)
    np.save(tmp_path / "x.npy", X)
    net = Network(37, [Dense(10, "softmax")], dtype=dtype)
    prepared = net.prepare(np.load(tmp_path / "x.npy", mmap_mode="r" if is_mapped else None), np.arange(EXAMPLES) % 10)
    batches = list(net.batches(prepared, order, 32))
    assert [batch.shape for batch in batches] == [(32, 37)] * 3 + [(4, 37)]
    np.testing.assert_array_equal(np.concatenate(batches), X[order].astype(dtype))


def test_compiled_steps_and_those_of_numpy_may_take_turns(monkeypatch, data):
    """What an optimizer remembers means the same to both."""
    turns = trained("numba", monkeypatch, data, optimizer=Adam(0.01))
    monkeypatch.setenv(engine.VARIABLE, "numpy")
    turns = copy.deepcopy(turns)
    by_numpy = trained("numpy", monkeypatch, data, optimizer=Adam(0.01))
    for net in (turns, by_numpy):
        net.fit(*data, batch_size=32)
    np.testing.assert_allclose(turns.parameters.vector, by_numpy.parameters.vector, rtol=0, atol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 2, 3])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("team", [3, 1])
def test_batches_and_layers_smaller_than_the_number_of_threads(team, optimizer, batch_size, monkeypatch):
    """Some threads have no neuron of their own; of examples there is one for each."""
    rng, nets = np.random.default_rng(0), []
    few = rng.normal(size=(7, 37)), rng.integers(0, 2, 7)
    monkeypatch.setattr(trainer.Trainer, "_way", lambda self, M: (3, 3) if team == 3 else (min(3, M), 1))
    for name in ("numba", "numpy"):
        monkeypatch.setenv(engine.VARIABLE, name)
        layers = [Dense(2, "relu"), Dense(2, "softmax")]
        nets.append(Network(37, layers, dtype="float64", optimizer=OPTIMIZERS[optimizer]()))
        nets[-1].fit(*few, epochs=2, batch_size=batch_size)
    np.testing.assert_allclose(*(net.parameters.vector for net in nets), rtol=0, atol=1e-12)


def test_parameters_that_are_set_between_epochs_are_trained_on(way, monkeypatch, data):
    vectors = []
    for name in ("numba", "numpy"):
        net = trained(name, monkeypatch, data, optimizer=SGD(0.1, momentum=0.9))
        net.parameters.vector[...] = 0.01
        net.fit(*data, batch_size=32)
        vectors.append(net.parameters.vector.copy())
    np.testing.assert_allclose(*vectors, rtol=0, atol=1e-12)


def test_small_steps_are_not_shared_and_no_step_is_shared_among_more_threads_than_examples():
    small, large = (Network(784, [Dense(n, "relu"), Dense(10, "softmax")], threads=64) for n in (2, 512))
    assert [small._trainer._way(M) for M in (1, 32)] == [(1, 1), (1, 1)]
    assert [large._trainer._way(M) for M in (1, 4, 32, 64)] == [(2, 2), (10, 10), (64, 64), (64, 64)]
    assert large._trainer._way(4096) == (64, 1)
    wide = Network(400_000, [Dense(2, "softmax")], threads=64)
    assert wide._trainer._way(12) == (12, 1)


@pytest.mark.parametrize("team", [1, 2])
def test_an_interrupt_ends_an_epoch(team, monkeypatch):
    """In an epoch of many thousand steps Python is between them often enough to see a signal; no thread is left."""
    monkeypatch.setattr(trainer.Trainer, "_way", lambda self, M: (2, team))
    # Two threads that share such small steps are slow: so few of them are between two looks as take a moment.
    monkeypatch.setattr(trainer, "WORK_BETWEEN_SIGNALS", trainer.WORK_BETWEEN_SIGNALS // 100)
    net = Network(60, [Dense(100, "relu"), Dense(10, "softmax")], threads=2)
    prepared = net.prepare(np.eye(60), np.arange(60) % 10)
    net.train_epoch(prepared, np.arange(60), 2)
    steps = 200 * trainer.WORK_BETWEEN_SIGNALS // (2 * len(net.parameters.vector))

    def interrupt(*_):
        raise KeyboardInterrupt

    before, threads = signal.signal(signal.SIGVTALRM, interrupt), threading.active_count()
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            net.train_epoch(prepared, np.zeros(2 * steps, np.int64), 2)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    assert net.optimizer.steps < steps
    assert threading.active_count() == threads
    net.train_epoch(prepared, np.arange(60), 2)


@pytest.mark.parametrize("failing", [0, 1])
@pytest.mark.parametrize("team", [1, 2])
def test_an_error_in_one_thread_ends_all(team, failing, monkeypatch):
    monkeypatch.setattr(trainer.Trainer, "_way", lambda self, M: (2, team))
    net = Network(60, [Dense(100, "relu"), Dense(10, "softmax")], threads=2)
    prepared = net.prepare(np.eye(60), np.arange(60) % 10)
    real = trainer.Trainer.function

    def fails(jobs, layers, first, last):
        if jobs[0]["mine"] == failing:
            raise MemoryError("planted")
        return real(jobs, layers, first, last)

    monkeypatch.setattr(trainer.Trainer, "function", staticmethod(fails))
    with pytest.raises(MemoryError, match="planted"):
        net.train_epoch(prepared, np.arange(60), 2)
    monkeypatch.undo()
    assert np.isfinite(net.train_epoch(prepared, np.arange(60), 2))


def test_the_floor_has_the_time_of_products_and_learns_nothing(way, data):
    net = ProductsOnly(37, [Dense(20, "relu"), Dense(20, "relu"), Dense(10, "softmax")])
    before = net.parameters.vector.copy()
    net.fit(*data, batch_size=32)
    np.testing.assert_array_equal(net.parameters.vector, before)


PROGRAM = "import numpy as np; from scratchnet import Dense, Network; print(Network(2, [Dense(2, 'softmax')]).fit("
PROGRAM += "np.eye(2), np.arange(2)))"


def run(program):
    environment = {**os.environ, "SCRATCHNET_STEPS": "numba"}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)


@pytest.mark.weekly
def test_it_compiles_where_nothing_can_be_written():
    nowhere = "from scratchnet.engine import caching; caching._folders = lambda: [caching.Path('/proc/nowhere')]; "
    told = run(nowhere + PROGRAM + "; import sys; print('numba' in sys.modules)")
    assert (told.stdout[:6], told.stdout[-5:]) == ("[Epoch", "True\n"), told.stderr


def test_where_the_step_is_compiled_already_no_compiler_is_imported():
    """Numba alone takes longer to import than all the rest."""
    run(PROGRAM)
    told = run(PROGRAM + "; import sys; print({'numba', 'scipy'} & set(sys.modules))")
    assert told.stdout.endswith("\nset()\n"), told.stderr


def test_machine_code_that_is_not_whole_is_compiled_again(tmp_path, monkeypatch):
    monkeypatch.setenv(caching.VARIABLE, str(tmp_path))
    caching.write("step", ("name", b"code"))
    assert caching.read("step") == ("name", b"code")
    content = (tmp_path / "step").read_bytes()
    for damaged in (content[:-1], content[:-1] + b"x", b""):
        (tmp_path / "step").write_bytes(damaged)
        assert caching.read("step") is None


def test_machine_code_that_needs_numba_is_refused_when_it_is_compiled():
    """Elsewhere LLVM would end the process."""
    compiling._refuse_unknown(["llvm.memset.p0.i64", "memset", "sqrt"])
    with pytest.raises(RuntimeError, match="calls numba_unpickle, which"):
        compiling._refuse_unknown(["sqrt", "numba_unpickle"])


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_a_terminal_is_told_that_it_compiles(stream, monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream())
    monkeypatch.setattr(compiling, "read", lambda name: None)
    monkeypatch.setattr(compiling, "write", lambda name, code: None)
    monkeypatch.setattr(compiling, "_code", lambda function, dtype: ("name", b""))
    monkeypatch.setattr(compiling, "_at", lambda name, code: None)
    compiling._loaded.__wrapped__(trainer.work, "float32")
    assert ("compiling the float32 step" in sys.stderr.getvalue()) == sys.stderr.isatty()


@pytest.mark.parametrize("bits", weekly("128", "256"))
def test_it_is_right_with_vectors_of_another_width(bits):
    """As other processors have them: the same tests of products and of steps, in a process of its own."""
    chosen = ["tests/scratchnet/test_tiles.py", __file__, "-k", "tile or (compiled_steps and alone)"]
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *chosen],
        capture_output=True,
        text=True,
        env={**os.environ, "SCRATCHNET_VECTOR_BITS": bits},
        timeout=280,
    )
    assert told.returncode == 0, told.stdout[-3000:]


def test_beside_other_threads_that_compute_training_ends(monkeypatch, data):
    """A thread that waits gives its core away."""
    monkeypatch.setattr(trainer.Trainer, "_way", lambda self, M: (3, 3))
    stop = threading.Event()

    def load():
        while not stop.is_set():
            np.ones((300, 300)) @ np.ones((300, 300))

    others = [threading.Thread(target=load, daemon=True) for _ in range(3)]
    for other in others:
        other.start()
    try:
        net = Network(37, [Dense(50, "relu"), Dense(10, "softmax")], threads=3)
        start = time.monotonic()
        net.fit(*data, batch_size=32)
        assert time.monotonic() - start < 200
    finally:
        stop.set()
        for other in others:
            other.join()
