"""All backends at one point: a fresh process each, a warm-up, then timed epochs in turns."""

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.backends.floors import operations
from bench.scaling.memory import fits_together
from bench.scaling.points import AXES, Point
from bench.scaling.records import PointRecord
from bench.workers.client import WorkerClient, job_of
from bench.workers.turns import in_turn

FEWEST_EPOCHS = 3
"""The warm-up and two timed ones."""


@dataclass(frozen=True)
class Timing:
    """How often and how long. Seconds."""

    rounds: int = 6
    """The first is the warm-up."""
    rest: float = 0.2
    enough: float = 8.0
    """A backend whose timed epochs have taken so long takes no further turn, once it has `FEWEST_EPOCHS`."""
    slow: float = 4.0
    """A backend whose epoch takes longer is left out at the dearer points of the axis."""
    limit: float = 300.0
    """A worker without an answer for so long is ended."""


@dataclass(frozen=True)
class Turns:
    """Backends that are measured at one point."""

    point: Point
    data: Path
    logs: Path
    timing: Timing = field(default_factory=Timing)

    def measure(self, names: Sequence[str]) -> list[PointRecord]:
        """One record a backend; where memory does not suffice for all at once, one after another."""
        together = fits_together(self.point, len(names))
        groups = [names] if together else [[name] for name in names]
        records = [record for group in groups for record in self._together(group)]
        return [record.model_copy(update={"together": together}) for record in records]

    def _together(self, names: Sequence[str]) -> Iterator[PointRecord]:
        with ExitStack() as stack:
            clients = [stack.enter_context(self._client(name)) for name in names]
            for client in clients:
                client.ready()
            self._rounds(clients)
            for client in clients:
                client.finish()
                yield self._record(client)

    def _client(self, name: str) -> WorkerClient:
        point = self.point
        job = job_of(name, point.spec, 0, self.data, point.threads)
        return WorkerClient(name, job, self.logs / f"{point.axis}-{point.value}-{name}.log", self.timing.limit)

    def _rounds(self, clients: Sequence[WorkerClient]) -> None:
        order = random.Random(self.point.work)
        for number in range(1, self.timing.rounds + 1):
            left = [client for client in clients if not self._has_enough(client)]
            for client in in_turn(left, order, self.timing.rest):
                client.time(number)

    def _has_enough(self, client: WorkerClient) -> bool:
        seconds = client.seconds
        return len(seconds) >= FEWEST_EPOCHS and sum(seconds[1:]) >= self.timing.enough

    def _record(self, client: WorkerClient) -> PointRecord:
        warm_up, *timed = client.seconds or (None,)
        measured = {
            "warm_up_seconds": warm_up,
            "epoch_seconds": tuple(timed),
            "peak_memory_bytes": client.peak_memory_bytes,
        }
        return record_of(self.point, client.name, **client.outcome, **measured)


def record_of(point: Point, backend: str, **outcome: Any) -> PointRecord:
    """The record of that backend at that point."""
    facts = {
        "axis": point.axis,
        "value": point.value,
        "backend": backend,
        "work": point.work,
        "threads": point.threads,
        "dtype": point.spec.dtype,
        "examples": point.examples,
        "operations": operations(point.spec, point.examples),
        "number_bytes": point.number_bytes,
    }
    return PointRecord.model_validate({**facts, **outcome})


def too_slow(earlier: Sequence[PointRecord], point: Point, backend: str, limit: float) -> str:
    """Why a backend is left out here: what it took at a cheaper point of the axis; empty where it is not."""
    for record in earlier:
        if (record.axis, record.backend) == (point.axis, backend):
            where = f"at {AXES[point.axis].tick(record.value)}"
            if record.status in ("timeout", "killed"):
                return f"left out: {record.reason} {where}"
            if record.epoch_seconds and (seconds := median(record.epoch_seconds)) > limit:
                return f"left out: an epoch took {seconds:.1f} s {where}; limit {limit:g} s"
    return ""
