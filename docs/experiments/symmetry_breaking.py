"""What becomes of a layer whose neurons all start alike, and whether it matters that biases start at zero.

784-32-16-10 on real MNIST from zeros, from equal weights and from random ones; feeds docs/derivation/initialization.md
with docs/experiments/results/symmetry_breaking.json. Run it as `python docs/experiments/symmetry_breaking.py`, about
half a minute.
"""

from collections.abc import Callable
from statistics import mean
from typing import Any

import numpy as np
from shared import Array, Digits, experiment, mnist, write

from scratchnet import SGD, Dense, Network

WIDTHS = (784, 32, 16, 10)
EQUAL, BIAS_SIGMA = 0.01, 0.1
LEARNING_RATE, BATCH_SIZE, EPOCHS = 0.1, 32, 3
STEPS_BETWEEN_LOOKS = 25
SEEDS = range(3)


def _zeros(network: Network, seed: int) -> None:
    network.parameters.vector[...] = 0.0


def _equal(network: Network, seed: int) -> None:
    for W in network.parameters.weights:
        W[...] = EQUAL


def _random(network: Network, seed: int) -> None:
    """As they are drawn: Glorot's weights, biases of 0."""


def _random_biases(network: Network, seed: int) -> None:
    rng = np.random.default_rng([seed, 1])
    for b in network.parameters.biases:
        b[...] = rng.normal(0.0, BIAS_SIGMA, b.shape)


def _equal_random_biases(network: Network, seed: int) -> None:
    _equal(network, seed)
    _random_biases(network, seed)


STARTS: dict[str, Callable[[Network, int], None]] = {
    "zeros": _zeros,
    "equal": _equal,
    "equal, random biases": _equal_random_biases,
    "random": _random,
    "random, random biases": _random_biases,
}


def largest_row_difference(W: Array) -> float:
    """Largest difference between two rows, that is, between the same weight of two neurons."""
    return float(np.max(np.ptp(W, axis=0)))


def train(activation: str, start: str, seed: int, digits: Digits, test: Digits) -> tuple[float, int, float]:
    """Train, and look at W[1] every 25 steps: its rows' largest difference ever, its rank in the end, the accuracy."""
    layers = [*(Dense(units, activation) for units in WIDTHS[1:-1]), Dense(WIDTHS[-1], "softmax")]
    network = Network(WIDTHS[0], layers, optimizer=SGD(LEARNING_RATE), seed=seed)
    STARTS[start](network, seed)
    examples, rng, W = network.prepare(*digits), np.random.default_rng(seed), network.parameters.weights[0]
    difference, block = largest_row_difference(W), STEPS_BETWEEN_LOOKS * BATCH_SIZE
    for _ in range(EPOCHS):
        order = rng.permutation(len(examples))
        for place in range(0, len(order), block):
            network.train_epoch(examples, order[place : place + block], BATCH_SIZE)
            difference = max(difference, largest_row_difference(W))
    return difference, int(np.linalg.matrix_rank(W)), network.evaluate(*test)["accuracy"]


def measure(activation: str, start: str, digits: Digits, test: Digits) -> dict[str, Any]:
    """All seeds together: the largest difference of any, the ranks that occurred, the mean accuracy."""
    differences, ranks, accuracies = zip(*(train(activation, start, seed, digits, test) for seed in SEEDS), strict=True)
    result = {
        "activation": activation,
        "start": start,
        "largest_row_difference": max(differences),
        "ranks": sorted(set(ranks)),
        "accuracies": accuracies,
        "accuracy": mean(accuracies),
    }
    print(result, flush=True)
    return result


def main() -> None:
    with experiment():
        digits, test = mnist()
        results = [measure(f, start, digits, test) for f in ("sigmoid", "tanh", "relu") for start in STARTS]
        settings = {
            "widths": WIDTHS,
            "seeds": len(SEEDS),
            "equal": EQUAL,
            "bias_sigma": BIAS_SIGMA,
            "learning_rate": LEARNING_RATE,
            "batch_size": BATCH_SIZE,
            "epochs": EPOCHS,
            "steps_between_looks": STEPS_BETWEEN_LOOKS,
            "most_frequent_class": float(np.bincount(test.labels).max() / len(test.labels)),
        }
        write("symmetry_breaking", {"settings": settings, "results": results})


if __name__ == "__main__":
    main()
