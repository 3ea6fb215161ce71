"""A network's steps and predictions by NumPy, as in `scratchnet.formulations.batch`: readable, and without Numba."""

from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratchnet.arrays import Array, Mask, Order, check_finite
from scratchnet.buffers import Idle, kept
from scratchnet.examples import Examples
from scratchnet.formulations import batch
from scratchnet.layers import Dense
from scratchnet.losses import Loss
from scratchnet.optimizers import Optimizer
from scratchnet.parameters import Parameters
from scratchnet.regularizers import L1L2
from scratchnet.subnormals import flushed_to_zero
from scratchnet.workspace import Workspace

PREDICTED_AT_ONCE = 1024


class Trainer:
    """The steps and predictions of one network; `threads` are BLAS's own affair."""

    def __init__(
        self,
        layers: Sequence[Dense],
        parameters: Parameters,
        loss: Loss,
        optimizer: Optimizer,
        regularizer: L1L2,
        threads: int,
    ) -> None:
        self._layers, self._parameters, self._loss = layers, parameters, loss
        self._optimizer, self._regularizer, self._threads = optimizer, regularizer, threads
        self.dtype = parameters.vector.dtype
        self._workspaces: dict[Any, Any] = {}
        self._idle: Idle[Any] = Idle()

    def train(self, examples: Examples, order: Order, batch_size: int, masks: Sequence[Mask] = ()) -> Array:
        """Train the batches of that order; the cost of each before its update, (steps,), float64."""
        sizes = np.diff(np.arange(0, len(order), batch_size), append=len(order))
        loss_inputs: Array = np.empty((len(examples.Y), len(order)), self.dtype)
        penalties = np.zeros(len(sizes))
        Y = np.take(examples.Y, order, axis=1)
        weights = examples.weights[order] if examples.weights is not None else None
        # The sigmoid of a very negative z is rightly 0.
        with np.errstate(over="ignore"), flushed_to_zero():
            for columns, workspace in self.batches(examples, order, batch_size):
                workspace.keep([mask[columns] for mask in masks])
                batch.forward(workspace)
                loss_inputs[:, columns] = batch.loss_input(workspace, self._loss)
                if self._regularizer:
                    step = columns.start // batch_size
                    penalties[step] = self._regularizer.cost(self._parameters.weights, self._like_weights[1])
                self._update(workspace, Y[:, columns], weights[columns] if weights is not None else None)
            losses = self._loss.per_example(loss_inputs, Y)  # (22)
        return batch.cost(losses if weights is None else losses * weights, sizes) + penalties

    def batches(self, examples: Examples, order: Order, batch_size: int) -> Iterator[tuple[slice, Workspace]]:
        """Each batch of an epoch: its place in `order`, and the workspace into whose `rows` it has been gathered."""
        for start in range(0, len(order), batch_size):
            columns = slice(start, min(start + batch_size, len(order)))
            size = columns.stop - start
            workspace = kept(self._workspaces, size, partial(self._new, size))
            batch.gather(workspace, examples.X_augmented, order[columns])
            yield columns, workspace

    def gathered(self, examples: Examples, order: Order, batch_size: int) -> Iterator[Array]:
        """X of each batch (M, n_0), as a step gathers it."""
        for _, workspace in self.batches(examples, order, batch_size):
            yield workspace.rows[:, :-1].copy()

    def _update(self, workspace: Workspace, Y: Array, weights: Array | None) -> None:
        optimizer, scale = self._optimizer, self._optimizer.scale
        decays = self._decays(scale) if self._regularizer else []  # before the product, which may change the weights
        batch.backward(workspace, self._loss, Y, scale, optimizer.beta, weights)
        for W, decay in zip(optimizer.target.weights, decays, strict=False):
            W += decay
        optimizer.finish()

    def _decays(self, scale: float) -> list[Array]:
        """scale times the regularizer's gradient."""
        decays, scratches = self._like_weights
        for W, decay, scratch in zip(self._parameters.weights, decays, scratches, strict=True):
            self._regularizer.gradient(W, scale, decay, scratch)
        return decays

    @cached_property
    def _like_weights(self) -> tuple[list[Array], list[Array]]:
        """Two arrays of each weight's shape, for the regularizer."""
        weights = self._parameters.weights
        return [np.empty_like(W) for W in weights], [np.empty_like(W) for W in weights]

    def forward(self, X: NDArray[Any], masks: Sequence[Mask] = ()) -> tuple[Array, Array]:
        """A[L] and Z[L] of the rows X (N, n_0), both (N, n_L); so many rows at a time, so that memory stays bounded."""
        A: Array = np.empty((len(X), self._layers[-1].units), self.dtype)
        Z, W, b = np.empty_like(A), self._parameters.weights[0], self._parameters.biases[0]
        with np.errstate(over="ignore"):
            for start in range(0, len(X), PREDICTED_AT_ONCE):
                rows = slice(start, min(start + PREDICTED_AT_ONCE, len(X)))
                size = rows.stop - start
                workspace = self._idle.take(partial(_is_of, size)) or self._new(size)
                workspace.keep([mask[rows] for mask in masks])
                block = np.ascontiguousarray(X[rows], self.dtype)
                check_finite("X", block, self.dtype, X[rows], start)
                batch.forward_rows(workspace, W, b, block)
                A[rows], Z[rows] = workspace.output.A.T, workspace.output.Z.T
                self._idle.put(workspace)
        return A, Z

    def _new(self, batch_size: int) -> Workspace:
        return Workspace(self._layers, self._parameters, self._optimizer.target, batch_size)


def _is_of(batch_size: int, workspace: Workspace) -> bool:
    return workspace.batch_size == batch_size
