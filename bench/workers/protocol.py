"""What is said to a worker.

Fed by whoever started it; a worker answers each message with a plain dict.
"""

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
class Train:
    """Train epoch number `epoch`, counted from 1."""

    epoch: int


@dataclass(frozen=True)
class Time:
    """Train epoch number `epoch` under the clock, and nothing else: no evaluation, no fingerprint."""

    epoch: int


@dataclass(frozen=True)
class Fingerprint:
    """Draw the batches of epoch number `epoch` once more and say their SHA-256."""

    epoch: int


@dataclass(frozen=True)
class Predict:
    """Predict the outputs of the test examples under the clock."""


@dataclass(frozen=True)
class Finish:
    """Report what is left and end."""


Message = Job | Train | Time | Fingerprint | Predict | Finish
