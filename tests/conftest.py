"""Tests that run beside each other on one machine: in how many processes, and what those that they start inherit."""

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from covering import ALL
from filelock import FileLock
from hypothesis import HealthCheck, settings

from bench.core.environment import usable_cores

MOST_PROCESSES = 4
"""Of pytest: each holds TensorFlow or PyTorch."""
TENSORFLOW_THREADS = 2
"""TensorFlow takes one number for the life of a process: it is the same wherever a test computes with it."""


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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [] if ALL else [item for item in items if item.get_closest_marker("weekly")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("weekly")]


def pytest_collection_finish() -> None:
    # Tests and libraries stay to the end: looked through at each collection of garbage, they cost a tenth of a second.
    gc.freeze()


@pytest.fixture(scope="session")
def tensorflow() -> Any:
    """TensorFlow; the test is skipped where it is not installed."""
    tf = pytest.importorskip("tensorflow")
    tf.config.threading.set_intra_op_parallelism_threads(TENSORFLOW_THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return tf


@pytest.fixture(scope="session")
def made_once(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A function of a name and of a function that fills a folder: the folder, filled once for all pytest's processes.

    Who changes it, changes it for all: a test that must do so copies it first.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if hasattr(request.config, "workerinput") else base) / "shared"
    shared.mkdir(exist_ok=True)

    def made(name: str, fill: Callable[[Path], object]) -> Path:
        folder, whole = shared / name, shared / f"{name}.whole"
        with FileLock(shared / f"{name}.lock"):
            if not whole.exists():
                folder.mkdir()  # where it could not be filled before, this fails for all
                fill(folder)
                whole.touch()
        return folder

    return made
