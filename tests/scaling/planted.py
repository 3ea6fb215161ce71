"""Records of runs and workers that never were: planted costs, so that no test depends on a clock."""

import os

from bench.scaling.points import point, values_of
from bench.scaling.records import AccuracyRecord, MemmapRecord, RateRecord, ScalingRecords, ScalingRunRecord
from bench.scaling.tables import PRODUCTS
from bench.scaling.turns import record_of

CORES = 2
FACTORS = {
    "scratchnet": 1.0,
    "keras-fit": 9.0,
    "keras-fit-tuned": 6.0,
    "tf-graph": 2.2,
    "tf-xla": 1.3,
    "jax-scan": 1.1,
    "torch-eager": 3.0,
    "torch-compile": 2.6,
    "sklearn": 4.5,
    PRODUCTS: 0.8,
}


def run_record(parts=("width",), backends=("scratchnet",), quick=False):
    return ScalingRunRecord(
        quick=quick, parts=parts, backends=backends, cores=CORES, started="2025-01-01T00:00:00+00:00", environment={}
    )


def point_record(axis, value, backend="scratchnet", seconds=0.5, memory=200_000_000, **changes):
    measured = {
        "status": "ok",
        "warm_up_seconds": 2 * seconds,
        "epoch_seconds": (0.9 * seconds, seconds, 1.5 * seconds),
        "peak_memory_bytes": memory,
    }
    return record_of(point(axis, value, CORES), backend, **{**measured, **changes})


def growing(axis, exponent, backends=FACTORS, overhead=0.0):
    """Points of an axis at which a backend's seconds are its factor times value ** exponent, and overhead."""
    return [
        point_record(axis, value, name, factor * (1e-4 * value**exponent + overhead), int(1e8 * factor) + 1000 * value)
        for value in values_of(axis, False, CORES)
        for name, factor in dict(backends).items()
    ]


def rate(threads=CORES, dtype="float32", operations_per_second=1e11):
    return RateRecord(threads=threads, dtype=dtype, operations_per_second=operations_per_second)


def records(*others, parts=("width",), backends=("scratchnet",), quick=False):
    return ScalingRecords([run_record(parts, backends, quick), *others])


def race(backend, accuracies, seed=0, seconds=1.0, network="784-128-10 M=32", **changes):
    """A race whose first epoch takes 3 s more than the others."""
    epochs = [seconds + 3.0 * (number == 0) for number in range(len(accuracies))]
    facts = {"network": network, "seed": seed, "backend": backend, "status": "ok", "startup_seconds": 2.0}
    return AccuracyRecord.model_validate({**facts, "epoch_seconds": epochs, "test_accuracies": accuracies, **changes})


def memmap(way="memory-mapped", **changes):
    facts = {
        "way": way,
        "examples": 1000,
        "file_bytes": 3_136_128,
        "ready_seconds": 0.1,
        "first_epoch_seconds": 0.4,
        "epoch_seconds": (0.1, 0.2, 0.4),
        "own_memory_bytes": 50_000_000,
        "peak_memory_bytes": 90_000_000,
    }
    return MemmapRecord.model_validate({**facts, **changes})


class Workers:
    """Workers that answer at once. `trained` lists (backend, epoch) as asked; `lost` holds (backend, epoch) → error."""

    def __init__(self):
        self.trained, self.closed, self.lost, self.seconds = [], [], {}, {}
        self.accuracies, self.cost = [0.9, 0.96, 0.975, 0.985], 1.0

    def process(self, job, log_path, limit):
        """Stands in for `WorkerProcess`."""
        return _Worker(self, job.target)


class _Worker:
    def __init__(self, state, name):
        self._state, self._name = state, name

    def ready(self):
        return self._answer(0, {})

    def time(self, epoch):
        self._state.trained.append((self._name, epoch))
        seconds = self._state.seconds.get(self._name, 0.5)
        return self._answer(epoch, {"epoch_seconds": seconds, "train_cost": self._state.cost})

    def train(self, epoch):
        accuracies = self._state.accuracies
        return {**self.time(epoch), "test_accuracy": accuracies[min(epoch, len(accuracies)) - 1]}

    def finish(self):
        return {"peak_memory_bytes": 10**8}

    def close(self):
        self._state.closed.append(self._name)

    def _answer(self, epoch, answer):
        if error := self._state.lost.get((self._name, epoch)):
            raise error
        return answer


def dies(*_):
    """A task that its process does not survive."""
    os._exit(3)
