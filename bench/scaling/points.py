"""The points at which cost is measured: one base network, and along each axis one of its sizes changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from bench.spec import TrainingSpec, mnist_network
from bench.spec.networks import CLASSES, FEATURES

BASE: dict[str, Any] = {"width": 128, "depth": 1, "batch_size": 128, "examples": 16_384, "dtype": "float32"}
"""The number of examples is a multiple of every batch size on the axis: no batch is shorter than the others."""
STEPS_OF_SMALL_BATCHES = 2_048
TEST_EXAMPLES = 10
LEARNING_RATE = 0.01
FULL_EPOCH = 60_000
"""MNIST's training examples: seconds are told for so many, whatever number a point trains."""


@dataclass(frozen=True)
class Point:
    """One size of one axis: what is trained, and with how many threads."""

    axis: str
    value: int
    spec: TrainingSpec
    threads: int

    @property
    def examples(self) -> int:
        """Number of training examples."""
        return self.spec.data.train_examples or 0

    @property
    def work(self) -> str:
        """What is measured here, the same for two points of two axes that are one measurement."""
        return f"{self.spec.name}, {self.threads} threads"

    @property
    def number_bytes(self) -> int:
        """Bytes of the numbers that every backend must hold: examples with targets, weights and biases."""
        widths = self.spec.architecture.widths
        parameters = sum((n_in + 1) * n_out for n_in, n_out in pairwise(widths))
        return (self.examples * (widths[0] + widths[-1]) + parameters) * np.dtype(self.spec.dtype).itemsize


@dataclass(frozen=True)
class Axis:
    """One size that is changed: its label, its values from cheap to dear, and what they change in the base network."""

    label: str
    values: tuple[int, ...]
    quick: tuple[int, ...]
    change: Callable[[int], dict[str, Any]]
    tick: Callable[[int], str] = "{:,}".format


def _batch(size: int) -> dict[str, Any]:
    """Fewer examples where a step has few: the number of steps is what then takes the time."""
    return {"batch_size": size, "examples": min(BASE["examples"], STEPS_OF_SMALL_BATCHES * size)}


AXES: dict[str, Axis] = {
    "width": Axis(
        "neurons of the hidden layer",
        (64, 128, 256, 512, 1024, 2048, 4096),
        (128, 512, 2048),
        lambda value: {"width": value},
    ),
    "depth": Axis("hidden layers of 128 neurons", (1, 2, 4, 8, 16, 32), (1, 4, 16), lambda value: {"depth": value}),
    "batch": Axis("batch size M", (8192, 2048, 512, 128, 32, 8, 1), (2048, 128, 8), _batch),
    "examples": Axis(
        "training examples N",
        (1_000, 10_000, 100_000, 1_000_000),
        (1_000, 10_000, 50_000),
        lambda value: {"examples": value},
    ),
    "threads": Axis("threads", (), (), lambda value: {}),
    "dtype": Axis("bits of a number", (32, 64), (32, 64), lambda value: {"dtype": f"float{value}"}, "float{}".format),
}


def spec_of(width: int, depth: int, batch_size: int, examples: int, dtype: str) -> TrainingSpec:
    """So many hidden layers of ReLU; plain SGD at a rate at which no size diverges."""
    shape = f"784-{depth}x{width}-10" if depth >= 4 else "-".join(map(str, (FEATURES, *[width] * depth, CLASSES)))
    return mnist_network(
        [width] * depth,
        batch_size,
        name=f"{shape} M={batch_size} N={examples} {dtype}",
        optimizer={"learning_rate": LEARNING_RATE},
        dtype=dtype,
        data={"source": "mnist", "train_examples": examples, "test_examples": TEST_EXAMPLES},
    )


def points(axes: Sequence[str], quick: bool, cores: int) -> list[Point]:
    """The points of these axes, axis by axis."""
    return [point(axis, value, cores) for axis in axes for value in values_of(axis, quick, cores)]


def point(axis: str, value: int, cores: int) -> Point:
    """The point of that value."""
    spec = spec_of(**BASE | AXES[axis].change(value))
    return Point(axis, value, spec, value if axis == "threads" else cores)


def values_of(axis: str, quick: bool, cores: int) -> tuple[int, ...]:
    """The values of an axis, from cheap to dear."""
    if axis == "threads":
        return tuple(sorted({cores, *(2**power for power in range(cores.bit_length()))}, reverse=True))
    return AXES[axis].quick if quick else AXES[axis].values
