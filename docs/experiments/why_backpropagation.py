"""What the gradient costs by finite differences and by backpropagation, and how exact the finite differences are.

Feeds docs/derivation/why-backpropagation.md with docs/images/why-backpropagation.svg and the numbers in
docs/experiments/results/why_backpropagation.json. Run it as
`env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python docs/experiments/why_backpropagation.py`, about two minutes.
"""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from numpy.typing import NDArray
from scipy.linalg.lapack import dlamch

from bench.report.style import BLACK, BLUE, VERMILLION, plot_settings
from scratchnet import Dense, Network
from scratchnet.formulations import batch
from scratchnet.workspace import Workspace

DOCS = Path(__file__).parents[1]
WIDTHS = (12, 24, 48, 96)
LAYERS, EXAMPLES = 4, 512
ROUNDS, PASSES = 3, 200
EPSILONS = [10.0 ** (-k / 2) for k in range(1, 29)]
PLAIN = slice(2, 7)
"""Epsilons from 0.03 to 0.0003: the truncation is small against the gradient, the rounding small against it."""

Array = NDArray[np.floating[Any]]


class Pass:
    """One batch of a network whose layers all have n neurons: its forward and backward pass, and nothing else."""

    def __init__(self, n: int, examples: int, layers: int, activation: str) -> None:
        rng = np.random.default_rng(n)
        shape = [*[Dense(n, activation)] * (layers - 1), Dense(n, "linear")]
        self.network = Network(n, shape, loss="sum_of_squared_errors", dtype="float64", seed=n)
        self.Y = rng.normal(size=(n, examples))
        self.target = self.network.parameters.zeros_like()
        self.workspace = Workspace(shape, self.network.parameters, self.target, examples)
        self.workspace.rows[:, :-1] = rng.normal(size=(examples, n))

    def forward(self) -> float:
        """C of the batch."""
        batch.forward(self.workspace)
        outputs = batch.loss_input(self.workspace, self.network.loss)
        return float(np.mean(self.network.loss.per_example(outputs, self.Y)))

    def backward(self) -> Array:
        """∂C/∂θ after a forward pass."""
        batch.backward(self.workspace, self.network.loss, self.Y, scale=1.0, beta=0.0)
        return self.target.vector

    def forward_differences(self, epsilon: float = 1e-7) -> Array:
        """Equation (50) for each parameter: P + 1 forward passes."""
        theta, C = self.network.parameters.vector, self.forward()
        return np.array([(self._moved(j, epsilon) - C) / epsilon for j in range(theta.size)])

    def central_differences(self, epsilon: float) -> Array:
        """The symmetric form for each parameter: 2 P forward passes."""
        size = self.network.parameters.vector.size
        return np.array([(self._moved(j, epsilon) - self._moved(j, -epsilon)) / (2 * epsilon) for j in range(size)])

    def _moved(self, j: int, step: float) -> float:
        """C with parameter j moved."""
        theta = self.network.parameters.vector
        value = theta[j]
        theta[j] = value + step
        C = self.forward()
        theta[j] = value
        return C


def seconds(work: Callable[[], Any], times: int = 1) -> float:
    """Seconds of one call, the mean over `times` calls in a row."""
    start = perf_counter()
    for _ in range(times):
        work()
    return (perf_counter() - start) / times


def time_all() -> list[dict[str, Any]]:
    """Each size in turn, and all again in the next round: medians over the rounds, with the least and the most."""
    passes = {n: Pass(n, EXAMPLES, LAYERS, "relu") for n in WIDTHS}
    rounds: dict[int, list[dict[str, float]]] = {n: [] for n in WIDTHS}
    for number in range(ROUNDS):
        for n, one in passes.items():
            rounds[n].append(_round(one))
            print(f"round {number + 1}, n = {n}: {rounds[n][-1]['differences']:.2f} s by differences", flush=True)
    return [_summary(n, passes[n], rounds[n]) for n in WIDTHS]


def _round(one: Pass) -> dict[str, float]:
    forward = median(seconds(one.forward) for _ in range(PASSES))
    backward = median(seconds(one.backward) for _ in range(PASSES))
    return {"forward": forward, "backward": backward, "differences": seconds(one.forward_differences)}


def _summary(n: int, one: Pass, rounds: list[dict[str, float]]) -> dict[str, Any]:
    quotients = {
        "differences_to_backpropagation": [r["differences"] / (r["forward"] + r["backward"]) for r in rounds],
        "differences_to_forward": [r["differences"] / r["forward"] for r in rounds],
        "backward_to_forward": [r["backward"] / r["forward"] for r in rounds],
    }
    parameters = int(one.network.parameters.vector.size)
    return {
        "n": n,
        "parameters": parameters,
        "forward_passes": parameters + 1,
        "multiply_adds_backward_to_forward": multiply_adds(n),
        "seconds": {name: median(r[name] for r in rounds) for name in rounds[0]},
        **{name: {"median": median(v), "least": min(v), "most": max(v)} for name, v in quotients.items()},
    }


