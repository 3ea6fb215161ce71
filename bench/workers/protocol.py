"""The messages to a worker: a job, requests, then `FINISH`, the next job or None. It answers with plain dicts."""

from dataclasses import dataclass
from pathlib import Path

from bench.spec import TrainingSpec


@dataclass(frozen=True)
class Job:
    """What a worker is for, until the next. `target` is `module:Class`, so that a worker needs no registry."""

    target: str
    packages: tuple[str, ...]
    spec: TrainingSpec
    seed: int
    data_folder: Path
    threads: int


@dataclass(frozen=True)
class Request:
    """A method of `bench.workers.worker.Trainer`, and the epoch that it is about, from 1."""

    method: str
    epoch: int = 0


FINISH = Request("final")
