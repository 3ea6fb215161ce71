"""What a worker asks of the four TensorFlow backends besides training.

Fed by tiny specs; the costs and parameters of training are in `test_tf_parity`.
"""

import math
from typing import Any

import numpy as np
import pytest

from bench.inputs.plan import Plan, batches, batches_fingerprint, parameters_fingerprint
from bench.spec import TrainingSpec
from reference_tf.threads import configure, operations_at_once

BACKENDS = ("keras-fit", "keras-fit-tuned", "tf-graph", "tf-xla")
BUDGET = {"threads_in_an_operation": 2, "operations_at_once": 1}
NOTES = {
    "keras-fit": {"steps_per_execution": 1, "jit_compile": False},
    "keras-fit-tuned": {"steps_per_execution": 3, "jit_compile": False},
    "tf-graph": {"jit_compile": False},
    "tf-xla": {"jit_compile": True},
}


@pytest.fixture(params=BACKENDS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_initial_parameters_are_the_plans(name: str, dtype: str, make_spec: Any, make_backend: Any) -> None:
    spec = make_spec("categorical_crossentropy", dtype=dtype)
    planned = parameters_fingerprint(Plan(spec, 0).initial_parameters())
    assert parameters_fingerprint(make_backend(name, spec).parameters()) == planned


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_batches_are_the_plans(name: str, dtype: str, make_spec: Any, make_backend: Any, examples: Any) -> None:
    spec = make_spec("categorical_crossentropy", dtype=dtype)
    x, y = examples(dtype)
    order = Plan(spec, 0).order(1, len(x))
    planned = batches_fingerprint(batches(x, y, order, spec.batch_size))
    assert batches_fingerprint(make_backend(name, spec).batches(order)) == planned


def test_predictions_are_the_outputs(name: str, make_spec: Any, make_backend: Any, examples: Any) -> None:
    spec = make_spec("categorical_crossentropy")
    x, _ = examples("float64")
    (W1, b1), (W2, b2) = Plan(spec, 0).initial_parameters()
    e = np.exp(np.tanh(x @ W1.T + b1) @ W2.T + b2)
    predicted = make_backend(name, spec).predict(x)
    np.testing.assert_allclose(predicted, e / e.sum(axis=1, keepdims=True), rtol=1e-12)


def test_no_cost_before_the_first_epoch(name: str, make_spec: Any, make_backend: Any) -> None:
    assert math.isnan(make_backend(name, make_spec("categorical_crossentropy")).epoch_cost())


def test_notes_say_what_was_chosen(name: str, make_spec: Any, make_backend: Any) -> None:
    assert make_backend(name, make_spec("categorical_crossentropy")).notes() == {**BUDGET, **NOTES[name]}


def test_late_thread_budget_is_refused(make_spec: Any, make_backend: Any) -> None:
    spec = make_spec("categorical_crossentropy")
    make_backend("tf-graph", spec).predict(np.zeros((1, 5)))
    with pytest.raises(RuntimeError, match="cannot be modified after initialization"):
        configure(spec, 3)


@pytest.mark.parametrize(("units", "expected"), [(30, 1), (128, 2)])
def test_large_networks_run_operations_side_by_side(units: int, expected: int) -> None:
    layers = [{"units": units, "activation": "relu"}, {"units": 10, "activation": "softmax"}]
    spec = TrainingSpec(
        architecture={"inputs": 784, "layers": layers},
        loss="categorical_crossentropy",
        optimizer={"learning_rate": 0.1},
        batch_size=32,
        epochs=1,
        seeds=[0],
    )
    assert operations_at_once(spec, threads=2) == expected
