"""One BLAS thread, a header that says what is not timed, and what a stored file says of machine and packages.

`tox -e speed` alone collects the files bench_*.py; `scratchbench history` reads what they store.
"""

from importlib import metadata
from typing import Any

import pytest
from shapes import header
from threadpoolctl import threadpool_limits

from bench.core import environment
from scratchnet import engine


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """BLAS in this process takes one thread: what is timed is one core's work, and nothing spins beside it."""
    with threadpool_limits(1):
        yield


def pytest_report_header() -> list[str]:
    return header()


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Seconds of steps by NumPy and by Numba, or of other numbers of cores, are not comparable either."""
    machine_info |= {"steps": engine.library(), "usable_cores": environment.usable_cores()}


def pytest_benchmark_update_json(output_json: dict[str, Any]) -> None:
    """Versions of what the step is made of."""
    output_json["packages"] = {name: metadata.version(name) for name in ("scratchnet", "numpy", "scipy")}
