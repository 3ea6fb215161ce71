"""The graphs of all activations and their derivatives, and what careless formulas make of extreme inputs.

Drawn from `scratchnet.activations` itself, through `forward` and `jacobian_product`; feeds
docs/derivation/activations.md with docs/images/activations.svg, docs/images/softmax.svg and
docs/experiments/results/activations.json. Run it as `python docs/experiments/activations.py`, a few seconds.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import erf
from shared import WIDTH, Array, experiment, save, write

from bench.report.style import BLUE, GREEN, PURPLE, VERMILLION
from scratchnet.activations import ACTIVATIONS

Z = np.linspace(-4.0, 4.0, 801)
JUMP = 0.1
"""A derivative that changes by more between two neighbours on the grid has a jump there."""
SOFTMAX_NEURONS = 3


def evaluate(name: str, Z: Array, G: Array | None = None) -> tuple[Array, Array]:
    """A = f(Z) and G · ∂A/∂Z, both (n, M), in the type of Z; G of ones gives f'(Z) where f is element-wise."""
    activation = ACTIVATIONS[name](Z.shape, Z.dtype)
    A, out = np.empty_like(Z), np.empty_like(Z)
    with np.errstate(over="ignore"):
        activation.forward(Z, A)
        activation.jacobian_product(A, np.ones_like(Z) if G is None else G, out)
    return A, out


def draw_all() -> Figure:
    """A panel for each element-wise activation, f and f' in each, and the legend in the panel that is left."""
    names = [name for name in ACTIVATIONS if name != "softmax"]
    figure = Figure(figsize=(WIDTH, 8.6), layout="constrained")
    *panels, last = figure.subplots(math.ceil((len(names) + 1) / 2), 2).ravel()
    for axes, name in zip(panels, names, strict=True):
        draw_one(axes, name)
    handles, labels = panels[0].get_legend_handles_labels()
    last.set_axis_off()
    last.legend(handles, labels, loc="center", frameon=False, fontsize=10)
    return figure


def draw_one(axes: Axes, name: str) -> None:
    """f, and f' broken where it jumps, with its value at 0 as a dot if it jumps there."""
    f, slope = evaluate(name, Z[None, :])
    jumps = np.flatnonzero(np.abs(np.diff(slope[0])) > JUMP) + 1
    axes.plot(Z, f[0], color=BLUE, linewidth=2, label="$f(z)$")
    axes.plot(np.insert(Z, jumps, np.nan), np.insert(slope[0], jumps, np.nan), color=VERMILLION, label="$f'(z)$")
    if jumps.size:
        at_zero = evaluate(name, np.zeros((1, 1)))[1]
        axes.plot(0, at_zero[0, 0], "o", color=VERMILLION, markersize=4, zorder=5)
    axes.set_title(name)
    low, high = (-1.2, 1.2) if f.max() <= 1 else (-1.2, 2.2)
    axes.set_ylim(low, high)
    axes.set_xticks(range(-4, 5, 2))


