"""The plugin for pytest: `assert_equivalent` and `gradient_check` as fixtures, without an import."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(name="assert_equivalent", scope="session")
def equivalent() -> Callable[..., None]:
    """`assert_equivalent(network, spec)` fails with the report where the network makes a mistake."""
    from bench.locate import testing  # here: a test run that does not ask for it must not pay for it

    return testing.assert_equivalent


@pytest.fixture(name="gradient_check", scope="session")
def checked() -> Callable[..., dict[str, Any]]:
    """`gradient_check(network, spec)` returns a ratio for each tensor, and fails where one is too large."""
    from bench.locate import testing

    return testing.gradient_check
