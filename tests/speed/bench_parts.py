"""The step that trains, and its parts: gather, forward, output error, backward, update; and an epoch of steps.

One process, one BLAS thread. With plain SGD the update happens inside the products of `backward`; with momentum and
Adam there is an update of its own. The parts add up to the step.
"""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import numpy as np
import pytest
from shapes import EXAMPLES, Step, cells, examples, network

from bench.speed.grid import ARCHITECTURES
from scratchnet.formulations import batch
from scratchnet.workspace import Workspace

UPDATES = {"momentum": ("sgd", {"momentum": 0.9}), "adam": ("adam", {})}


@pytest.fixture(params=cells())
def cell(request):
    return request.param


@pytest.fixture
def step(cell) -> Step:
    net = network(cell.architecture)
    x, labels = examples(EXAMPLES)
    prepared, order = net.prepare(x, labels), np.random.default_rng(1).permutation(EXAMPLES)
    return Step(net, prepared.X_augmented, np.ascontiguousarray(prepared.Y[:, order[: cell.batch_size]]), order)


@pytest.fixture
def workspace(cell, step) -> Workspace:
    """Buffers with a batch in them, passed forward and back once, so that each part finds what it reads."""
    net = step.network
    made = Workspace(net.layers, net.parameters, net.optimizer.target, cell.batch_size)
    _step(made, step, step.order[: cell.batch_size])
    return made


def _step(workspace: Workspace, step: Step, chosen) -> None:
    optimizer = step.network.optimizer
    batch.gather(workspace, step.X, chosen)
    batch.forward(workspace)
    batch.backward(workspace, step.network.loss, step.Y, optimizer.scale, optimizer.beta)
    optimizer.finish()


def _back(workspace: Workspace, scale: float, beta: float) -> None:
    """`batch.backward` without the output error, which is there."""
    for layer, product, above in workspace.descent:
        batch.propagate(product, above)
        batch.gradient(layer, scale, beta)
    batch.gradient(workspace.layers[0], scale, beta)


def _batches(cell, step: Step) -> Iterator[Any]:
    """One batch of examples after another, without end: rows that the cache may no longer hold, as in an epoch."""
    starts = range(0, EXAMPLES - cell.batch_size + 1, cell.batch_size)
    return cycle([step.order[start : start + cell.batch_size] for start in starts])


@pytest.mark.benchmark(group="gather")
def test_gather(benchmark, cell, step, workspace):
    batches = _batches(cell, step)
    benchmark(lambda: batch.gather(workspace, step.X, next(batches)))
    assert workspace.rows[:, -1].all()


@pytest.mark.benchmark(group="forward")
def test_forward(benchmark, workspace):
    benchmark(batch.forward, workspace)
    assert np.allclose(workspace.output.A.sum(axis=0), 1)


@pytest.mark.benchmark(group="output error")
def test_output_error(benchmark, step, workspace):
    benchmark(batch.output_error, workspace.output, step.network.loss, step.Y)
    assert np.allclose(workspace.output.delta.sum(axis=0), 0, atol=1e-5)


@pytest.mark.benchmark(group="backward and update of plain SGD")
def test_backward(benchmark, cell, step, workspace):
    optimizer = step.network.optimizer
    benchmark(_back, workspace, optimizer.scale / cell.batch_size, optimizer.beta)
    assert np.isfinite(step.network.parameters.vector).all()


@pytest.mark.benchmark(group="update")
@pytest.mark.parametrize("optimizer", UPDATES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_update(benchmark, architecture, optimizer):
    name, options = UPDATES[optimizer]
    net = network(architecture, name, **options)
    net.optimizer.target.vector[...] = np.random.default_rng(0).standard_normal(len(net.parameters.vector))
    benchmark(net.optimizer.finish)
    assert np.isfinite(net.parameters.vector).all()


@pytest.mark.benchmark(group="step")
def test_step(benchmark, cell, step, workspace):
    batches = _batches(cell, step)
    benchmark(lambda: _step(workspace, step, next(batches)))
    assert np.isfinite(step.network.parameters.vector).all()


@pytest.mark.benchmark(group=f"epoch of {EXAMPLES} examples", min_rounds=5)
def test_epoch(benchmark, cell, step):
    x, labels = examples(EXAMPLES)
    prepared = step.network.prepare(x, labels)
    cost = benchmark(step.network.train_epoch, prepared, step.order, cell.batch_size)
    benchmark.extra_info["steps"] = EXAMPLES // cell.batch_size
    assert 1 < cost < 10
