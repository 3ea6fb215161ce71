"""Keras in the float type that a test asks for, put back afterwards."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest


@contextmanager
def _float_type(keras: Any, dtype: str) -> Iterator[Any]:
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    yield keras
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


@pytest.fixture
def keras_in(tensorflow: Any) -> Iterator[Callable[[str], Any]]:
    """A function of "float32" or "float64" that gives Keras in that float type until the test ends."""
    keras = pytest.importorskip("keras")
    with ExitStack() as stack:
        yield lambda dtype: stack.enter_context(_float_type(keras, dtype))


@pytest.fixture
def keras(keras_in: Callable[[str], Any]) -> Any:
    """Keras in float64."""
    return keras_in("float64")
