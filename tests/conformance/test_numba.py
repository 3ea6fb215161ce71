"""Steps that Numba compiles train what NumPy's steps train; the tests of tests/scratchnet run with Numba too."""

import copy
import inspect
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from bench.backends.products import ProductsOnly
from scratchnet import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Dense,
    Network,
    RMSprop,
    activations,
    calls,
    loops,
    product,
    shared,
    team,
)
from scratchnet.losses import LOSSES, Huber
from scratchnet.program import ACTIVATIONS, MOST_EXPONENTIALS, WORK_BETWEEN_SIGNALS
from scratchnet.schedules import ExponentialDecay

NAMES = {"float32": "float", "float64": "double"}
OPTIMIZERS = {
    "sgd": lambda: SGD(0.1),
    "sgd, schedule": lambda: SGD(ExponentialDecay(0.1, 3, 0.9)),
    "momentum": lambda: SGD(0.01, momentum=0.9),
    "nesterov": lambda: SGD(0.01, momentum=0.9, nesterov=True),
    "clipped nesterov": lambda: SGD(0.01, momentum=0.9, nesterov=True, clipnorm=0.1),
    "adam": lambda: Adam(0.001),
    "adamw, schedule": lambda: AdamW(ExponentialDecay(0.001, 3, 0.9), weight_decay=0.1),
    "rmsprop": lambda: RMSprop(0.001),
    "adagrad": lambda: Adagrad(0.01),
}
BY_PASSES = {"clipped nesterov"}
COMPILED = [name for name, kind in activations.ACTIVATIONS.items() if kind in ACTIVATIONS]
OUTPUTS = [
    (output, loss)
    for output in COMPILED
    for loss, kind in LOSSES.items()
    if output in kind.outputs and (loss != "sparse_categorical_crossentropy" or output == "softmax")
]
LOOPS = [loop for loop in vars(loops).values() if inspect.isfunction(loop)]
EXAMPLES = 515
"""Which 64 and 256 do not divide: NumPy takes the last, shorter step."""


def network(library, monkeypatch, layers, **options):
    monkeypatch.setenv(calls.VARIABLE, library)
    return Network(60, layers, **copy.deepcopy(options))  # each network has an optimizer of its own


