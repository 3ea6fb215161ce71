"""How the gradient fares in ten hidden layers: its norm in each layer at the start, and what training makes of it.

Sigmoid, tanh and ReLU, each with Glorot's and He's weights, on real MNIST; feeds docs/derivation/initialization.md with
docs/images/vanishing-gradient.svg and docs/experiments/results/vanishing_gradient.json. Run it as
`python docs/experiments/vanishing_gradient.py`, about a minute.
"""

from statistics import mean, median
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from shared import WIDTH, Array, Digits, experiment, mnist, save, write

from bench.report.style import BLUE, GREEN, VERMILLION
from scratchnet import SGD, Dense, Network
from scratchnet.metrics import predicted_classes

HIDDEN_LAYERS, NEURONS = 10, 64
ACTIVATIONS = {"sigmoid": VERMILLION, "tanh": BLUE, "relu": GREEN}
INITIALIZERS = {"glorot_uniform": "-", "he_uniform": (0, (4, 2))}
SEEDS = range(5)
GRADIENT_EXAMPLES = 1000
LEARNING_RATE, BATCH_SIZE, EPOCHS = 0.1, 32, 5


def network(activation: str, initializer: str, seed: int, dtype: str = "float32") -> Network:
    """784, ten times 64, 10; biases start at 0."""
    hidden = [Dense(NEURONS, activation, initializer)] * HIDDEN_LAYERS
    layers = [*hidden, Dense(10, "softmax", initializer)]
    return Network(784, layers, optimizer=SGD(LEARNING_RATE), dtype=dtype, seed=seed)


def gradient_norms(model: Network, digits: Digits) -> list[float]:
    """‖∂C/∂W[l]‖ of each layer, the first first."""
    gradient = model.parameters.zeros_like()
    gradient.vector[...] = model.gradient(digits.x, digits.labels)
    return [float(np.linalg.norm(dW)) for dW in gradient.weights]


def accuracies(model: Network, train: Digits, test: Digits) -> tuple[list[float], int]:
    """Test accuracy after each epoch, and how many different answers the test digits get in the end."""
    history = model.fit(*train, epochs=EPOCHS, batch_size=BATCH_SIZE, validation_data=test)
    answers = np.unique(predicted_classes(model.predict(test.x)))
    return [epoch.validation["accuracy"] for epoch in history if epoch.validation], len(answers)


def measure(activation: str, initializer: str, train: Digits, test: Digits) -> dict[str, Any]:
    """Norms and accuracies of all seeds, and what the page's tables say of them."""
    first = Digits(train.x[:GRADIENT_EXAMPLES], train.labels[:GRADIENT_EXAMPLES])
    norms = [gradient_norms(network(activation, initializer, seed, "float64"), first) for seed in SEEDS]
    trained = [accuracies(network(activation, initializer, seed), train, test) for seed in SEEDS]
    curves, answers = [curve for curve, _ in trained], [count for _, count in trained]
    last = [curve[-1] for curve in curves]
    print(f"{activation}, {initializer}: accuracy {mean(last):.4f} ({min(last):.4f} to {max(last):.4f})", flush=True)
    return {
        "activation": activation,
        "initializer": initializer,
        "norms": norms,
        "first": median(of_layers[0] for of_layers in norms),
        "middle": median(of_layers[HIDDEN_LAYERS // 2] for of_layers in norms),
        "last": median(of_layers[-1] for of_layers in norms),
        "factor": median(factor(of_layers) for of_layers in norms),
        "accuracy_curves": curves,
        "answers": answers,
        "after_first_epoch": median(curve[0] for curve in curves),
        "accuracy": {"mean": mean(last), "least": min(last), "most": max(last)},
    }


def factor(norms: list[float]) -> float:
    """By what the norm changes from one layer to the one below: geometric mean over layers 10 to 2, all 64 × 64."""
    return float((norms[1] / norms[HIDDEN_LAYERS - 1]) ** (1 / (HIDDEN_LAYERS - 2)))


def draw(results: list[dict[str, Any]]) -> Figure:
    """Norm by layer, and test errors by epoch: the median over the seeds as a line, least to most as a band."""
    figure = Figure(figsize=(WIDTH, 7.4), layout="constrained")
    norms, error = figure.subplots(2, 1, height_ratios=(3, 2))
    layers = np.arange(1, HIDDEN_LAYERS + 2)
    for one in results:
        draw_band(norms, layers, one, np.array(one["norms"]))
        draw_band(error, np.arange(1, EPOCHS + 1), one, 100 - 100 * np.array(one["accuracy_curves"]))
    norms.set_yscale("log")
    norms.set_xticks(layers)
    norms.set(title=r"norm of $\partial C / \partial W^l$ before training", xlabel="layer $l$")
    error.set_yscale("log")
    error.set_yticks([3, 5, 10, 30, 100], ["3", "5", "10", "30", "100"])
    error.set_xticks(range(1, EPOCHS + 1))
    error.set(title="test digits taken wrongly, %", xlabel="epoch")
    error.minorticks_off()
    figure.legend(*norms.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def draw_band(axes: Axes, x: Array, one: dict[str, Any], of_seeds: Array) -> None:
    """The median over seeds (rows of `of_seeds`) as a line, least to most as a band."""
    color, dash = ACTIVATIONS[one["activation"]], INITIALIZERS[one["initializer"]]
    label = f"{one['activation']}, {one['initializer'].partition('_')[0].capitalize()}"
    axes.plot(x, np.median(of_seeds, axis=0), color=color, linestyle=dash, marker="o", markersize=3, label=label)
    axes.fill_between(x, of_seeds.min(axis=0), of_seeds.max(axis=0), color=color, alpha=0.12, linewidth=0)


def main() -> None:
    with experiment():
        train, test = mnist()
        results = [measure(f, start, train, test) for f in ACTIVATIONS for start in INITIALIZERS]
        settings = {
            "hidden_layers": HIDDEN_LAYERS,
            "neurons": NEURONS,
            "seeds": len(SEEDS),
            "gradient_examples": GRADIENT_EXAMPLES,
            "learning_rate": LEARNING_RATE,
            "batch_size": BATCH_SIZE,
            "epochs": EPOCHS,
        }
        write("vanishing_gradient", {"settings": settings, "results": results})
        save(draw(results), "vanishing-gradient")


if __name__ == "__main__":
    main()
