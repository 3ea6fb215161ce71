"""Copies and pickles of networks and optimizers train on as the original does, and independently of it."""

import copy
import os
import pickle
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from covering import some

from scratchnet import SGD, Adagrad, Adam, AdamW, Dense, Network, RMSprop, engine
from scratchnet.schedules import ExponentialDecay

COPIES = {
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "pickle": lambda one: pickle.loads(pickle.dumps(one)),
    "oldest pickle": lambda one: pickle.loads(pickle.dumps(one, protocol=0)),
}
OPTIMIZERS = {
    "sgd": lambda: SGD(0.1),
    "momentum": lambda: SGD(ExponentialDecay(0.1, 3, 0.9), momentum=0.9),
    "nesterov": lambda: SGD(0.1, momentum=0.9, nesterov=True, clipnorm=1.0),
    "adam": lambda: Adam(0.01),
    "adamw": lambda: AdamW(0.01, weight_decay=0.1, beta_2=0.5),
    "rmsprop": lambda: RMSprop(0.01),
    "centered": lambda: RMSprop(0.01, momentum=0.5, centered=True),
    "adagrad": lambda: Adagrad(0.1),
}


@pytest.fixture(params=engine.installed(), autouse=True)
def steps(request, monkeypatch):
    monkeypatch.setenv(engine.VARIABLE, request.param)


def data():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 150)
    return rng.normal(size=(150, 12)) + np.eye(12)[y], y


def network(optimizer="sgd", **options):
    layers = [Dense(9, "relu", dropout=options.pop("dropout", 0.0)), Dense(4, "softmax")]
    return Network(12, layers, optimizer=OPTIMIZERS[optimizer](), **{"seed": 3, **options})


def fit(net, **options):
    return [epoch.cost for epoch in net.fit(*data(), **{"epochs": 3, "batch_size": 16, **options})]


def assert_trains_on(make, copied, **options):
    """Trained, copied, and trained on: original and copy, one after the other, are as one that was never copied."""
    uncopied, original = make(), make()
    for net in (uncopied, original):
        fit(net, **options)
    other = copied(original)
    np.testing.assert_array_equal(other.predict(data()[0]), original.predict(data()[0]))
    assert other.optimizer.steps == original.optimizer.steps
    costs = fit(uncopied, **options)
    for net in (original, other):
        assert fit(net, **options) == costs
        np.testing.assert_array_equal(net.parameters.vector, uncopied.parameters.vector)
        np.testing.assert_array_equal(net.step_costs, uncopied.step_costs)


@pytest.mark.parametrize(("optimizer", "kind"), some(product(OPTIMIZERS, COPIES), 16))
def test_a_copy_trains_on_as_the_original_does(optimizer, kind):
    assert_trains_on(lambda: network(optimizer), COPIES[kind])


@pytest.mark.parametrize("kind", COPIES)
@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        *(
            ("adam", options)
            for options in ({"dropout": 0.3}, {"l1": 0.01, "l2": 0.1}, {"dtype": "float64"}, {"seed": 5})
        ),
        *((optimizer, {"threads": 2}) for optimizer in ("sgd", "momentum", "adam")),
    ],
    ids=str,
)
def test_a_copy_has_every_setting(optimizer, options, kind):
    assert_trains_on(lambda: network(optimizer, **options), COPIES[kind], batch_size=64)


@pytest.mark.skipif("numba" not in engine.installed(), reason="needs Numba")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("first", "then"), [("numba", "numpy"), ("numpy", "numba")], ids=str)
def test_a_pickle_is_trained_on_where_numba_is_missing_or_new(first, then, optimizer, monkeypatch):
    monkeypatch.setenv(engine.VARIABLE, first)
    net = network(optimizer, dtype="float64")
    fit(net)
    stored = pickle.dumps(net)
    monkeypatch.setenv(engine.VARIABLE, then)
    other = pickle.loads(stored)
    np.testing.assert_allclose(fit(other), fit(net), rtol=1e-10)
    np.testing.assert_allclose(other.parameters.vector, net.parameters.vector, rtol=0, atol=1e-10)


