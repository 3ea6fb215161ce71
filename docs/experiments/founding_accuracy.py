"""The founding project's network again, with every figure that was ever called its accuracy.

The suite `founding` of the benchmark, trained by scratchnet from the same plan; feeds docs/derivation/output-layer.md
with docs/experiments/results/founding_accuracy.json. Run it as `python docs/experiments/founding_accuracy.py`, a few
seconds.
"""

from statistics import mean
from typing import Any

import numpy as np
from shared import Array, Digits, Labels, experiment, mnist, write

from bench.backends.scratchnet import network_of
from bench.inputs.plan import Plan
from bench.spec import TrainingSpec, load_suite
from scratchnet import metrics


def outputs(plan: Plan, train: Digits, test: Digits) -> Array:
    """Of all test digits, (N, 10), after training as the plan says."""
    spec = plan.spec
    network = network_of(spec)
    network.parameters.set(plan.initial_parameters())
    examples = network.prepare(*train)
    for epoch in range(1, spec.epochs + 1):
        network.train_epoch(examples, plan.order(epoch, len(examples)), spec.batch_size)
    return network.predict(test.x)


def figures(predictions: Array, labels: Labels, threshold: float = 0.5) -> dict[str, float]:
    """Everything that may be counted on one network's outputs."""
    predicted, classes = metrics.predicted_classes(predictions), predictions.shape[1]
    above = predictions > threshold
    sure = above.any(axis=1)
    return {
        "accuracy": metrics.accuracy(predicted, labels),
        "binary_accuracy": metrics.binary_accuracy(predictions, labels, threshold),
        "micro_precision": metrics.precision(predicted, labels, classes, "micro"),
        "micro_recall": metrics.recall(predicted, labels, classes, "micro"),
        "macro_precision": metrics.precision(predicted, labels, classes, "macro"),
        "macro_recall": metrics.recall(predicted, labels, classes, "macro"),
        "none_above": float(np.mean(~sure)),
        "wrong_above": float(np.mean(sure & (predicted != labels))),
    }


def row(name: str, of_seeds: list[dict[str, float]]) -> dict[str, Any]:
    """Means over the seeds, and the seeds themselves."""
    return {"name": name, **{key: mean(one[key] for one in of_seeds) for key in of_seeds[0]}, "seeds": of_seeds}


def measure(spec: TrainingSpec) -> list[dict[str, Any]]:
    """The network untrained and trained, and outputs that are all 0."""
    train, test = mnist()
    untrained, trained = [], []
    for seed in spec.seeds:
        plan = Plan(spec, seed)
        untrained.append(figures(outputs(Plan(spec.model_copy(update={"epochs": 0}), seed), train, test), test.labels))
        trained.append(figures(outputs(plan, train, test), test.labels))
        print(f"seed {seed}: {trained[-1]}", flush=True)
    nothing = figures(np.zeros((len(test.labels), spec.architecture.widths[-1])), test.labels)
    return [row("all zero", [nothing]), row("untrained", untrained), row("trained", trained)]


def main() -> None:
    with experiment():
        (spec,) = load_suite("founding").specs
        settings = {
            "widths": spec.architecture.widths,
            "activations": [layer.activation for layer in spec.architecture.layers],
            "learning_rate": spec.optimizer.learning_rate,
            "batch_size": spec.batch_size,
            "epochs": spec.epochs,
            "seeds": len(spec.seeds),
        }
        write("founding_accuracy", {"settings": settings, "rows": measure(spec)})


if __name__ == "__main__":
    main()
