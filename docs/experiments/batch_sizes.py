"""Batch, mini-batch and stochastic gradient descent on real MNIST: cost against work, and the gradient's variance.

Fed by the shipped MNIST; feeds docs/derivation/gradient-descent.md with docs/images/batch-sizes.svg and the numbers in
docs/experiments/results/batch_sizes.json. Run it as `python docs/experiments/batch_sizes.py`, about two minutes.
"""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bench.data.mnist import load_mnist
from bench.report.style import BLACK, BLUE, GREEN, GREY, VERMILLION, plot_settings
from scratchnet import SGD, Dense, Network

DOCS = Path(__file__).parents[1]
EXAMPLES = 10_240
LEARNING_RATE = 0.1
EPOCHS, STEPS = 16, 2_000
"""Each batch size trains until it has done both."""
BATCH_SIZES = {EXAMPLES: (GREY, 6.0), 512: (BLUE, 3.2), 32: (GREEN, 1.6), 1: (VERMILLION, 1.2)}
"""Colour and width of each curve: where they coincide, the thinner lies on top."""
VARIANCE_SIZES = [2**k for k in range(11)]
DRAWS = 200

Array = NDArray[np.floating[Any]]


def network() -> Network:
    """784-30-10 with the same initial weights each time."""
    layers = [Dense(30, "sigmoid"), Dense(10, "softmax")]
    return Network(784, layers, optimizer=SGD(LEARNING_RATE), dtype="float64", seed=1)


def checkpoints(last: int) -> list[int]:
    """Steps at which the cost is looked at: about eight in each power of ten."""
    return sorted({0, last, *(round(10 ** (k / 8)) for k in range(1 + int(8 * np.log10(last))))})


def train(X: Array, y: NDArray[Any], batch_size: int) -> dict[str, list[float]]:
    """Steps done and the cost of all examples after them, in a new order each epoch."""
    model, rng = network(), np.random.default_rng(2)
    examples = model.prepare(X, y)
    steps_an_epoch = len(X) // batch_size
    steps = checkpoints(max(EPOCHS * steps_an_epoch, STEPS))
    epochs = -(-steps[-1] // steps_an_epoch)
    order = np.concatenate([rng.permutation(len(X)) for _ in range(epochs)])
    costs = [model.cost(X, y)]
    for start, stop in pairwise(steps):
        model.train_epoch(examples, order[start * batch_size : stop * batch_size], batch_size)
        costs.append(model.cost(X, y))
    print(f"M = {batch_size}: {steps[-1]} steps, cost {costs[-1]:.4f}", flush=True)
    return {"steps": [float(step) for step in steps], "cost": costs}


def cost_after(curve: dict[str, list[float]], steps: float) -> float:
    """The cost after so many steps, between two checkpoints on a straight line over the logarithm."""
    return float(np.interp(np.log1p(steps), np.log1p(curve["steps"]), curve["cost"]))


def variances(X: Array, y: NDArray[Any]) -> dict[str, Any]:
    """E‖g_M − g‖² at the initial weights, batches drawn without replacement, measured and predicted."""
    model, rng = network(), np.random.default_rng(3)
    gradient = model.gradient(X, y)
    single = np.mean([np.sum((model.gradient(X[m : m + 1], y[m : m + 1]) - gradient) ** 2) for m in range(len(X))])
    measured, means = [], []
    for size in VARIANCE_SIZES:
        total, squares = np.zeros_like(gradient), []
        for _ in range(DRAWS):
            chosen = rng.choice(len(X), size, replace=False)
            deviation = model.gradient(X[chosen], y[chosen]) - gradient
            total += deviation
            squares.append(float(np.sum(deviation**2)))
        measured.append(float(np.mean(squares)))
        means.append(float(np.linalg.norm(total / DRAWS) / np.sqrt(np.mean(squares) / DRAWS)))
        print(f"M = {size}: variance {measured[-1]:.3e}", flush=True)
    predicted = [float(single / size * (len(X) - size) / (len(X) - 1)) for size in VARIANCE_SIZES]
    exponent = np.polyfit(np.log(VARIANCE_SIZES), np.log(measured), 1)[0]
    return {
        "batch_size": VARIANCE_SIZES,
        "measured": measured,
        "predicted": predicted,
        "exponent": float(exponent),
        "exponent_of_prediction": float(np.polyfit(np.log(VARIANCE_SIZES), np.log(predicted), 1)[0]),
        "largest_ratio_error": float(np.max(np.abs(np.array(measured) / predicted - 1))),
        "squared_norm_of_gradient": float(np.sum(gradient**2)),
        "bias_in_standard_errors": means,
    }


def draw(curves: dict[int, dict[str, list[float]]], variance: dict[str, Any]) -> Figure:
    """Three panels: cost against examples, cost against steps, variance against M."""
    figure = Figure(figsize=(12, 3.9), layout="constrained")
    by_examples, by_steps, by_size = figure.subplots(1, 3)
    for size, (color, width) in BATCH_SIZES.items():
        steps, name = np.array(curves[size]["steps"][1:]), f"M = N = {size:,}" if size == EXAMPLES else f"M = {size}"
        for axes, work in ((by_examples, steps * size / EXAMPLES), (by_steps, steps)):
            axes.plot(work, curves[size]["cost"][1:], color=color, label=name, linewidth=width)
    by_examples.set_xlim(1e-3, EPOCHS)
    by_steps.set_xlim(1, STEPS)
    _describe(by_examples, "examples seen, in epochs", "the same work", "cost of all examples")
    _describe(by_steps, "steps", "the same number of steps")
    by_examples.legend(frameon=False, reverse=True)
    by_size.loglog(variance["batch_size"], variance["predicted"], color=BLACK, linewidth=1.0, label="predicted")
    by_size.loglog(variance["batch_size"], variance["measured"], "o", color=BLUE, label=f"measured, {DRAWS} draws each")
    _describe(by_size, "M", f"variance of the gradient, slope {variance['exponent']:.2f}")
    by_size.legend(frameon=False)
    return figure


def _describe(axes: Axes, x: str, title: str, y: str = "") -> None:
    axes.set_xscale("log")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title, loc="left", fontsize=9.5)


def table(curves: dict[int, dict[str, list[float]]]) -> list[dict[str, float]]:
    """What the page's table quotes."""
    return [
        {
            "batch_size": size,
            "steps_an_epoch": EXAMPLES // size,
            "cost_after_one_epoch": cost_after(curve, EXAMPLES // size),
            "cost_after_all_epochs": cost_after(curve, EPOCHS * EXAMPLES // size),
            "cost_after_100_steps": cost_after(curve, 100),
            "cost_after_2000_steps": cost_after(curve, STEPS),
        }
        for size, curve in sorted(curves.items())
    ]


def main() -> None:
    data = load_mnist()
    X, y = data.x_train[:EXAMPLES] / 255.0, data.y_train[:EXAMPLES]
    curves = {size: train(X, y, size) for size in BATCH_SIZES}
    variance = variances(X, y)
    result = {
        "examples": EXAMPLES,
        "learning_rate": LEARNING_RATE,
        "epochs": EPOCHS,
        "steps": STEPS,
        "draws": DRAWS,
        "initial_cost": curves[1]["cost"][0],
        "table": table(curves),
        "curves": curves,
        "variance": variance,
    }
    (DOCS / "experiments/results/batch_sizes.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    with plot_settings({"text.parse_math": True}):
        draw(curves, variance).savefig(DOCS / "images/batch-sizes.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
