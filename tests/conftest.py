"""Tests that run beside each other on one machine: in how many processes, and what those that they start inherit."""

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

from bench.core.environment import usable_cores

MOST_PROCESSES = 4
"""Of pytest: each holds TensorFlow or PyTorch."""


# How long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("beside each other", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("beside each other")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means; pytest-xdist itself would count the cores of the machine, not those that may be used."""
    return min(usable_cores(), MOST_PROCESSES)


def pytest_configure() -> None:
    # A pytest that a test starts is no worker of pytest-xdist, for which pytest-benchmark would take it.
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST_WORKER")]:
        del os.environ[name]


def pytest_collection_finish() -> None:
    # Tests and libraries stay to the end: looked through at each collection of garbage, they cost a tenth of a second.
    gc.freeze()
