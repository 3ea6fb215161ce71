"""Several threads may read one network at once; one of them at a time may train it."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from scratchnet import SGD, Adam, Dense, Network, engine

THREADS, ROWS, READS = 4, 64, 40
READERS = {
    "predict": lambda net, X, y, masks: net.predict(X),
    "evaluate": lambda net, X, y, masks: list(net.evaluate(X, y).values()),
    "evaluate with masks": lambda net, X, y, masks: list(net.evaluate(X, y, masks=masks).values()),
    "cost": lambda net, X, y, masks: net.cost(X, y, np.linspace(0.0, 2.0, len(X))),
    "gradient": lambda net, X, y, masks: net.gradient(X, y, masks=masks),
}


@pytest.fixture(autouse=True)
def eager_threads():
    """Threads take turns as often as Python lets them."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(params=engine.installed())
def steps(request, monkeypatch):
    monkeypatch.setenv(engine.VARIABLE, request.param)


def network(**options):
    layers = [Dense(50, "gelu"), Dense(40, "tanh", dropout=options.pop("dropout", 0.0)), Dense(4, "softmax")]
    return Network(12, layers, seed=3, **{"optimizer": SGD(0.1), **options})


def data(rows=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, rows)
    return rng.normal(size=(rows, 12)) + np.eye(12)[y], y


def all_of(jobs):
    """What each job, run in a thread of its own, returned."""
    start = threading.Barrier(len(jobs))

    def run(job):
        start.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result() for future in [pool.submit(run, job) for job in jobs]]


@pytest.mark.parametrize("reader", READERS)
def test_each_thread_reads_what_it_would_read_alone(reader):
    net = network(dropout=0.5, l2=0.01)
    read = READERS[reader]
    asked = [(*data(seed=seed), [np.random.default_rng(seed).random((ROWS, 40)) < 0.5]) for seed in range(THREADS)]
    alone = [read(net, *one) for one in asked]
    together = all_of([lambda one=one: [read(net, *one) for _ in range(READS)] for one in asked])
    for expected, answers in zip(alone, together, strict=True):
        for answer in answers:
            np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize(
    "options",
    [{}, {"l2": 0.01}, {"dropout": 0.5}, {"optimizer": Adam(0.01)}],
    ids=["plain", "regularized", "dropout", "adam"],
)
def test_who_reads_does_not_disturb_who_trains(steps, options):
    options = {name: Adam(0.01) if name == "optimizer" else option for name, option in options.items()}
    (X, y), rest = data(203), data(11, seed=1)
    twin = network(**{**options, **({"optimizer": Adam(0.01)} if "optimizer" in options else {})})
    expected = [epoch.cost for epoch in twin.fit(X, y, epochs=6, batch_size=ROWS)]
    net, done = network(**options), threading.Event()

    def train():
        try:
            return [epoch.cost for epoch in net.fit(X, y, epochs=6, batch_size=ROWS)]
        finally:
            done.set()

    def reading(X, y):
        reads = 0
        while not done.is_set() or not reads:
            np.testing.assert_allclose(net.predict(X).sum(axis=1), 1.0, rtol=1e-5)
            assert np.isfinite(net.cost(X, y))
            assert np.isfinite(net.gradient(X, y)).all()
            reads += 1

    costs, *_ = all_of([train, lambda: reading(X[:ROWS], y[:ROWS]), lambda: reading(*rest)])
    assert costs == expected
    np.testing.assert_array_equal(net.parameters.vector, twin.parameters.vector)


def epoch_of(net, X, y):
    return net.train_epoch(net.prepare(X, y), np.arange(len(X)), 16)


@pytest.mark.parametrize("train", [lambda net, X, y: net.fit(X, y), epoch_of], ids=["fit", "train_epoch"])
def test_a_second_thread_that_trains_is_refused_until_the_first_has_ended(train):
    net, (X, y) = network(), data()
    is_training, may_end = threading.Event(), threading.Event()

    def hold(epoch):
        is_training.set()
        assert may_end.wait(60)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(net.fit, X, y, on_epoch=hold)
        assert is_training.wait(60)
        before = net.parameters.vector.copy()
        try:
            with pytest.raises(RuntimeError, match=r"another thread trains this network.*copy\.deepcopy"):
                train(net, X, y)
            assert net.predict(X).shape == (ROWS, 4)
            np.testing.assert_array_equal(net.parameters.vector, before)
        finally:
            may_end.set()
        first.result()
    train(net, X, y)
    assert (net.parameters.vector != before).any()


def test_a_callback_of_fit_may_train_the_same_network():
    net, (X, y) = network(), data()
    costs = []
    net.fit(X, y, epochs=2, on_epoch=lambda epoch: costs.append(epoch_of(net, X, y)))
    assert len(costs) == 2


def test_a_network_may_be_trained_again_after_an_error():
    net, (X, y) = network(), data()
    with pytest.raises(KeyError):
        net.fit(X, y, on_epoch=lambda epoch: {}["nothing"])
    with ThreadPoolExecutor(1) as pool:
        pool.submit(net.fit, X, y).result()


def test_threads_train_copies_of_their_own():
    nets = [network(optimizer=Adam(0.01)) for _ in range(THREADS)]
    alone = network(optimizer=Adam(0.01))
    X, y = data(203)
    alone.fit(X, y, epochs=3)
    all_of([lambda net=net: net.fit(X, y, epochs=3) for net in nets])
    for net in nets:
        np.testing.assert_array_equal(net.parameters.vector, alone.parameters.vector)
