"""scratchnet and every backend of TensorFlow do the identical work: same start, batches, costs and parameters after.

The peers, which train fewer specs, are in `test_peers`.
"""

import math
from itertools import product

import numpy as np
import pytest
from conforming import BATCH_SIZE, EXAMPLES, examples, spec_of
from covering import some

from bench.backends import registry
from bench.backends.registry import BACKENDS
from bench.inputs.plan import Plan, batches, batches_fingerprint, parameters_fingerprint

CASES = {
    "softmax": {"loss": "categorical_crossentropy", "output": "softmax"},
    "sigmoid": {"loss": "summed_binary_crossentropy", "output": "sigmoid"},
    "squared": {"loss": "sum_of_squared_errors", "output": "tanh"},
    "momentum": {"optimizer": {"momentum": 0.9}, "regularization": {"l2": 0.01}},
    "adam": {"optimizer": {"name": "adam"}, "regularization": {"l1": 0.001, "l2": 0.01}},
    "dropout and weights": {"dropout": (0.5, 0.25), "class_weights": (1, 2, 0.5, 3), "sample_weight_range": (0.5, 2)},
}
# One backend is enough for what `reference_tf` builds alike for all four.
CASES_OF_ONE_BACKEND = {
    "nesterov": {"optimizer": {"momentum": 0.9, "nesterov": True}},
    "rmsprop": {"optimizer": {"name": "rmsprop"}},
    "rmsprop centered": {"optimizer": {"name": "rmsprop", "centered": True, "momentum": 0.5, "rho": 0.8}},
    "adamw": {"optimizer": {"name": "adamw", "weight_decay": 0.01}},
    "adagrad": {"optimizer": {"name": "adagrad"}},
    "clipnorm": {"optimizer": {"clipnorm": 0.05}},
    "global_clipnorm": {"optimizer": {"name": "adam", "global_clipnorm": 0.1}},
    "clipvalue": {"optimizer": {"momentum": 0.9, "clipvalue": 0.01}},
    "binary_crossentropy": {"loss": "binary_crossentropy", "output": "sigmoid", "label_smoothing": 0.2},
    "label smoothing": {"label_smoothing": 0.1},
    "summed label smoothing": {"loss": "summed_binary_crossentropy", "output": "sigmoid", "label_smoothing": 0.1},
    "sparse": {"loss": "sparse_categorical_crossentropy"},
    "mean_squared_error": {"loss": "mean_squared_error", "output": "softplus"},
    "mean_absolute_error": {"loss": "mean_absolute_error", "output": "silu"},
    "huber": {"loss": "huber", "output": "linear", "huber_delta": 0.3},
    "softmax in a hidden layer": {"hidden": ("softmax", "gelu")},
    "leaky_relu and elu": {"hidden": ("leaky_relu", "elu")},
    "exponential_decay": {"schedule": {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.7}},
    "inverse_time_decay": {
        "schedule": {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.7, "staircase": True}
    },
    "polynomial_decay": {"schedule": {"initial_learning_rate": 0.1, "decay_steps": 4, "power": 2.0, "cycle": True}},
    "cosine_decay": {
        "schedule": {"initial_learning_rate": 0.01, "decay_steps": 9, "warmup_target": 0.1, "warmup_steps": 4}
    },
    "piecewise_constant_decay": {"schedule": {"boundaries": [3, 9], "values": [0.1, 0.05, 0.02]}},
}


def case_spec(case):
    options = {**CASES, **CASES_OF_ONE_BACKEND}[case]
    schedule = {"schedule": {"name": case, **options["schedule"]}} if "schedule" in options else {}
    return spec_of(**{**options, **schedule})


def made(name, spec):
    if reason := registry.missing(name):
        pytest.skip(reason)
    plan = Plan(spec, 5)
    x, y, labels = examples(spec.dtype)
    weights = plan.sample_weights(labels)
    return registry.load(BACKENDS[name].target)(spec, plan.initial_parameters(), x, y, 2, weights), plan, x, y


TRAINED = [name for name, entry in BACKENDS.items() if entry.needs in ("scipy", "tensorflow")]


@pytest.fixture(params=TRAINED)
def name(request):
    return request.param


@pytest.mark.parametrize(("dtype", "options"), [("float32", {}), ("float64", CASES["dropout and weights"])], ids=str)
def test_starts_from_the_plan_and_consumes_its_batches(name, dtype, options):
    spec = spec_of(dtype=dtype, **options)
    backend, plan, x, y = made(name, spec)
    weights = plan.sample_weights(examples(dtype)[2])
    assert parameters_fingerprint(backend.parameters()) == parameters_fingerprint(plan.initial_parameters())
    for epoch in (1, 2):
        order, masks = plan.order(epoch, EXAMPLES), plan.dropout_masks(epoch, EXAMPLES)
        backend.train_epoch(order, masks)
        expected = batches_fingerprint(batches(x, y, order, BATCH_SIZE, weights, masks))
        assert batches_fingerprint(backend.batches(order, masks)) == expected
    assert backend.predict(x).dtype == dtype
    assert backend.predict(x).shape == (EXAMPLES, 4)
    assert isinstance(backend.notes(), dict)


def assert_same_training(name, spec, epochs):
    (backend, plan, x, _), (ours, *_) = made(name, spec), made("scratchnet", spec)
    for epoch in range(1, epochs + 1):
        order, masks = plan.order(epoch, EXAMPLES), plan.dropout_masks(epoch, EXAMPLES)
        backend.train_epoch(order, masks)
        ours.train_epoch(order, masks)
        assert backend.epoch_cost() == pytest.approx(ours.epoch_cost(), rel=1e-12)
    for theirs, mine in zip(backend.parameters(), ours.parameters(), strict=True):
        np.testing.assert_allclose(theirs[0], mine[0], rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(theirs[1], mine[1], rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(backend.predict(x), ours.predict(x), rtol=1e-10)


@pytest.mark.parametrize(("name", "case"), some(product(TRAINED, CASES), 18))
def test_costs_and_parameters_equal_those_of_scratchnet(name, case):
    assert_same_training(name, case_spec(case), epochs=3)


@pytest.mark.parametrize("case", CASES_OF_ONE_BACKEND)
def test_what_keras_builds_equals_what_scratchnet_builds(case):
    assert_same_training("tf-graph", case_spec(case), epochs=2)


@pytest.mark.parametrize("batch_size", [1, 100], ids=["single", "larger than the data"])
def test_batches_of_any_size(name, batch_size):
    assert_same_training(name, spec_of(batch_size=batch_size), epochs=1)


NOTES = {
    "keras-fit": {"steps_per_execution": 1, "jit_compile": False},
    "keras-fit-tuned": {"steps_per_execution": 7, "jit_compile": False},
    "tf-graph": {"jit_compile": False},
    "tf-xla": {"jit_compile": True},
}


@pytest.mark.parametrize("name", NOTES)
def test_a_backend_of_tensorflow_has_no_cost_before_an_epoch_and_notes_what_it_chose(name):
    backend, *_ = made(name, spec_of())
    assert math.isnan(backend.epoch_cost())
    assert backend.notes() == {"threads_in_an_operation": 2, "operations_at_once": 1, **NOTES[name]}


def test_parameters_can_be_put_back(name):
    backend, plan, *_ = made(name, spec_of())
    backend.train_epoch(plan.order(1, EXAMPLES))
    backend.set_parameters(plan.initial_parameters())
    assert parameters_fingerprint(backend.parameters()) == parameters_fingerprint(plan.initial_parameters())