def draw_softmax() -> Figure:
    """Softmax of (z, 0, 0), and four of the nine entries of its Jacobian: by symmetry there are no others."""
    columns = np.zeros((SOFTMAX_NEURONS, Z.size))
    columns[0] = Z
    # G = e_j picks row j of the Jacobian.
    rows = [evaluate("softmax", columns, np.tile(np.eye(SOFTMAX_NEURONS)[:, [j]], Z.size))[1] for j in range(2)]
    a = evaluate("softmax", columns)[0]
    figure = Figure(figsize=(WIDTH, 5.6), layout="constrained")
    values, slopes = figure.subplots(2, 1, sharex=True)
    values.plot(Z, a[0], color=BLUE, linewidth=2, label="$a_1$")
    values.plot(Z, a[1], color=VERMILLION, linewidth=2, label="$a_2 = a_3$")
    values.set_title("softmax of (z, 0, 0)")
    entries = ((0, 0, "a_1", "z_1", BLUE), (0, 1, "a_1", "z_2", PURPLE), (1, 1, "a_2", "z_2", GREEN))
    for j, i, of, by, color in entries:
        slopes.plot(Z, rows[j][i], color=color, label=rf"$\partial {of} / \partial {by}$")
    slopes.plot(Z, rows[1][2], color=VERMILLION, label=r"$\partial a_2 / \partial z_3$")
    slopes.set_title("entries of its Jacobian")
    slopes.set_xlabel("z")
    values.legend(frameon=False, loc="upper left")
    figure.legend(*slopes.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def naive_sigmoid(z: Array) -> Array:
    return np.exp(z) / (1 + np.exp(z))


def naive_softplus(z: Array) -> Array:
    return np.log(1 + np.exp(z))


def naive_elu(z: Array) -> Array:
    return np.exp(z) - 1


def naive_gelu(z: Array) -> Array:
    return z / 2 * (1 + erf(z * np.float32(math.sqrt(0.5))))


def naive_silu(z: Array) -> Array:
    return z * naive_sigmoid(z)


CARELESS: list[tuple[str, Callable[[Array], Array], float]] = [
    ("sigmoid", naive_sigmoid, 100.0),
    ("silu", naive_silu, 100.0),
    ("softplus", naive_softplus, 100.0),
    ("softplus", naive_softplus, -20.0),
    ("elu", naive_elu, -1e-8),
    ("gelu", naive_gelu, -6.0),
]


def careless() -> list[dict[str, Any]]:
    """In float32: the textbook's formula, what scratchnet computes, and the exact value from the component form."""
    rows = []
    for name, formula, z in CARELESS:
        at = np.array([[z]], np.float32)
        with np.errstate(all="ignore"):
            textbook = plain(formula(at)[0, 0])
        computed, exact = float(evaluate(name, at)[0][0, 0]), ACTIVATIONS[name].component([z], 0)
        rows.append({"activation": name, "z": z, "textbook": textbook, "computed": computed, "exact": exact})
    return rows


def plain(value: np.floating[Any]) -> float | str:
    """A number for JSON; "nan" and "inf" as text."""
    return float(value) if np.isfinite(value) else str(value)


def softmax_shifts() -> dict[str, list[float | str]]:
    """One batch of two examples, (0, 1) and (−200, −201), in float32: the second example's outputs."""
    columns = np.array([[0.0, -200.0], [1.0, -201.0]], np.float32)
    with np.errstate(all="ignore"):
        of_batch = np.exp(columns - columns.max())
        unshifted = np.exp(columns)
        return {
            "without": [plain(a) for a in (unshifted / unshifted.sum(axis=0))[:, 1]],
            "batch": [plain(a) for a in (of_batch / of_batch.sum(axis=0))[:, 1]],
            "own": [plain(a) for a in evaluate("softmax", columns)[0][:, 1]],
        }


def slopes_from_activation() -> list[dict[str, Any]]:
    """In float32: f' from A, as the code has it, and exactly, where the activation is close to its limit."""
    rows = []
    for name, z in (("sigmoid", 10.0), ("sigmoid", 20.0), ("tanh", 5.0), ("tanh", 10.0), ("elu", -20.0)):
        computed = float(evaluate(name, np.array([[z]], np.float32))[1][0, 0])
        rows.append({"activation": name, "z": z, "computed": computed, "exact": ACTIVATIONS[name].partial([z], 0, 0)})
    return rows


def extremes(name: str) -> dict[str, Any]:
    """The least f, and the least and greatest f', each with its z to two decimals."""
    z = np.linspace(-10.0, 10.0, 2001)[None, :]
    f, slope = (values[0] for values in evaluate(name, z))
    places = {"f_least": (f, f.argmin()), "slope_least": (slope, slope.argmin()), "slope_most": (slope, slope.argmax())}
    found = {key: {"value": float(of[i]), "z": round(float(z[0, i]), 2)} for key, (of, i) in places.items()}
    return {"activation": name, **found}


def main() -> None:
    with experiment():
        result = {
            "careless": careless(),
            "softmax_shifts": softmax_shifts(),
            "slopes": slopes_from_activation(),
            "extremes": [extremes(name) for name in ("gelu", "silu")],
        }
        write("activations", result)
        save(draw_all(), "activations")
        save(draw_softmax(), "softmax")


if __name__ == "__main__":
    main()
