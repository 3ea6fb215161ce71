"""Every backend in the table does the identical work: same start, same batches, same costs, same parameters after."""

import numpy as np
import pytest

from bench import backend as backends
from bench.backend import BACKENDS
from bench.plan import Plan, batches, batches_fingerprint, parameters_fingerprint
from bench.spec import TrainingSpec

EXAMPLES, INPUTS, BATCH_SIZE = 53, 12, 8  # 53 = 6 · 8 + 5: the last batch is shorter

CASES = {
    "softmax": {"loss": "categorical_crossentropy", "output": "softmax"},
    "sigmoid": {"loss": "summed_binary_crossentropy", "output": "sigmoid"},
    "squared": {"loss": "sum_of_squared_errors", "output": "tanh"},
    "momentum": {"loss": "categorical_crossentropy", "output": "softmax", "momentum": 0.9, "l2": 0.01},
}


def spec_of(loss, output, momentum=0.0, l2=0.0, dtype="float64", batch_size=BATCH_SIZE):
    layers = [{"units": n, "activation": f} for n, f in ((7, "relu"), (6, "tanh"), (4, output))]
    return TrainingSpec.model_validate(
        {
            "architecture": {"inputs": INPUTS, "layers": layers},
            "loss": loss,
            "optimizer": {"learning_rate": 0.05, "momentum": momentum},
            "regularization": {"l2": l2},
            "dtype": dtype,
            "batch_size": batch_size,
            "epochs": 3,
            "seeds": (0,),
        }
    )


def examples(dtype):
    rng = np.random.default_rng(0)
    return rng.random((EXAMPLES, INPUTS)).astype(dtype), np.eye(4, dtype=dtype)[rng.integers(0, 4, EXAMPLES)]


def made(name, spec):
    if reason := backends.missing(name):
        pytest.skip(reason)
    plan = Plan(spec, 5)
    x, y = examples(spec.dtype)
    return backends.load(BACKENDS[name].target)(spec, plan.initial_parameters(), x, y, threads=2), plan, x, y


@pytest.fixture(params=BACKENDS)
def name(request):
    return request.param


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_starts_from_the_plan_and_consumes_its_batches(name, dtype):
    spec = spec_of("categorical_crossentropy", "softmax", dtype=dtype)
    backend, plan, x, y = made(name, spec)
    assert parameters_fingerprint(backend.parameters()) == parameters_fingerprint(plan.initial_parameters())
    for epoch in (1, 2):
        order = plan.order(epoch, EXAMPLES)
        backend.train_epoch(order)
        expected = batches_fingerprint(batches(x, y, order, BATCH_SIZE))
        assert batches_fingerprint(backend.batches(order)) == expected
    assert backend.predict(x).dtype == dtype
    assert backend.predict(x).shape == (EXAMPLES, 4)
    assert isinstance(backend.notes(), dict)


@pytest.mark.parametrize("case", CASES)
def test_costs_and_parameters_equal_those_of_scratchnet(name, case):
    spec = spec_of(**CASES[case])
    (backend, plan, x, _), (ours, *_) = made(name, spec), made("scratchnet", spec)
    for epoch in (1, 2, 3):
        order = plan.order(epoch, EXAMPLES)
        backend.train_epoch(order)
        ours.train_epoch(order)
        assert backend.epoch_cost() == pytest.approx(ours.epoch_cost(), rel=1e-12)
    for theirs, mine in zip(backend.parameters(), ours.parameters(), strict=True):
        np.testing.assert_allclose(theirs[0], mine[0], rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(theirs[1], mine[1], rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(backend.predict(x), ours.predict(x), rtol=1e-10)


def test_a_batch_larger_than_the_data_is_one_step(name):
    spec = spec_of("categorical_crossentropy", "softmax", batch_size=100)
    (backend, plan, *_), (ours, *_) = made(name, spec), made("scratchnet", spec)
    order = plan.order(1, EXAMPLES)
    backend.train_epoch(order)
    ours.train_epoch(order)
    assert backend.epoch_cost() == pytest.approx(ours.epoch_cost(), rel=1e-12)
    for theirs, mine in zip(backend.parameters(), ours.parameters(), strict=True):
        np.testing.assert_allclose(theirs[0], mine[0], rtol=1e-10, atol=1e-13)
