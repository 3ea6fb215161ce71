"""What a user of `scratchnet` alone relies on: training, prediction, evaluation, files, and clear refusals."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scratchnet import SGD, Dense, Network, engine
from scratchnet.losses import LOSSES


def network(hidden=(5,), inputs=4, outputs=3, **options):
    options = {"dtype": "float64", **options}
    return Network(inputs, [*(Dense(n, "relu", "he_normal") for n in hidden), Dense(outputs, "softmax")], **options)


def examples(count=20, inputs=4, outputs=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, inputs)), rng.integers(0, outputs, count)


def test_one_step_of_the_sports_network_by_hand():
    """3-2-1, sigmoid, binary cross entropy, one example, one update."""
    net = Network(
        3,
        [Dense(2, "sigmoid"), Dense(1, "sigmoid")],
        loss="summed_binary_crossentropy",
        optimizer=SGD(0.5),
        dtype="float64",
    )
    W1, b1 = np.array([[0.1, 0.2, -0.1], [0.0, -0.3, 0.4]]), np.array([0.0, 0.1])
    W2, b2 = np.array([[0.5, -0.5]]), np.array([0.2])
    net.parameters.set([(W1, b1), (W2, b2)])
    x, y = np.array([[1.0, 0.0, 1.0]]), np.array([1])
    # z1 = [0.1 - 0.1, 0.4 + 0.1] = [0, 0.5]; a1 = [0.5, 1/(1 + e^-0.5)] = [0.5, 0.62245933]
    # z2 = 0.25 - 0.31122967 + 0.2 = 0.13877033; a2 = 0.53463702; loss = -log a2 = 0.62616723
    # delta2 = a2 - 1 = -0.46536298 (BP1)
    # delta1 = W2ᵀ delta2 ⊙ a1 (1 - a1)
    #        = [-0.23268149 · 0.25, 0.23268149 · 0.23500371] = [-0.05817037, 0.05468101] (BP2)
    assert net.cost(x, y) == pytest.approx(0.62616723, abs=1e-7)
    net.train_epoch(net.prepare(x, y), np.array([0]), 1)
    (W1_new, b1_new), (W2_new, b2_new) = net.parameters.get()
    # W ← W - 0.5 delta aᵀ (BP3), b ← b - 0.5 delta (BP4)
    np.testing.assert_allclose(b2_new, [0.2 + 0.23268149], atol=1e-7)
    np.testing.assert_allclose(W2_new, [[0.5 + 0.11634075, -0.5 + 0.14483476]], atol=1e-7)
    np.testing.assert_allclose(b1_new, [0.02908519, 0.1 - 0.02734051], atol=1e-7)
    np.testing.assert_allclose(
        W1_new, [[0.1 + 0.02908519, 0.2, -0.1 + 0.02908519], [-0.02734051, -0.3, 0.4 - 0.02734051]], atol=1e-7
    )


def test_cost_of_an_epoch_is_the_mean_over_examples_each_step_before_its_update():
    X, y = examples(7)
    net, slow = network(l2=0.1, seed=1), network(l2=0.1, seed=1)
    cost = net.train_epoch(net.prepare(X, y), np.arange(7), 3)
    costs = []
    for rows in (slice(0, 3), slice(3, 6), slice(6, 7)):
        costs.append(slow.cost(X[rows], y[rows]))
        slow.parameters.vector[...] -= 0.1 * slow.gradient(X[rows], y[rows])
    np.testing.assert_allclose(net.step_costs, costs, rtol=1e-12)
    assert cost == pytest.approx((3 * costs[0] + 3 * costs[1] + costs[2]) / 7, rel=1e-12)


def test_fit_learns_and_reports_each_epoch():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    X = rng.normal(size=(300, 4)) + 3 * np.eye(4)[y]
    seen = []
    net = network((16,), seed=2)
    history = net.fit(X, y, epochs=5, batch_size=16, validation_data=(X[:50], y[:50]), on_epoch=seen.append)
    assert history == seen
    assert [epoch.number for epoch in history] == [1, 2, 3, 4, 5]
    assert history[-1].cost < history[0].cost
    assert history[-1].validation["accuracy"] == net.evaluate(X[:50], y[:50])["accuracy"] > 0.9


def test_a_seed_decides_everything():
    X, y = examples()
    first, second, other = (network(seed=seed) for seed in (4, 4, 5))
    costs = [[epoch.cost for epoch in net.fit(X, y, epochs=2, batch_size=6)] for net in (first, second, other)]
    assert costs[0] == costs[1] != costs[2]


def test_each_epoch_of_each_seed_has_an_order_of_its_own(monkeypatch):
    orders, train = [], Network.train_epoch
    monkeypatch.setattr(Network, "train_epoch", lambda *given: orders.append(given[2]) or train(*given))
    for seed in (0, 1):
        network(seed=seed).fit(*examples(), epochs=3)
    assert len({tuple(order) for order in orders}) == 6
    assert {tuple(sorted(order)) for order in orders} == {tuple(range(20))}


@pytest.mark.parametrize("steps", engine.installed())
def test_predictions_do_not_depend_on_how_many_rows_are_asked_for(steps, monkeypatch):
    """Of more rows than are computed at a time."""
    monkeypatch.setenv(engine.VARIABLE, steps)
    X, _ = examples(1200)
    whole = network().predict(X)
    assert whole.shape == (1200, 3)
    for first, last in ((0, 7), (7, 8), (8, 200), (200, 1200)):
        np.testing.assert_allclose(network().predict(X[first:last]), whole[first:last], rtol=1e-14)


def test_targets_as_rows_equal_targets_as_classes():
    X, y = examples()
    assert network().cost(X, np.eye(3)[y]) == network().cost(X, y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_everything_stays_in_the_dtype(dtype):
    X, y = examples()
    net = network(dtype=dtype, optimizer=SGD(0.1, 0.9), l2=0.1)
    net.fit(X, y, batch_size=6)
    assert net.parameters.vector.dtype == net.predict(X).dtype == net.gradient(X, y).dtype == dtype


def test_a_softmax_in_a_hidden_layer_learns():
    X, y = examples(200)
    net = Network(4, [Dense(8, "softmax"), Dense(3, "softmax")], optimizer=SGD(1.0), dtype="float64")
    history = net.fit(X, y, epochs=30, batch_size=20)
    assert history[-1].cost < 0.95 * history[0].cost


GOLDEN = Path(__file__).parent / "golden"


def test_a_file_of_format_1_still_predicts_what_it_predicted():
    """Written with scratchnet 0.1.0 at revision d078dde; nothing may be written over it."""
    expected = np.load(GOLDEN / "network-v1-outputs.npz")
    net = Network.load(GOLDEN / "network-v1.npz")
    np.testing.assert_allclose(net.predict(expected["X"]), expected["outputs"], rtol=1e-14)
    assert net.cost(expected["X"], expected["y"]) == pytest.approx(float(expected["cost"]), rel=1e-14)
    assert (net.loss_name, net.regularizer.l1, net.regularizer.l2) == ("categorical_crossentropy", 0.0, 0.01)


def test_a_file_of_format_1_is_saved_again_as_format_2(tmp_path):
    net = Network.load(GOLDEN / "network-v1.npz")
    net.save(tmp_path / "net.npz")
    assert '"format_version": 2' in str(np.load(tmp_path / "net.npz")["description"])
    np.testing.assert_array_equal(Network.load(tmp_path / "net.npz").parameters.vector, net.parameters.vector)


@pytest.mark.parametrize(
    "loss", [LOSSES["huber"](0.3), LOSSES["mean_absolute_error"](), LOSSES["categorical_crossentropy"](0.2)]
)
def test_a_saved_network_predicts_the_same_and_keeps_its_settings(tmp_path, loss):
    X, y = examples()
    layers = [Dense(5, "gelu", "orthogonal", dropout=0.25), Dense(3, "softmax")]
    net = Network(4, layers, loss=loss, l1=0.1, l2=0.2, dtype="float64")
    net.fit(X, y)
    net.save(tmp_path / "net.npz")
    loaded = Network.load(tmp_path / "net.npz")
    assert (loaded.layers, loaded.loss, loaded.loss_name) == (net.layers, loss, net.loss_name)
    assert (loaded.regularizer.l1, loaded.regularizer.l2) == (0.1, 0.2)
    np.testing.assert_array_equal(loaded.predict(X), net.predict(X))
    assert loaded.cost(X, y) == net.cost(X, y)
    assert [path.name for path in tmp_path.iterdir()] == ["net.npz"]


KILLED_WHILE_IT_SAVES = """
import os, signal
import numpy as np
from scratchnet import Dense, Network

