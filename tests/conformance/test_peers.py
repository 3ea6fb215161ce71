"""Every peer does the identical work too, in each case that it can train, and says in words what it cannot."""

from functools import partial

import conforming
import numpy as np
import pytest
from conforming import BATCH_SIZE, EXAMPLES, examples

from bench.backends import registry
from bench.backends.registry import BACKENDS
from bench.core.errors import UnsupportedError
from bench.inputs.plan import Plan, batches, batches_fingerprint, parameters_fingerprint

# PyTorch's compiler imports what PyTorch itself has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

# scikit-learn has one activation for all hidden layers.
spec_of = partial(conforming.spec_of, hidden=("tanh", "tanh"))

PEERS = JAX, EAGER, COMPILE, SKLEARN = ("jax-scan", "torch-eager", "torch-compile", "sklearn")
ONE_STEP = {"batch_size": 100}
WEIGHTED = {"class_weights": (1, 2, 0.5, 3), "sample_weight_range": (0.5, 2)}

# Options of a spec, and the peers that train it. Compiling takes seconds: few cases are compiled.
CASES = {
    "softmax": ({}, PEERS),
    "sparse": ({"loss": "sparse_categorical_crossentropy"}, (JAX, EAGER, SKLEARN)),
    "sigmoid": ({"loss": "summed_binary_crossentropy", "output": "sigmoid"}, (JAX, EAGER, SKLEARN)),
    "binary": ({"loss": "binary_crossentropy", "output": "sigmoid", "hidden": ("sigmoid", "sigmoid")}, (EAGER,)),
    "squared": ({"loss": "sum_of_squared_errors", "output": "tanh", "hidden": ("relu", "silu")}, (JAX, EAGER)),
    "mean squared": ({"loss": "mean_squared_error", "output": "softplus", "hidden": ("elu", "tanh")}, (JAX, EAGER)),
    "absolute": ({"loss": "mean_absolute_error", "output": "linear"}, (EAGER,)),
    "huber": ({"loss": "huber", "output": "linear", "huber_delta": 0.3}, (EAGER,)),
    "hidden softmax and leaky_relu": ({"hidden": ("softmax", "leaky_relu")}, (JAX, EAGER)),
    "label smoothing": ({"label_smoothing": 0.1}, (EAGER,)),
    "weights": (WEIGHTED, (JAX, EAGER)),
    "weights of squared errors": ({"loss": "mean_squared_error", "output": "linear", **WEIGHTED}, (JAX, EAGER)),
    "penalties": ({"regularization": {"l1": 0.001, "l2": 0.01}}, (JAX, EAGER)),
    "momentum": ({"optimizer": {"momentum": 0.9}}, (JAX, EAGER, SKLEARN)),
    "nesterov": ({"optimizer": {"momentum": 0.9, "nesterov": True}}, (JAX, EAGER, SKLEARN)),
    "adam": ({"optimizer": {"name": "adam"}}, (JAX, EAGER, SKLEARN)),
    "adamw": ({"optimizer": {"name": "adamw", "weight_decay": 0.01}}, (JAX, EAGER)),
    "adagrad": ({"optimizer": {"name": "adagrad"}}, (EAGER,)),
    "everything": (
        {
            "hidden": ("silu", "leaky_relu"),
            "optimizer": {"name": "adamw"},
            "regularization": {"l1": 0.001, "l2": 0.01},
            **WEIGHTED,
        },
        (JAX, EAGER, COMPILE),
    ),
    "one step: nesterov": ({"optimizer": {"momentum": 0.9, "nesterov": True}, **ONE_STEP}, (COMPILE,)),
    "one step: adam": ({"optimizer": {"name": "adam", "epsilon": 0.01}, **ONE_STEP}, (COMPILE,)),
    "one step: rmsprop": (
        {"optimizer": {"name": "rmsprop", "centered": True, "momentum": 0.5}, **ONE_STEP},
        (COMPILE,),
    ),
    "one step: adagrad": ({"optimizer": {"name": "adagrad"}, **ONE_STEP}, (COMPILE,)),
}
WEEKLY = ("one step: rmsprop", "one step: adagrad")
PAIRS = [
    pytest.param(name, case, id=f"{name}: {case}", marks=[pytest.mark.weekly] * (case in WEEKLY))
    for case, (_, names) in CASES.items()
    for name in names
]

