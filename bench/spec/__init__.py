"""A suite: what is trained, on what, and how. Frozen, validated models, from a TOML file or from Python."""

from bench.spec.data import DATA_SOURCE_PATTERN, Color, DataSpec, Task
from bench.spec.networks import mnist_network
from bench.spec.suite import (
    LARGEST_SEED,
    MOST_EPOCHS,
    MOST_SEEDS,
    OUTPUT_ACTIVATIONS,
    ArchitectureSpec,
    Dtype,
    EarlyStoppingSpec,
    LayerSpec,
    RegularizationSpec,
    Suite,
    TrainingSpec,
    load_suite,
    shipped_suites,
    suite_of,
    suite_schema,
)

__all__ = [
    "DATA_SOURCE_PATTERN",
    "LARGEST_SEED",
    "MOST_EPOCHS",
    "MOST_SEEDS",
    "OUTPUT_ACTIVATIONS",
    "ArchitectureSpec",
    "Color",
    "DataSpec",
    "Dtype",
    "EarlyStoppingSpec",
    "LayerSpec",
    "RegularizationSpec",
    "Suite",
    "Task",
    "TrainingSpec",
    "load_suite",
    "mnist_network",
    "shipped_suites",
    "suite_of",
    "suite_schema",
]
