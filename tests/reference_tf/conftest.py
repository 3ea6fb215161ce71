"""Specs, data and backends small enough to train in a fraction of a second.

Fed by nothing but a seed; Keras's float type is put back after each test, since `build_model` sets it for the process.
"""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
from hand_derived import OUTPUTS

from bench.backends import registry
from bench.inputs.plan import Plan
from bench.spec import TrainingSpec

INPUTS, HIDDEN, CLASSES, EXAMPLES, THREADS = 5, 4, 3, 10, 2


@pytest.fixture(autouse=True)
def float_type() -> Iterator[None]:
    """Keras's float type, put back."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


@pytest.fixture
def make_spec() -> Callable[..., TrainingSpec]:
    """A function of the loss that makes a spec; M = 4 leaves a last batch of 2 of the 10 examples."""

    def make(loss: str, momentum: float = 0.9, l2: float = 1e-3, batch_size: int = 4, dtype: str = "float64") -> Any:
        layers = [
            {"units": HIDDEN, "activation": "tanh"},
            {"units": CLASSES, "activation": OUTPUTS[loss].name},
        ]
        return TrainingSpec(
            architecture={"inputs": INPUTS, "layers": layers},
            loss=loss,
            optimizer={"learning_rate": 0.3, "momentum": momentum},
            regularization={"l2": l2},
            dtype=dtype,
            batch_size=batch_size,
            epochs=2,
            seeds=[0],
        )

    return make


@pytest.fixture
def examples() -> Callable[[str], tuple[Any, Any]]:
    """A function of the float type: x (N, n_0) and one-hot y (N, n_L)."""

    def make(dtype: str) -> tuple[Any, Any]:
        rng = np.random.default_rng(7)
        x = rng.normal(size=(EXAMPLES, INPUTS)).astype(dtype)
        return x, np.eye(CLASSES, dtype=dtype)[rng.integers(0, CLASSES, EXAMPLES)]

    return make


@pytest.fixture
def make_backend(examples: Any) -> Callable[[str, TrainingSpec], registry.Backend]:
    """A function of a backend's name and a spec."""

    def make(name: str, spec: TrainingSpec) -> registry.Backend:
        backend = registry.load(registry.entry(name).target)
        return backend(spec, Plan(spec, 0).initial_parameters(), *examples(spec.dtype), THREADS)

    return make
