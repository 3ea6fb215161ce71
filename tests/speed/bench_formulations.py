"""The three formulations of one example, in numbers, in vectors, as a batch of one: forward, output error, backward.

One process, one BLAS thread. What they cost beside each other is the reason why `batch` trains.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from shapes import CLASSES, examples, network

from bench.speed.grid import ARCHITECTURES
from scratchnet import Network
from scratchnet.formulations import batch, scalar, vector
from scratchnet.workspace import Workspace

ROUNDS = 5


class Parts(NamedTuple):
    """The parts of one formulation, bound to one example."""

    forward: Callable[[], Any]
    output_error: Callable[[], Any]
    backward: Callable[[], Any]


def _of_scalar(net: Network, x: Any, y: Any) -> Parts:
    layers, numbers, targets = scalar.layers_of(net), x.tolist(), y.tolist()
    last, f = scalar.forward(layers, numbers)[-1], layers[-1].f
    return Parts(
        lambda: scalar.forward(layers, numbers),
        lambda: scalar.output_error(net.loss, f, last.z, last.a, targets),
        lambda: scalar.backward(layers, net.loss, numbers, targets),
    )


def _of_vector(net: Network, x: Any, y: Any) -> Parts:
    layers, column, target = vector.layers_of(net), x[:, None], y[:, None]
    last, f = vector.forward(layers, column)[-1], layers[-1].f
    return Parts(
        lambda: vector.forward(layers, column),
        lambda: vector.output_error(net.loss, f, last.z, last.a, target),
        lambda: vector.backward(layers, net.loss, column, target),
    )


def _of_batch(net: Network, x: Any, y: Any) -> Parts:
    workspace, Y = Workspace(net.layers, net.parameters, net.parameters.zeros_like(), 1), y[:, None].astype(net.dtype)
    batch.gather(workspace, x[None].astype(net.dtype), np.array([0]))
    batch.forward(workspace)

    def backward() -> None:
        """Forward as well, as `backward` of the two others does."""
        batch.forward(workspace)
        batch.backward(workspace, net.loss, Y, 1.0, 0.0)

    return Parts(lambda: batch.forward(workspace), lambda: batch.output_error(workspace.output, net.loss, Y), backward)


FORMULATIONS: dict[str, Callable[[Network, Any, Any], Parts]] = {
    "scalar": _of_scalar,
    "vector": _of_vector,
    "batch": _of_batch,
}


@pytest.mark.parametrize("formulation", FORMULATIONS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("part", Parts._fields)
def test_one_example(benchmark, part, architecture, formulation):
    x, labels = examples(1)
    parts = FORMULATIONS[formulation](network(architecture), x[0], np.eye(CLASSES)[labels[0]])
    call = getattr(parts, part)
    benchmark.group = f"one example, {part}, {architecture}"
    if formulation == "batch":
        benchmark(call)
    else:  # up to half a second a call: as many as are needed for a median
        benchmark.pedantic(call, rounds=ROUNDS, warmup_rounds=1)