def half(file, **arrays):
    file.write(b"half a network")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)

np.savez = half
Network(2, [Dense(3, "softmax")]).save({path!r})
"""


def killed_while_it_saves(path):
    code = KILLED_WHILE_IT_SAVES.format(path=str(path))
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("name", ["net [1].npz", "n" * 251 + ".npz"])
def test_what_a_killed_save_left_is_removed_by_the_next(tmp_path, name):
    net = network((5, 6))
    net.save(tmp_path / name)
    killed_while_it_saves(tmp_path / name)
    killed_while_it_saves(tmp_path / "other.npz")
    assert len(list(tmp_path.iterdir())) == 3
    assert len(list(tmp_path.glob("*.npz"))) == 1, "half a network is not found by its ending"
    np.testing.assert_array_equal(Network.load(tmp_path / name).parameters.vector, net.parameters.vector)
    net.save(tmp_path / name)
    net.save(tmp_path / "other.npz")
    assert {path.name for path in tmp_path.iterdir()} == {name, "other.npz"}


def test_a_save_leaves_the_file_of_another_that_is_under_way(tmp_path, monkeypatch):
    net, other, whole, seen = network((5, 6)), network((7,)), np.savez, []

    def saves_another_first(file, **arrays):
        monkeypatch.setattr(np, "savez", whole)
        other.save(tmp_path / "net.npz")
        seen.extend(Network.load(tmp_path / "net.npz").layers)
        whole(file, **arrays)

    monkeypatch.setattr(np, "savez", saves_another_first)
    net.save(tmp_path / "net.npz")
    assert tuple(seen) == other.layers
    assert Network.load(tmp_path / "net.npz").layers == net.layers
    assert [path.name for path in tmp_path.iterdir()] == ["net.npz"]


def test_a_save_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    net = network((5, 6))
    net.save(tmp_path / "net.npz")
    before = (tmp_path / "net.npz").read_bytes()

    def full(file, **arrays):
        file.write(b"half a network")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        network((7,)).save(tmp_path / "net.npz")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def test_a_saved_network_can_be_read_by_whoever_may_read_a_new_file(tmp_path):
    (tmp_path / "new").touch()
    network((5, 6)).save(tmp_path / "net.npz")
    assert (tmp_path / "net.npz").stat().st_mode == (tmp_path / "new").stat().st_mode


PICKLE, LATER = np.array({"any": "object"}, dtype=object), np.array('{"format_version": 3}')


@pytest.mark.parametrize(
    ("content", "said"),
    [
        *((content, "not a saved network") for content in (b"", b"not a zip", b"PK\x03\x04 cut short", PICKLE)),
        (LATER, "format version 3; this version reads 1, 2"),
    ],
)
def test_a_file_that_is_no_network_is_named(tmp_path, content, said):
    path = tmp_path / "bad.npz"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.savez(path, description=content, vector=np.zeros(3))
    with pytest.raises(ValueError, match=rf"bad\.npz: {said}"):
        Network.load(path)


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_a_mapped_file_is_trained_on_without_a_copy(tmp_path, dtype, monkeypatch):
    monkeypatch.setenv(engine.VARIABLE, "numpy")  # which alone reads from files, and rounds otherwise
    rng = np.random.default_rng(0)
    X, y = (rng.random((97, 6)) * 9).astype(dtype), rng.integers(0, 3, 97)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    nets = [Network(6, [Dense(5, "relu"), Dense(3, "softmax")], seed=1) for _ in range(2)]
    for net, source in zip(nets, (X, mapped), strict=True):
        net.fit(source, y, epochs=2, batch_size=10)
    np.testing.assert_array_equal(nets[0].parameters.vector, nets[1].parameters.vector)
    assert np.shares_memory(nets[1].prepare(mapped, y).X_augmented, mapped)
