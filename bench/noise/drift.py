"""Trains one epoch in several ways from one plan and measures how far each drifts from the reference.

Each way has its own process, because a thread budget applies to a whole process.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.backends import registry
from bench.core.progress import Progress
from bench.data import load_dataset
from bench.inputs.plan import Floats, Plan, flat
from bench.inputs.splits import Inputs
from bench.spec import TrainingSpec, mnist_network
from bench.workers.pool import fresh_processes
from scratchnet import metrics


class Way(NamedTuple):
    """A backend with a thread budget."""

    backend: str
    threads: int

    def __str__(self) -> str:
        return f"{self.backend}, {self.threads} thread{'s' * (self.threads > 1)}"


REFERENCE = Way("tf-graph", 2)
KERAS = (Way("tf-graph", 1), Way("tf-xla", 2), Way("tf-xla", 1))
SCRATCHNET = (Way("scratchnet", 2), Way("scratchnet", 1))


class Trained(NamedTuple):
    """One epoch: the cost of each step before its update, the parameters after it, the test accuracy."""

    step_costs: Floats
    parameters: Floats
    test_accuracy: float


class Drift(NamedTuple):
    """How far one way has drifted: relative difference of each step's cost, and of the parameters after the epoch."""

    activation: str
    way: Way
    seed: int
    differences: NDArray[np.float64]
    parameters: float
    test_accuracy: float


def spec_of(activation: str, examples: int, dtype: str = "float32") -> TrainingSpec:
    """784-128-10, plain SGD, batches of 32: the epoch in which drift is looked at."""
    return mnist_network(
        (128,),
        32,
        activation=activation,
        optimizer={"learning_rate": 0.1},
        dtype=dtype,
        data={"source": "mnist", "train_examples": examples},
    )


def drifts(
    activations: Sequence[str], seeds: Sequence[int], examples: int, log: Path, progress: Progress
) -> list[Drift]:
    """The drift of every way but the reference, for each activation and seed."""
    trained = {}
    ways = (REFERENCE, *KERAS, *SCRATCHNET)
    progress.expect(len(ways))
    for way in ways:
        progress.stage(f"training: {way}")
        with fresh_processes(1, way.threads, log) as pool:
            trained[way] = pool.submit(train, way, activations, seeds, examples).result()
        progress.done()
    reference = trained.pop(REFERENCE)
    return [
        _drift(activation, way, seed, epochs[activation, seed], reference[activation, seed])
        for activation in activations
        for way, epochs in trained.items()
        for seed in seeds
    ]


def train(
    way: Way, activations: Sequence[str], seeds: Sequence[int], examples: int, dtype: str = "float32"
) -> dict[tuple[str, int], Trained]:
    """One epoch for each activation and seed, in this process."""
    trained = {}
    for activation in activations:
        spec = spec_of(activation, examples, dtype)
        inputs = Inputs(load_dataset(spec.data), spec)
        for seed in seeds:
            trained[activation, seed] = _epoch(way, Plan(spec, seed), inputs)
    return trained


def _epoch(way: Way, plan: Plan, inputs: Inputs) -> Trained:
    kind: Any = registry.load(registry.entry(way.backend).target)
    made = kind(plan.spec, plan.initial_parameters(), inputs.train.x, inputs.train_targets, way.threads)
    made.train_epoch(plan.order(1, len(inputs.train.labels)))
    predicted = metrics.predicted_classes(made.predict(inputs.test.x))
    return Trained(made.step_costs, flat(made.parameters()), metrics.accuracy(predicted, inputs.test.labels))


def _drift(activation: str, way: Way, seed: int, trained: Trained, reference: Trained) -> Drift:
    costs, expected = trained.step_costs.astype(np.float64), reference.step_costs.astype(np.float64)
    moved = trained.parameters.astype(np.float64) - reference.parameters
    distance = float(np.linalg.norm(moved) / np.linalg.norm(reference.parameters))
    return Drift(activation, way, seed, np.abs(costs - expected) / expected, distance, trained.test_accuracy)