UNSUPPORTED = {
    "dropout": ({"dropout": (0.5, 0.0)}, PEERS),
    "clip": ({"optimizer": {"clipvalue": 0.1}}, PEERS),
    "schedule": (
        {"schedule": {"name": "exponential_decay", "initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.7}},
        PEERS,
    ),
    "rmsprop": ({"optimizer": {"name": "rmsprop"}}, (JAX, EAGER, SKLEARN)),
    "smoothing": ({"loss": "summed_binary_crossentropy", "output": "sigmoid", "label_smoothing": 0.2}, PEERS),
    "binary_crossentropy": ({"loss": "binary_crossentropy", "output": "sigmoid"}, (JAX, SKLEARN)),
    "different": ({"hidden": ("relu", "tanh")}, (SKLEARN,)),
    "gelu": ({"hidden": ("gelu", "gelu")}, (SKLEARN,)),
    "L1": ({"regularization": {"l1": 0.1}}, (SKLEARN,)),
    "L2": ({"regularization": {"l2": 0.1}}, (SKLEARN,)),
    "weights": (WEIGHTED, (SKLEARN,)),
}
UNSUPPORTED_PAIRS = [(name, word) for word, (_, names) in UNSUPPORTED.items() for name in names]


def loaded(name):
    """The backend's class; a skip where what it needs is missing."""
    if reason := registry.missing(name):
        pytest.skip(reason)
    return registry.load(BACKENDS[name].target)


def made(name, spec, count=EXAMPLES):
    kind = loaded(name)
    if name == COMPILE and (reason := kind.unsupported(spec_of())):
        pytest.skip(reason)
    plan = Plan(spec, 5)
    x, y, labels = examples(spec.dtype, count)
    return kind(spec, plan.initial_parameters(), x, y, 2, plan.sample_weights(labels)), plan, x, y


@pytest.fixture(params=PEERS)
def name(request):
    return request.param


@pytest.fixture(autouse=True)
def _quickly_compiled(monkeypatch):
    """Two steps a call: more take longer to compile."""
    if not registry.missing(COMPILE):
        monkeypatch.setattr("bench.backends.torch_epoch.TorchCompile.STEPS", 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_starts_from_the_plan_and_consumes_its_batches(name, dtype):
    spec = spec_of(dtype=dtype)
    backend, plan, x, y = made(name, spec)
    assert parameters_fingerprint(backend.parameters()) == parameters_fingerprint(plan.initial_parameters())
    for epoch in (1, 2):
        order = plan.order(epoch, EXAMPLES)
        backend.train_epoch(order)
        expected = batches_fingerprint(batches(x, y, order, BATCH_SIZE))
        assert batches_fingerprint(backend.batches(order)) == expected
    assert {array.dtype.name for layer in backend.parameters() for array in layer} == {dtype}
    assert backend.predict(x).dtype == dtype
    assert backend.predict(x).shape == (EXAMPLES, 4)
    assert isinstance(backend.notes(), dict)


@pytest.mark.parametrize("options", [WEIGHTED, {"loss": "mean_squared_error", "output": "tanh"}])
def test_weights_and_targets_come_as_planned(options):
    backend, plan, x, y = made(EAGER, spec_of(**options))
    order, weights = plan.order(1, EXAMPLES), plan.sample_weights(examples("float64")[2])
    expected = batches_fingerprint(batches(x, y, order, BATCH_SIZE, weights))
    assert batches_fingerprint(backend.batches(order)) == expected


def test_indicators_come_as_planned():
    backend, plan, x, y = made(SKLEARN, spec_of(loss="summed_binary_crossentropy", output="sigmoid"))
    order = plan.order(1, EXAMPLES)
    assert batches_fingerprint(backend.batches(order)) == batches_fingerprint(batches(x, y, order, BATCH_SIZE))


def assert_same_training(name, spec, epochs=3, tolerance=1e-10, count=EXAMPLES):
    (backend, plan, x, _), (ours, *_) = made(name, spec, count), made("scratchnet", spec, count)
    for epoch in range(1, epochs + 1):
        order = plan.order(epoch, count)
        backend.train_epoch(order)
        ours.train_epoch(order)
        assert backend.epoch_cost() == pytest.approx(ours.epoch_cost(), rel=tolerance)
    for theirs, mine in zip(backend.parameters(), ours.parameters(), strict=True):
        np.testing.assert_allclose(theirs[0], mine[0], rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(theirs[1], mine[1], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(backend.predict(x), ours.predict(x), rtol=tolerance)


@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_costs_and_parameters_equal_those_of_scratchnet(name, case):
    assert_same_training(name, spec_of(**CASES[case][0]))


@pytest.mark.parametrize("name", [JAX, EAGER])
def test_gelu_equals_but_for_a_constant_that_scratchnet_rounds(name):
    """scratchnet follows TensorFlow, which rounds the root of one half to float32: 1.7e-8 of itself."""
    assert_same_training(name, spec_of(hidden=("gelu", "gelu")), tolerance=1e-6)


def test_adam_takes_the_epsilon_of_keras():
    """A large ε: PyTorch's own, corrected for the start of the means, would be told from Keras's at once."""
    optimizer = {"name": "adam", "epsilon": 0.01}
    assert_same_training(EAGER, spec_of(optimizer=optimizer))
    assert_same_training(SKLEARN, spec_of(optimizer=optimizer))


def test_sklearn_has_the_l2_penalty_where_all_batches_have_one_size():
    assert_same_training(SKLEARN, spec_of(regularization={"l2": 0.01}), count=6 * BATCH_SIZE)


def test_a_batch_larger_than_the_data_is_one_step(name):
    assert_same_training(name, spec_of(batch_size=100), epochs=2)


def test_parameters_can_be_put_back(name):
    backend, plan, *_ = made(name, spec_of(batch_size=100))
    backend.train_epoch(plan.order(1, EXAMPLES))
    assert parameters_fingerprint(backend.parameters()) != parameters_fingerprint(plan.initial_parameters())
    backend.set_parameters(plan.initial_parameters())
    assert parameters_fingerprint(backend.parameters()) == parameters_fingerprint(plan.initial_parameters())


@pytest.mark.parametrize(("name", "word"), UNSUPPORTED_PAIRS)
def test_what_a_peer_cannot_train_is_told(name, word):
    with pytest.raises(UnsupportedError, match=word):
        made(name, spec_of(**UNSUPPORTED[word][0]))


def test_one_process_compiles_for_any_number_of_jobs():
    """PyTorch allows eight versions of one function; here one, so that two jobs of different sizes show it."""
    loaded(COMPILE)
    import torch._dynamo

    # PyTorch's own patch: pytest's deletes the setting when it puts it back, for the module computes its attributes.
    with torch._dynamo.config.patch(recompile_limit=1):
        for size in (EXAMPLES, EXAMPLES - 1):
            backend, plan, *_ = made(COMPILE, spec_of(**ONE_STEP), size)
            backend.train_epoch(plan.order(1, size))
            assert np.isfinite(backend.epoch_cost())


def test_subnormals_are_flushed_in_an_epoch_only(monkeypatch):
    backend, plan, *_ = made(EAGER, spec_of())
    modes, step = [], backend._step
    tiny = np.full(4, 1e-40, np.float32)
    monkeypatch.setattr(backend, "_step", lambda rows: modes.append((tiny * tiny.dtype.type(0.5)).any()) or step(rows))
    backend.train_epoch(plan.order(1, EXAMPLES))
    assert modes == [False] * 7
    assert (tiny * tiny.dtype.type(0.5)).all()


def test_a_missing_compiler_is_told(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert "no-such-compiler is not installed" in loaded(COMPILE).unsupported(spec_of())
    assert not loaded(EAGER).unsupported(spec_of())


def test_every_backend_of_the_table_is_tested_for_conformance():
    of_test_backends = {name for name, entry in BACKENDS.items() if entry.needs in ("scipy", "tensorflow")}
    assert of_test_backends | set(PEERS) == set(BACKENDS)
