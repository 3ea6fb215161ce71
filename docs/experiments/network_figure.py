"""Draws the 3-2-1 network of the derivation, with the names of its neurons, weights and biases.

Fed by nothing but the widths of its layers; writes docs/images/network-3-2-1.svg, shown in docs/derivation/index.md.
"""

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from shared import WIDTH, experiment, save

from bench.report.style import BLACK, BLUE, GREEN, ORANGE

WIDTHS = (3, 2, 1)
NAMES = ("input, layer 0", "hidden, layer 1", "output, layer 2")
INPUTS = ("temperature", "slept well", "much\nhomework")
OUTPUT = "sports?"
COLORS = (ORANGE, BLUE, GREEN)
GAP, RADIUS = 3.0, 0.42
"""Between two layers, in the units of the figure, where two neurons of a layer are 1.6 apart."""
SPREAD = 1.6
LABEL_AT = 0.29
"""How far along a line its weight is written: near its start, where the lines are still apart."""

Point = tuple[float, float]


def place(layer: int, neuron: int) -> Point:
    """Centre of neuron 1 to n_l of a layer, the first on top."""
    return GAP * layer, SPREAD * ((WIDTHS[layer] + 1) / 2 - neuron)


def draw_weight(axes: Axes, layer: int, i: int, k: int) -> None:
    """The line from neuron k of the layer before to neuron i, with its name along it."""
    (x0, y0), (x1, y1) = place(layer - 1, k), place(layer, i)
    axes.plot([x0, x1], [y0, y1], color="#8C8C8C", linewidth=0.9, zorder=1)
    at = (x0 + LABEL_AT * (x1 - x0), y0 + LABEL_AT * (y1 - y0))
    angle = float(np.degrees(np.arctan2(y1 - y0, x1 - x0)))
    name = f"$w_{{{i},{k}}}^{layer}$"
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    axes.text(*at, name, rotation=angle, ha="center", va="center", fontsize=9, bbox=box, zorder=2)


def draw_neuron(axes: Axes, layer: int, i: int) -> None:
    """The neuron with its activation, and its bias below it, which the input has not."""
    x, y = place(layer, i)
    axes.scatter(x, y, s=900, facecolor="white", edgecolor=COLORS[layer], linewidth=1.8, zorder=3)
    axes.text(x, y, f"$a_{i}^{layer}$", ha="center", va="center", fontsize=11, zorder=4)
    if layer:
        axes.text(x, y - RADIUS - 0.12, f"$b_{i}^{layer}$", ha="center", va="top", fontsize=9, zorder=4)


def draw(axes: Axes) -> None:
    for layer, (below, width) in enumerate(pairwise(WIDTHS), 1):
        for i in range(1, width + 1):
            for k in range(1, below + 1):
                draw_weight(axes, layer, i, k)
    for layer, width in enumerate(WIDTHS):
        axes.text(GAP * layer, 2.55, NAMES[layer], ha="center", color=BLACK)
        for i in range(1, width + 1):
            draw_neuron(axes, layer, i)
    for k, name in enumerate(INPUTS, 1):
        x, y = place(0, k)
        axes.text(x - 0.6, y, name, ha="right", va="center")
    x, y = place(2, 1)
    axes.text(x + 0.6, y, "$= \\hat{y}_1$\n" + OUTPUT, ha="left", va="center")


def main() -> None:
    with experiment():
        figure = Figure(figsize=(WIDTH, 2.9), layout="constrained")
        axes = figure.add_subplot(xlim=(-2.1, 7.7), ylim=(-2.3, 2.9))
        axes.set_axis_off()
        draw(axes)
        save(figure, "network-3-2-1")


if __name__ == "__main__":
    main()
