"""Each way that TensorFlow trains gives the costs and parameters of the formulas derived by hand.

Fed by `hand_derived`; two epochs each, so that what an optimizer keeps between epochs counts too.
"""

from typing import Any

import numpy as np
import pytest
from hand_derived import OUTPUTS, HandDerived

from bench.inputs.plan import Plan

BACKENDS = ("keras-fit", "keras-fit-tuned", "tf-graph", "tf-xla")


def train_both(backend: Any, spec: Any, x: Any, y: Any) -> tuple[list[float], list[float], Any, Any]:
    """Costs of the backend and by hand, then W1, b1, W2, b2 of the backend and by hand."""
    plan = Plan(spec, 0)
    by_hand = HandDerived(spec, plan.initial_parameters())
    costs, expected = [], []
    for epoch in (1, 2):
        order = plan.order(epoch, len(x))
        backend.train_epoch(order)
        costs.append(backend.epoch_cost())
        expected.append(by_hand.train_epoch(x.astype(np.float64), y.astype(np.float64), order))
    return costs, expected, [array for layer in backend.parameters() for array in layer], by_hand.theta


def assert_equal(trained: Any, tolerance: float) -> None:
    costs, expected_costs, parameters, expected_parameters = trained
    np.testing.assert_allclose(costs, expected_costs, rtol=tolerance)
    for array, expected in zip(parameters, expected_parameters, strict=True):
        # relative to the largest: a weight near zero has the rounding errors of its neighbours
        np.testing.assert_allclose(array, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("l2", [0.0, 1e-3])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("loss", OUTPUTS)
@pytest.mark.parametrize("name", BACKENDS)
def test_float64_equals_hand_derivation(
    name: str, loss: str, momentum: float, l2: float, make_spec: Any, make_backend: Any, examples: Any
) -> None:
    spec = make_spec(loss, momentum, l2)
    assert_equal(train_both(make_backend(name, spec), spec, *examples("float64")), 1e-12)


@pytest.mark.parametrize("loss", OUTPUTS)
@pytest.mark.parametrize("name", BACKENDS)
def test_float32_equals_hand_derivation(name: str, loss: str, make_spec: Any, make_backend: Any, examples: Any) -> None:
    spec = make_spec(loss, dtype="float32")
    assert_equal(train_both(make_backend(name, spec), spec, *examples("float32")), 1e-5)


@pytest.mark.parametrize("batch_size", [1, 5, 16], ids=["single", "divides", "larger than the set"])
@pytest.mark.parametrize("name", BACKENDS)
def test_batch_sizes(name: str, batch_size: int, make_spec: Any, make_backend: Any, examples: Any) -> None:
    spec = make_spec("categorical_crossentropy", batch_size=batch_size)
    assert_equal(train_both(make_backend(name, spec), spec, *examples("float64")), 1e-12)


def test_comparison_can_fail(make_spec: Any, make_backend: Any, examples: Any) -> None:
    """Keras trains with l2·Σw²; a hand derivation with l2/2 must be told apart."""
    spec = make_spec("categorical_crossentropy", l2=1e-3)
    half = make_spec("categorical_crossentropy", l2=5e-4)
    with pytest.raises(AssertionError, match="Mismatched elements"):
        assert_equal(train_both(make_backend("tf-graph", spec), half, *examples("float64")), 1e-12)