def multiply_adds(n: int) -> float:
    """Backward over forward pass: BP3 and BP4 in all layers and BP2 in all but the first, over (18) in all layers."""
    widths = [n] * (LAYERS + 1)
    forward = sum(n_out * (n_in + 1) for n_in, n_out in pairwise(widths))
    passed_on = sum(n_out * n_in for n_in, n_out in pairwise(widths[1:]))
    return (forward + passed_on) / forward


def exponent(x: list[float], y: list[float]) -> float:
    """The slope of log y over log x."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def errors() -> dict[str, Any]:
    """‖difference − gradient‖ / ‖gradient‖ of a 8-8-8-8 network for each ε."""
    one = Pass(8, 32, 3, "tanh")
    one.forward()
    gradient = one.backward().copy()
    found: dict[str, list[float]] = {"forward": [], "central": []}
    for epsilon in EPSILONS:
        for name, differences in (("forward", one.forward_differences), ("central", one.central_differences)):
            error = np.linalg.norm(differences(epsilon) - gradient) / np.linalg.norm(gradient)
            found[name].append(float(error))
    return {
        "epsilon": EPSILONS,
        "unit_roundoff": float(dlamch("e")),
        **found,
        **{
            f"{name}_summary": {
                "order": exponent(EPSILONS[PLAIN], values[PLAIN]),
                "best_epsilon": EPSILONS[int(np.argmin(values))],
                "least_error": min(values),
            }
            for name, values in found.items()
        },
    }


def draw(sizes: list[dict[str, Any]], exponents: dict[str, float], error: dict[str, Any]) -> Figure:
    """Three panels: seconds over P, forward passes over P, error over ε."""
    figure = Figure(figsize=(12, 3.9), layout="constrained")
    time, passes, exact = figure.subplots(1, 3)
    P = [size["parameters"] for size in sizes]
    both = [size["seconds"]["forward"] + size["seconds"]["backward"] for size in sizes]
    lines = (
        ("finite differences", [size["seconds"]["differences"] for size in sizes], VERMILLION, "o", "differences"),
        ("backpropagation", both, BLUE, "s", "backpropagation"),
    )
    for label, values, color, marker, key in lines:
        time.plot(P, values, marker=marker, color=color, label=f"{label}, slope {exponents[key]:.2f}")
    _logarithmic(time, "parameters P", "seconds of one whole gradient")
    passes.plot(
        P, [size["differences_to_forward"]["median"] for size in sizes], "o", color=VERMILLION, label="measured"
    )
    passes.plot(P, [p + 1 for p in P], color=BLACK, linewidth=1, label="P + 1")
    together = [1 + size["backward_to_forward"]["median"] for size in sizes]
    passes.plot(P, together, "s", color=BLUE, label="forward and backward, measured")
    _logarithmic(passes, "parameters P", "the same in units of one forward pass")
    for name, color, marker in (("forward", VERMILLION, "o"), ("central", BLUE, "s")):
        slope = error[f"{name}_summary"]["order"]
        label = f"{name} difference, slope {slope:.2f}"
        exact.plot(error["epsilon"], error[name], marker=marker, markersize=3.5, color=color, label=label)
    _logarithmic(exact, "ε", "relative error of the whole gradient")
    exact.xaxis.set_major_locator(LogLocator(numticks=8))
    return figure


def _logarithmic(axes: Axes, x: str, title: str) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(x)
    axes.set_title(title, loc="left", fontsize=9.5)
    axes.legend(frameon=False)


def main() -> None:
    error, sizes = errors(), time_all()
    P = [float(size["parameters"]) for size in sizes]
    exponents = {
        "differences": exponent(P, [size["seconds"]["differences"] for size in sizes]),
        "backpropagation": exponent(P, [size["seconds"]["forward"] + size["seconds"]["backward"] for size in sizes]),
        "quotient": exponent(P, [size["differences_to_backpropagation"]["median"] for size in sizes]),
    }
    result = {
        "layers": LAYERS,
        "examples": EXAMPLES,
        "rounds": ROUNDS,
        "sizes": sizes,
        "exponents": exponents,
        "errors": error,
    }
    (DOCS / "experiments/results/why_backpropagation.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    with plot_settings({"text.parse_math": True}):
        draw(sizes, exponents, error).savefig(DOCS / "images/why-backpropagation.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
