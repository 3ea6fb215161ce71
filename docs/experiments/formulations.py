"""What one example's gradient costs in each of the three formulations, beside that of a batch.

Feeds the table "The three formulations" of docs/speed.md with docs/experiments/results/formulations.json. Run it as
`env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python docs/experiments/formulations.py`, about a minute.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from scratchnet import Dense, Network
from scratchnet.formulations import scalar, vector

RESULTS = Path(__file__).parent / "results" / "formulations.json"
HIDDEN = {"784-30-10": (30,), "784-128-10": (128,), "784-512-512-10": (512, 512)}
ROUNDS, FEW, MANY = 9, 2, 512
Gradient = Callable[[], Any]


def ways(hidden: tuple[int, ...]) -> dict[str, tuple[Gradient, int]]:
    """Each formulation's gradient of float64 examples, and of how many; all have been shown to be equal."""
    layers = [*(Dense(units, "relu") for units in hidden), Dense(10, "softmax")]
    network, rng = Network(784, layers, dtype="float64"), np.random.default_rng(0)
    X, Y = rng.random((MANY, 784)), np.eye(10)[rng.integers(0, 10, MANY)]
    few = X[:FEW], Y[:FEW]
    return {
        "scalar": (lambda: scalar.gradients(network, *few), FEW),
        "vector": (lambda: vector.gradients(network, *few), FEW),
        "batch of 1": (lambda: network.gradient(X[:1], Y[:1]), 1),
        f"batch of {MANY}": (lambda: network.gradient(X, Y), MANY),
    }


def microseconds(gradient: Gradient, examples: int) -> float:
    """Of one example."""
    start = perf_counter()
    gradient()
    return (perf_counter() - start) * 1e6 / examples


def measured(hidden: tuple[int, ...]) -> dict[str, dict[str, float]]:
    """Medians over the rounds, all formulations in turns of random order, after a call of each."""
    every, seen = ways(hidden), {name: list[float]() for name in ways(hidden)}
    for number in range(ROUNDS + 1):
        for name in random.sample(list(every), len(every)):
            value = microseconds(*every[name])
            if number:
                seen[name].append(value)
    return {name: {"median": median(v), "least": min(v), "most": max(v)} for name, v in seen.items()}


def main() -> None:
    found = {name: measured(hidden) for name, hidden in HIDDEN.items()}
    RESULTS.write_text(json.dumps({"microseconds": found}, indent=1) + "\n", encoding="utf-8")
    for name, row in found.items():
        print(name, {way: f"{value['median']:,.0f}" for way, value in row.items()})


if __name__ == "__main__":
    main()
