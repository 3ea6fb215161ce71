"""Runs the measurements in fresh processes: epochs in two environments, two BLAS pools, a load of all cores."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.core.child_process import last_words, run_python
from bench.core.environment import FORCING_VARIABLES, worker_environment
from bench.core.errors import UnusableError
from bench.doctor.finding import Ratio

Environment = Mapping[str, str]

PAIRS = 4
TIME_LIMIT_SECONDS = 60


class MeasurementError(UnusableError):
    """A measuring process gave no figures: the message says why."""


@dataclass(frozen=True)
class Epochs:
    """Seconds of an epoch of each cell, and the libraries that computed it."""

    seconds: Mapping[str, float]
    libraries: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Load:
    """Seconds of a product: on one core before (`first`) and after (`last`) a load of all cores, and during it."""

    first: float
    last: float
    low: float
    high: float
    mean: float

    @property
    def drift(self) -> float:
        """How many times as long the product takes after the load."""
        return self.last / self.first

    @property
    def spread(self) -> float:
        """How far the slow tenth of the products is from the fast tenth."""
        return self.high / self.low

    @property
    def delay(self) -> float:
        """How many times as long the products took as if all were like the fast tenth."""
        return self.mean / self.low


def plain_environment(threads: int) -> dict[str, str]:
    """A worker's environment in which no variable forces a library to anything."""
    return {name: value for name, value in worker_environment(threads).items() if name not in FORCING_VARIABLES}


def epochs(environment: Environment) -> Epochs:
    """Epochs of each cell in that environment.

    Raises MeasurementError: where a process that trains under it fails.
    """
    found = _child("epochs", environment)
    return Epochs(found["seconds"], tuple(found["libraries"]))


def compare(environment: Environment, other: Environment) -> dict[str, Ratio]:
    """For each cell, how many times as long an epoch takes in `environment` as in `other`: fresh processes, in pairs.

    Raises MeasurementError: where a process that trains under one of them fails.
    """
    pairs = []
    for number in range(PAIRS):  # ABBA: a machine that grows slower all the while favours neither side
        sides = (environment, other)[:: -1 if number % 2 else 1]
        pairs.append([epochs(side).seconds for side in sides][:: -1 if number % 2 else 1])
    return {cell: Ratio(tuple(mine[cell] / theirs[cell] for mine, theirs in pairs)) for cell in pairs[0][0]}


def pools(environment: Environment) -> Ratio:
    """How many times as long products take that alternate between NumPy's and SciPy's BLAS.

    Raises MeasurementError: where the process fails.
    """
    return Ratio(tuple(_child("pools", environment)["ratios"]))


def load(environment: Environment) -> Load:
    """Two seconds of products on all cores.

    Raises MeasurementError: where the process fails.
    """
    return Load(**_child("load", environment))


def _child(name: str, environment: Environment) -> dict[str, Any]:
    try:
        finished = run_python("bench.doctor.child", name, environment=environment, seconds=TIME_LIMIT_SECONDS)
        if finished.returncode:
            raise MeasurementError(f"measuring {name} failed: {last_words(finished)}")
        found: dict[str, Any] = json.loads(finished.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        raise MeasurementError(f"measuring {name} gave no figures within {TIME_LIMIT_SECONDS} s") from None
    return found
