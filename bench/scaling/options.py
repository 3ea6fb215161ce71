"""What is to be measured: which axes, which backends, how thoroughly."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from bench.backends import registry
from bench.core.errors import UnusableError
from bench.scaling import time_to_accuracy
from bench.scaling.points import AXES, Point, points
from bench.scaling.records import ScalingRunRecord
from bench.scaling.turns import Timing
from bench.spec import TrainingSpec

MEMMAP, ACCURACY = "memmap", "accuracy"
PARTS = (*AXES, MEMMAP, ACCURACY)
QUICK_PEERS = ("jax-scan", "torch-eager", "tf-xla", "sklearn")
"""The first two that are installed: fast ones first, TensorFlow behind them since it takes long to start."""
QUICK_TIMING = Timing(rounds=4, slow=2.0)
MEMMAP_EXAMPLES, QUICK_MEMMAP_EXAMPLES = 200_000, 20_000


@dataclass(frozen=True)
class ScalingOptions:
    """Parts (axes, memmap, accuracy) and backends, and whether few values and rounds are enough."""

    quick: bool
    parts: tuple[str, ...]
    backends: tuple[str, ...]
    cores: int

    @classmethod
    def new(cls, quick: bool, parts: Sequence[str] | None, names: Sequence[str] | None, cores: int) -> Self:
        """With what is left out filled in.

        Raises UnusableError: names the allowed parts or backends.
        """
        parts = tuple(dict.fromkeys(PARTS if parts is None else parts))
        for part in parts:
            if part not in PARTS:
                raise UnusableError(f"axis {part!r} is not known; allowed: {', '.join(PARTS)}")
        default = quick_backends() if quick else tuple(registry.BACKENDS)
        names = tuple(dict.fromkeys(default if names is None else names))
        for name in names:
            registry.entry(name)
        return cls(quick, parts, names, cores)

    @classmethod
    def of_run(cls, run: ScalingRunRecord) -> Self:
        """What that run was asked for."""
        return cls.new(run.quick, run.parts, run.backends, run.cores)

    @property
    def timing(self) -> Timing:
        """How often and how long."""
        return QUICK_TIMING if self.quick else Timing()

    @property
    def points(self) -> list[Point]:
        """The points of all axes."""
        return points([part for part in self.parts if part in AXES], self.quick, self.cores)

    @property
    def memmap_examples(self) -> int | None:
        """Number of examples that are trained from a file; None where that was not asked for."""
        if MEMMAP not in self.parts:
            return None
        return QUICK_MEMMAP_EXAMPLES if self.quick else MEMMAP_EXAMPLES

    @property
    def races(self) -> list[tuple[TrainingSpec, int]]:
        """Network and seed of each training to an accuracy."""
        if ACCURACY not in self.parts:
            return []
        seeds = time_to_accuracy.QUICK_SEEDS if self.quick else time_to_accuracy.SEEDS
        return [(spec, seed) for spec in time_to_accuracy.networks(self.quick) for seed in seeds]


def quick_backends() -> tuple[str, ...]:
    """scratchnet and two fast peers."""
    installed = [name for name in QUICK_PEERS if registry.missing(name) is None]
    return ("scratchnet", *installed[:2])