def trained(library, monkeypatch, layers=None, batch_size=64, **options):
    """Cost of each step, parameters, and the network."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(EXAMPLES, 60)), rng.integers(0, 10, EXAMPLES)
    layers = layers or [Dense(300, "relu"), Dense(100, "leaky_relu"), Dense(10, "softmax")]
    net = network(library, monkeypatch, layers, **options)
    net.fit(X, y, epochs=2, batch_size=batch_size)
    return net.step_costs, net.parameters.vector.copy(), net


def assert_same(monkeypatch, **options):
    (*compiled, net), (*by_numpy, _) = (trained(name, monkeypatch, **options) for name in ("numba", "numpy"))
    for one, other in zip(compiled, by_numpy, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e4 * np.finfo(net.dtype).eps)
    return net


def has_program(net, batch_size=64):
    member = net._team._lead if net._team is not None else net
    return any(one is not None for one in member._programs.values())


def test_it_is_preferred_where_it_is_installed(monkeypatch):
    monkeypatch.delenv(calls.VARIABLE, raising=False)
    assert (calls.installed(), calls.library()) == (["numba", "numpy"], "numba")


@pytest.mark.parametrize(("processes", "batch_size"), [(1, 64), (2, 64), (3, 64), (2, 256)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_both_train_the_same_with_every_optimizer(optimizer, dtype, processes, batch_size, monkeypatch):
    net = assert_same(
        monkeypatch, optimizer=OPTIMIZERS[optimizer](), dtype=dtype, processes=processes, batch_size=batch_size
    )
    assert has_program(net) == (optimizer not in BY_PASSES)


@pytest.mark.parametrize("way", [None, team.BY_NEURONS, team.BY_EXAMPLES], ids=["alone", "neurons", "examples"])
@pytest.mark.parametrize(("output", "loss"), OUTPUTS)
def test_both_train_the_same_with_every_loss(output, loss, way, monkeypatch):
    monkeypatch.setattr("scratchnet.network.way_to_share", lambda *_: way)
    loss = Huber(0.3) if loss == "huber" else loss
    layers = [Dense(20, "relu"), Dense(10, output)]
    assert has_program(assert_same(monkeypatch, layers=layers, loss=loss, dtype="float64", processes=2))


@pytest.mark.parametrize("hidden", activations.ACTIVATIONS)
def test_both_train_the_same_with_every_activation(hidden, monkeypatch):
    layers = [Dense(20, hidden), Dense(20, hidden), Dense(10, "softmax")]
    assert has_program(assert_same(monkeypatch, layers=layers, dtype="float64")) == (hidden in COMPILED)


@pytest.mark.parametrize(
    "options",
    [
        {"l2": 0.1},
        {"layers": [Dense(20, "relu", dropout=0.2), Dense(10, "softmax")]},
        {"layers": [Dense(1 + MOST_EXPONENTIALS // 64, "sigmoid"), Dense(10, "softmax")]},
        {"optimizer": RMSprop(0.001, centered=True)},
    ],
    ids=["regularized", "dropout", "wide sigmoid", "centered"],
)
def test_numpy_has_a_part_in(options, monkeypatch):
    assert not has_program(assert_same(monkeypatch, **options))


def test_weighted_examples_are_weighted(monkeypatch):
    nets = []
    for library in ("numba", "numpy"):
        net = network(library, monkeypatch, [Dense(10, "softmax")], dtype="float64")
        net.fit(np.eye(60), np.arange(60) % 10, sample_weight=np.linspace(0.0, 2.0, 60), batch_size=10)
        nets.append(net)
    np.testing.assert_allclose(nets[0].parameters.vector, nets[1].parameters.vector, rtol=0, atol=1e-15)


def test_what_numpy_trains_and_what_is_compiled_may_take_turns(monkeypatch):
    """Weighted examples go through NumPy; the optimizer remembers what either did."""
    rng = np.random.default_rng(0)
    X, y, weights = rng.normal(size=(64, 60)), rng.integers(0, 10, 64), rng.random(64)
    vectors = []
    for library in ("numba", "numpy"):
        net = network(library, monkeypatch, [Dense(10, "softmax")], dtype="float64", optimizer=Adam(0.01))
        for given in (None, weights, None):
            net.fit(X, y, sample_weight=given, batch_size=16)
        assert net.optimizer.steps == 12
        vectors.append(net.parameters.vector.copy())
    np.testing.assert_allclose(*vectors, rtol=0, atol=1e-13)


def test_late_processes_are_waited_for(monkeypatch):
    monkeypatch.setattr(shared, "PATIENCE", 1)
    assert has_program(assert_same(monkeypatch, processes=2, dtype="float64"))


def test_an_interrupt_ends_an_epoch_of_compiled_steps(monkeypatch):
    """In an epoch of many thousand steps Python is between them often enough to see a signal."""
    net = network("numba", monkeypatch, [Dense(100, "relu"), Dense(10, "softmax")])
    prepared = net.prepare(np.eye(60), np.arange(60) % 10)
    net.train_epoch(prepared, np.arange(60), 1)
    assert has_program(net, 1)
    steps = 20 * WORK_BETWEEN_SIGNALS // len(net.parameters.vector)

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGVTALRM, interrupt)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            net.train_epoch(prepared, np.zeros(steps, np.int64), 1)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    assert net.optimizer.steps < steps


@pytest.mark.parametrize("order", [[0, 60], [-1, 0]], ids=str)
def test_an_order_that_names_no_example_is_refused(order, monkeypatch):
    """A compiled step would read what stands beside the examples."""
    net = network("numba", monkeypatch, [Dense(10, "softmax")])
    with pytest.raises(ValueError, match=rf"order names examples {min(order)} to {max(order)}; allowed: 0 to 59"):
        net.train_epoch(net.prepare(np.eye(60), np.arange(60) % 10), np.array(order), 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_takes_many_numbers_at_a_time_and_in_their_dtype(loop, dtype):
    """One that looks for a division by zero, or computes in float64 for float32, is slower than NumPy's passes."""
    kinds = [kind for name, kind in loop.__annotations__.items() if name != "return"]
    dtypes = [np.dtype("int64" if kind == loops.Integers else dtype) for kind in kinds]
    code = calls.machine_code.__wrapped__(loop, *dtypes, on_disk=False).inspect_llvm()
    assert loop in (loops.sigmoid, loops.sign, loops.linear_product) or re.search(rf"<\d+ x {NAMES[dtype]}>", code)
    assert dtype == "float64" or "double" not in code


@pytest.mark.parametrize("way", [None, team.BY_NEURONS, team.BY_EXAMPLES], ids=["alone", "neurons", "examples"])
def test_the_floor_makes_the_products_of_the_step_and_no_other_call_but_the_gather(way, monkeypatch):
    monkeypatch.setattr("scratchnet.network.way_to_share", lambda *_: way)
    monkeypatch.setenv(calls.VARIABLE, "numba")
    made = {}
    for kind in (Network, ProductsOnly):
        net = kind(60, [Dense(20, "relu"), Dense(20, "relu"), Dense(10, "softmax")], processes=2)
        before = net.parameters.vector.copy()
        net.fit(np.eye(60), np.arange(60) % 10, batch_size=20)
        assert (net.parameters.vector == before).all() == (kind is ProductsOnly)
        (made[kind],) = (net._team._lead if way else net)._programs.values()
    rows = made[ProductsOnly]._rows
    assert sum(isinstance(row.alive[0], product.Product) for row in rows if row.alive) == 3 + 2 + 3
    assert sum(bool(row.alive) for row in rows) == 9
    waits = [sum(row is calls.WAIT for row in one._rows) for one in made.values()]
    assert waits == {None: [0, 0], team.BY_NEURONS: [7, 6], team.BY_EXAMPLES: [2, 0]}[way]


def test_a_network_that_only_predicts_does_not_load_it():
    program = "import sys; import numpy as np; from scratchnet import Adam, Dense, Network"
    program += "; Network(2, [Dense(2, 'softmax')], optimizer=Adam()).predict(np.eye(2)); print('numba' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_it_compiles_where_nothing_can_be_written():
    program = "import numpy as np; from scratchnet import Dense, Network"
    program += "; print(Network(2, [Dense(2, 'softmax')]).fit(np.eye(2), np.arange(2)))"
    nowhere = {"NUMBA_CACHE_LOCATOR_CLASSES": "ZipCacheLocator"}
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **nowhere})
    assert told.stdout.startswith("[Epoch"), told.stderr
