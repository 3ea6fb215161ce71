"""How exact a training in float32 is: the cost of each step beside that of the same training by Keras in float64.

784-128-10 for one epoch of MNIST, as in `scratchbench noise`. Feeds docs/parity.md with
docs/experiments/results/float32_error.json. Run it as `PYTHONPATH=. python docs/experiments/float32_error.py`, two
minutes; it needs TensorFlow.
"""

import os
from pathlib import Path
from statistics import median

import numpy as np
from shared import write

from bench.noise.drift import Trained, Way, train
from bench.noise.report import typical
from bench.workers.pool import fresh_processes

WAYS, EXACT = (Way("scratchnet", 1), Way("tf-graph", 1), Way("tf-xla", 1)), Way("tf-graph", 1)
ACTIVATIONS, SEEDS, EXAMPLES = ("relu", "tanh"), range(10), 60_000
Epochs = dict[tuple[str, int], Trained]


def trained(way: Way, dtype: str) -> Epochs:
    """Every activation and seed, in a process of its own."""
    print(f"training: {way}, {dtype}", flush=True)
    with fresh_processes(1, way.threads, Path(os.devnull)) as pool:
        return pool.submit(train, way, ACTIVATIONS, SEEDS, EXAMPLES, dtype).result()


def error(found: Trained, exact: Trained) -> float:
    """Relative error of the cost: geometric mean over the steps."""
    return typical(np.abs(found.step_costs / exact.step_costs.astype(np.float64) - 1))


def main() -> None:
    """Train, compare, write."""
    exact = trained(EXACT, "float64")
    errors = dict[str, dict[str, float]]()
    for way in WAYS:
        found = trained(way, "float32")
        errors[way.backend] = {
            name: median(error(found[name, seed], exact[name, seed]) for seed in SEEDS) for name in ACTIVATIONS
        }
    steps = len(next(iter(exact.values())).step_costs)
    write("float32_error", {"seeds": len(SEEDS), "steps": steps, "errors": errors})


if __name__ == "__main__":
    main()
