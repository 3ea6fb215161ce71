"""Precision and recall of "it is an eight" as the threshold of equation (8) moves, measured on real MNIST.

784-32-10 with sigmoid outputs and the loss (15), each output judged alone; for all ten, how deep precision falls while
the threshold rises. Feeds docs/derivation/output-layer.md with docs/images/thresholds.svg and
docs/experiments/results/thresholds.json. Run it as `python docs/experiments/thresholds.py`, a few seconds.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from shared import WIDTH, Array, experiment, mnist, save, write

from bench.report.style import BLACK, BLUE, GREY, VERMILLION
from scratchnet import SGD, Dense, Network
from scratchnet.metrics import precision_recall_curve, roc_auc

DIGIT = 8
HIDDEN, LEARNING_RATE, BATCH_SIZE, EPOCHS, SEED = 32, 0.1, 32, 1, 0
TICKS = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999)
THRESHOLDS = (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99)


def scores_and_truth() -> tuple[Array, NDArray[np.bool_]]:
    """Outputs of all test digits, and whether each digit is the output's own, both (N, 10)."""
    train, test = mnist()
    layers = [Dense(HIDDEN, "relu", "he_uniform"), Dense(10, "sigmoid")]
    network = Network(
        train.x.shape[1], layers, loss="summed_binary_crossentropy", optimizer=SGD(LEARNING_RATE), seed=SEED
    )
    network.fit(*train, epochs=EPOCHS, batch_size=BATCH_SIZE)
    print(f"accuracy of all ten outputs: {network.evaluate(*test)['accuracy']:.4f}", flush=True)
    return network.predict(test.x), test.labels[:, None] == np.arange(10)


def at(threshold: float, scores: Array, positive: NDArray[np.bool_]) -> dict[str, Any]:
    """Counts, precision and recall of equation (8): a score above the threshold is an eight."""
    chosen = scores > threshold
    hits, misses, alarms = (int(np.sum(one)) for one in (chosen & positive, ~chosen & positive, chosen & ~positive))
    return {
        "threshold": threshold,
        "true_positives": hits,
        "false_positives": alarms,
        "false_negatives": misses,
        "precision": hits / (hits + alarms),
        "recall": hits / (hits + misses),
    }


def deepest_fall(precision: Array) -> tuple[int, int]:
    """Places i < j on the curve between which precision falls most."""
    ahead = np.maximum.accumulate(precision)
    j = int(np.argmax(ahead - precision))
    # Of equally high places the last, so that the fall is no longer than it must be.
    return int(np.flatnonzero(precision[: j + 1] == ahead[j])[-1]), j


def counterexample(digit: int, scores: Array, positive: NDArray[np.bool_]) -> dict[str, Any]:
    """Two thresholds between which precision falls as the threshold rises, and how often it falls at all."""
    thresholds, precision, recall = precision_recall_curve(scores, positive)
    # Entry k of the curve is scores >= thresholds[k]: above any threshold between the score below it and itself.
    low, high = (float(np.mean(thresholds[k - 1 : k + 1], dtype=np.float64)) for k in deepest_fall(precision))
    ends = at(low, scores, positive), at(high, scores, positive)
    return {
        "digit": digit,
        "low": ends[0],
        "high": ends[1],
        "fall": ends[0]["precision"] - ends[1]["precision"],
        "steps": len(thresholds) - 1,
        "precision_falls": int(np.sum(np.diff(precision) < 0)),
        "recall_rises": int(np.sum(np.diff(recall) > 0)),
    }


def logit(score: Any) -> Any:
    """The weighted input of that score: on this axis the two ends, where things happen, have room."""
    return np.log(score) - np.log1p(-np.asarray(score, np.float64))


def curve(axes: Axes, scores: Array, positive: NDArray[np.bool_], with_recall: bool) -> None:
    """Precision, and recall, over the threshold."""
    thresholds, precision, recall = precision_recall_curve(scores, positive)
    axes.step(logit(thresholds), precision, where="pre", color=BLUE, linewidth=1.6, label="precision")
    if with_recall:
        axes.step(logit(thresholds), recall, where="pre", color=VERMILLION, linewidth=1.6, label="recall")
    axes.set_xticks([logit(tick) for tick in TICKS], [f"{tick:g}" for tick in TICKS])
    axes.axvline(0, color=GREY, linewidth=1, linestyle="--")


def draw(scores: Array, positive: NDArray[np.bool_], deepest: dict[str, Any]) -> Figure:
    """Both curves of the eight; below, the precision that falls deepest, with its two ends marked."""
    figure = Figure(figsize=(WIDTH, 6.2), layout="constrained")
    both, near = figure.subplots(2, 1)
    curve(both, scores[:, DIGIT], positive[:, DIGIT], with_recall=True)
    both.set(title=f"precision and recall of “it is an {DIGIT}”", xlim=(logit(0.0005), logit(0.9995)), ylim=(0, 1.02))
    both.legend(frameon=False, loc="center left")
    digit = deepest["digit"]
    curve(near, scores[:, digit], positive[:, digit], with_recall=False)
    ends = [deepest["low"], deepest["high"]]
    places, heights = [logit(end["threshold"]) for end in ends], [end["precision"] for end in ends]
    near.plot(places, heights, "o", color=BLACK, markersize=5, zorder=5)
    near.set(title=f"precision of “it is a {digit}”, near its top", xlabel="threshold")
    near.set(xlim=(logit(0.4), logit(0.9995)), ylim=(0.945, 1.003))
    return figure


def main() -> None:
    with experiment():
        scores, positive = scores_and_truth()
        examples = [counterexample(digit, scores[:, digit], positive[:, digit]) for digit in range(10)]
        deepest = max(examples, key=lambda one: one["fall"])
        result = {
            "settings": {
                "digit": DIGIT,
                "hidden": HIDDEN,
                "learning_rate": LEARNING_RATE,
                "batch_size": BATCH_SIZE,
                "epochs": EPOCHS,
                "examples": len(scores),
                "positives": int(np.sum(positive[:, DIGIT])),
                "seed": SEED,
            },
            "table": [at(threshold, scores[:, DIGIT], positive[:, DIGIT]) for threshold in THRESHOLDS],
            "roc_auc": roc_auc(scores[:, DIGIT], positive[:, DIGIT]),
            "counterexamples": examples,
            "deepest_digit": deepest["digit"],
        }
        write("thresholds", result)
        save(draw(scores, positive, deepest), "thresholds")


if __name__ == "__main__":
    main()
