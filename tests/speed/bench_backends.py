"""A few training steps of each installed backend, through its protocol, each backend in a worker process of its own.

The clock is the worker's, around `train_epoch` alone, as in `scratchbench run`: neither the pipe nor the order of
examples is in it. Each backend has one process, so two backends may differ by that process's luck; `scratchbench speed`
takes many.
"""

from pathlib import Path

import pytest
from shapes import cells

from bench.backends import registry
from bench.core import environment
from bench.data import load_dataset
from bench.spec import DataSpec
from bench.speed.grid import Grid, GridCell
from bench.workers.client import WorkerClient, job_of

STEPS, ROUNDS, SEED = 16, 15, 0
LIMIT_SECONDS = 240.0
INSTALLED = [name for name in registry.BACKENDS if registry.missing(name) is None]


class WorkerClock:
    """A clock that stands still but for the seconds that a worker measured."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Seconds of training so far."""
        return self.now


CLOCK = WorkerClock()


class Trained:
    """A backend's processes: one an architecture, which trains it at one batch size after another."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name, self._folder = name, folder
        self._process: WorkerClient | None = None
        self._architecture = ""

    def begin(self, cell: GridCell) -> None:
        """The model of this cell, built, with an epoch behind it: what compiles has compiled."""
        data = self._folder / str(cell.batch_size)
        if not data.exists():
            data.mkdir()
            load_dataset(DataSpec(train_examples=STEPS * cell.batch_size, test_examples=10)).save(data)
        job = job_of(self._name, Grid().spec(cell), SEED, data, environment.usable_cores())
        if self._process is not None and self._architecture == cell.architecture:
            self._process.next_job(job)
        else:
            self.close()
            log = self._folder / f"{cell.architecture}.log"
            self._process, self._architecture = WorkerClient(self._name, job, log, LIMIT_SECONDS), cell.architecture
            self._process.ready()
        self._epoch = 0
        self.train()

    def train(self) -> None:
        """An epoch; the clock goes on by its seconds."""
        self._epoch += 1
        self._process.time(self._epoch)
        assert self._process.lost is None, self._process.lost
        CLOCK.now += self._process.seconds[-1]

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close()


@pytest.fixture(params=INSTALLED, scope="module")
def trained(request, tmp_path_factory):
    one = Trained(request.param, tmp_path_factory.mktemp(request.param))
    yield one
    one.close()


@pytest.mark.benchmark(timer=CLOCK)
@pytest.mark.parametrize("cell", cells())
def test_steps(benchmark, trained, cell):
    trained.begin(cell)
    benchmark.group = f"{STEPS} steps of {cell}, all backends"
    benchmark.extra_info["threads"] = environment.usable_cores()
    benchmark.pedantic(trained.train, rounds=ROUNDS)