def test_a_callback_may_keep_copies():
    nets, net = [], network("adam")
    costs = fit(net, on_epoch=lambda epoch: nets.append(copy.deepcopy(net)))
    assert len(nets) == len(costs) == 3
    assert [one.optimizer.steps for one in nets] == [10, 20, 30]
    assert nets[0].cost(*data()) != nets[2].cost(*data()) == net.cost(*data())


@pytest.mark.parametrize(("optimizer", "kind"), some(product(OPTIMIZERS, COPIES), 16))
def test_a_copy_of_an_optimizer_is_for_another_network_and_remembers_nothing(optimizer, kind):
    net = network(optimizer)
    costs = fit(net)
    copied = COPIES[kind](net.optimizer)
    assert copied.steps == 0
    other = Network(12, net.layers, optimizer=copied, seed=3)
    assert fit(other) == costs
    np.testing.assert_array_equal(other.parameters.vector, net.parameters.vector)


def test_copied_parameters_are_views_of_one_vector():
    for copied in COPIES.values():
        parameters = copied(network().parameters)
        parameters.vector[...] = 7.0
        assert all((W == 7.0).all() for W in (*parameters.weights, *parameters.biases, *parameters.augmented))


def test_an_optimizer_of_one_network_is_refused_by_the_next(tmp_path):
    optimizer = Adam(0.01)
    first = Network(12, [Dense(4, "softmax")], optimizer=optimizer)
    with pytest.raises(ValueError, match=r"^this Adam optimizer belongs to another network; allowed: .*deepcopy"):
        Network(12, [Dense(4, "softmax")], optimizer=optimizer)
    before = first.parameters.vector.copy()
    fit(first)
    assert (first.parameters.vector != before).any()
    first.save(tmp_path / "net.npz")
    with pytest.raises(ValueError, match=r"^this Adam optimizer belongs to another network"):
        Network.load(tmp_path / "net.npz", optimizer=optimizer)


def test_an_optimizer_that_a_refused_network_was_given_is_still_free():
    optimizer = Adam(0.01)
    with pytest.raises(ValueError, match="loss"):
        Network(12, [Dense(4, "softmax")], optimizer=optimizer, loss="hinge")
    fit(Network(12, [Dense(4, "softmax")], optimizer=optimizer))


IN_A_POOL = """
import multiprocessing, sys
import numpy as np
from scratchnet import Adam, Dense, Network

rng = np.random.default_rng(0)
X, y = rng.normal(size=(256, 12)), rng.integers(0, 4, 256)

def made(threads):
    layers = [Dense(9, "relu"), Dense(4, "softmax")]
    return Network(12, layers, optimizer=Adam(0.01), threads=threads, dtype="float64")

def trained(net):
    cost = net.fit(X, y, epochs=2, batch_size=64)[-1].cost
    return cost, net.parameters.vector.copy()

def of_a_new_network(_):
    return trained(made(2))

def of_the_inherited_network(_):
    return trained(net)

if __name__ == "__main__":
    net = made(2)
    trained(net)
    once = net.parameters.vector.copy()
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        (new,), (sent,) = pool.map(of_a_new_network, [0]), pool.map(trained, [net])
        inherited = pool.map(of_the_inherited_network, [0])[0] if sys.argv[1] == "fork" else sent
    assert (net.parameters.vector == once).all(), "a worker has changed the parent's network"
    alone = made(1)
    first, second, third = trained(alone), trained(alone), trained(net)
    for (cost, vector), (expected, parameters) in zip([new, sent, inherited, third], [first, second, second, second]):
        np.testing.assert_allclose(vector, parameters, rtol=0, atol=1e-12)
        np.testing.assert_allclose(cost, expected, rtol=1e-12)
    print("trained")
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_worker_of_a_pool_trains_with_threads_as_well(tmp_path, method):
    (tmp_path / "pool.py").write_text(IN_A_POOL)
    command = [sys.executable, "-W", "ignore", tmp_path / "pool.py", method]
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    told = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert told.stdout == "trained\n", told.stderr
