"""A network's steps and predictions by compiled code, on several threads."""

import ctypes
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratchnet.arrays import Array, Mask, Order, check_finite
from scratchnet.buffers import Idle, kept
from scratchnet.engine.compiling import Function, compiled
from scratchnet.engine.machine import CACHE_LINE
from scratchnet.engine.records import GATHER, PREDICT, TRAIN
from scratchnet.engine.tables import LOSSES, clipping_of, place, update_of
from scratchnet.engine.workspace import Workspaces
from scratchnet.examples import Examples
from scratchnet.formulations import trainer as by_numpy
from scratchnet.optimizers import Optimizer
from scratchnet.subnormals import flushed_to_zero

WORK_BETWEEN_SIGNALS = 3_000_000_000
"""Batch size times parameters of the steps, a tenth of a second, after which Python may see a signal such as Ctrl-C."""
WORK_OF_A_THREAD = 150_000
"""Batch size times parameters: with less for each, threads would wait for each other longer than they compute."""
NEURONS_OF_A_THREAD = 8
PARAMETERS_PER_EXAMPLE = 400
"""With more of them it costs less to pass activations from core to core, with fewer to pass weights."""
PREDICTED_AT_ONCE = 128
FEWEST_FACTORS = 9
CAST_AT_ONCE = 8192


def work() -> Callable[..., bool]:
    """What a thread does, not compiled yet: who only runs it does not import Numba."""
    from scratchnet.engine.step import work

    return work


class Trainer(by_numpy.Trainer):
    """The steps and predictions of one network; predictions with dropout's masks are left to NumPy."""

    function: Function = staticmethod(compiled(work))
    """What a thread does in an epoch: steps from one to another."""
    products_only = False
    """Whether element-wise work and update are left out, which tells what products cost; nothing is learned then."""

    def train(self, examples: Examples, order: Order, batch_size: int, masks: Sequence[Mask] = ()) -> Array:
        """Train the batches of that order; the cost of each before its update, (steps,), float64."""
        whole = len(order) // batch_size * batch_size
        parts = [(slice(0, whole), batch_size), (slice(whole, len(order)), len(order) - whole)]
        costs = [
            self._train(examples, order[part], size, [mask[part] for mask in masks])
            for part, size in parts
            if part.start < part.stop
        ]
        return np.concatenate(costs)

    def _train(self, examples: Examples, order: Order, M: int, masks: Sequence[Mask]) -> Array:
        if not _is_readable(examples.X_augmented, self.dtype):
            return self._train_in_pieces(examples, order, M, masks)
        threads, team = self._way(M)
        make = lambda: Workspaces(self._layers, self._inputs, self.dtype, M, threads, team)  # noqa: E731
        run = _Run(self, kept(self._workspaces, (M, threads, team), make), examples, order, masks)
        return run.steps()

    def _train_in_pieces(self, examples: Examples, order: Order, M: int, masks: Sequence[Mask]) -> Array:
        """Of a file in another dtype, which may be larger than memory: some batches are read and cast at a time."""
        at_once, costs = M * -(-CAST_AT_ONCE // M), []
        for start in range(0, len(order), at_once):
            part = order[start : start + at_once]
            costs.append(
                self._train(
                    examples.part(part, self.dtype),
                    np.arange(len(part)),
                    M,
                    [mask[start : start + at_once] for mask in masks],
                )
            )
        return np.concatenate(costs)

    def gathered(self, examples: Examples, order: Order, batch_size: int) -> Iterator[Array]:
        """X of each batch (M, n_0), as a step gathers it."""
        buffers: dict[int, Workspaces] = {}
        for start in range(0, len(order), batch_size):
            part, read = order[start : start + batch_size], examples
            if not _is_readable(examples.X_augmented, self.dtype):
                part, read = np.arange(len(part)), examples.part(part, self.dtype)
            workspaces = kept(buffers, len(part), partial(self._alone, len(part)))
            run = _Run(self, workspaces, read, part, [])
            set_fields(workspaces.jobs[0], task=GATHER)
            self.function(workspaces.jobs[0], workspaces.layers[0], 0, 1)
            yield run.rows()

    def _alone(self, M: int) -> Workspaces:
        return Workspaces(self._layers, self._inputs, self.dtype, M, threads=1, team=1)

    @property
    def _inputs(self) -> int:
        return int(self._parameters.weights[0].shape[1])

    @cached_property
    def _blocks(self) -> Idle[Workspaces]:
        """Buffers of predictions that no thread uses now."""
        return Idle()

    def _way(self, M: int) -> tuple[int, int]:
        """How many threads train a batch, and how many of them share neurons: all, or 1 where they share examples."""
        size, narrowest = self._parameters.vector.size, min(layer.units for layer in self._layers[:-1] or self._layers)
        threads = min(self._threads, size * M // WORK_OF_A_THREAD)
        if threads < 2:
            return 1, 1
        by_neurons = len(self._layers) > 1 and all(layer.activation != "softmax" for layer in self._layers[:-1])
        team = min(threads, narrowest // NEURONS_OF_A_THREAD)
        if by_neurons and team > 1 and size > PARAMETERS_PER_EXAMPLE * M:
            return team, team
        return min(threads, M), 1

    def forward(self, X: NDArray[Any], masks: Sequence[Mask] = ()) -> tuple[Array, Array]:
        if len(masks):
            return super().forward(X, masks)
        A: Array = np.empty((len(X), self._layers[-1].units), self.dtype)
        Z = np.empty_like(A)
        for start in range(0, len(X), CAST_AT_ONCE):
            rows = slice(start, start + CAST_AT_ONCE)
            with np.errstate(over="ignore"):  # what is too large for the dtype is refused
                block = np.ascontiguousarray(X[rows], self.dtype)
            if not self._predict(block, A[rows], Z[rows]):
                check_finite("X", block, self.dtype, X[rows], start)
        return A, Z

    def _predict(self, X: Array, A: Array, Z: Array) -> bool:
        """Whether all numbers of X were finite."""
        threads = min(self._threads, math.ceil(len(X) / PREDICTED_AT_ONCE))
        workspaces, finite = self._blocks.take() or self._new_block(), [True] * threads

        def work(mine: int) -> None:
            job = workspaces.jobs[mine]
            set_fields(
                job,
                task=PREDICT,
                threads=threads,
                theta=self._parameters.vector.ctypes.data,
                one=1.0,
                X=X.ctypes.data,
                X_step=X.strides[0],
                predicted=A.ctypes.data,
                predicted_Z=Z.ctypes.data,
            )
            finite[mine] = self.function(job, workspaces.layers[mine], 0, len(X))

        together(threads, work, lambda: None)
        self._blocks.put(workspaces)
        return all(finite)

    def _new_block(self) -> Workspaces:
        return Workspaces(
            self._layers, self._inputs, self.dtype, PREDICTED_AT_ONCE * self._threads, self._threads, 1, gathers=False
        )


def set_fields(job: NDArray[Any], **values: float) -> None:
    """Put values into the record of a thread."""
    for name, value in values.items():
        job[name] = value


class _Run:
    """The steps of one order, each of so many examples."""

    def __init__(
        self, trainer: Trainer, workspaces: Workspaces, examples: Examples, order: Order, masks: Sequence[Mask]
    ) -> None:
        self._trainer, self._workspaces, self._optimizer = trainer, workspaces, trainer._optimizer
        self._order = np.ascontiguousarray(order, np.int64)
        self._steps = len(order) // workspaces.batch_size
        self._X = np.asarray(examples.X_augmented)
        self._targets = np.ascontiguousarray(examples.Y.T)
        self._masks = [np.ascontiguousarray(mask) for mask in masks]
        threads, dtype = workspaces.threads, trainer.dtype
        self._losses, self._penalties = np.zeros(len(order), dtype), np.zeros((self._steps, threads))
        self._norms = np.zeros((threads, 2 * len(trainer._layers)))
        self._flags = np.zeros((threads + 2) * CACHE_LINE, np.uint8)
        self._flags_at = -(-self._flags.ctypes.data // CACHE_LINE) * CACHE_LINE
        self._factors = _factors(self._optimizer, self._steps, workspaces.batch_size, dtype)
        for job in workspaces.jobs:
            set_fields(job, **self._addresses(examples), **self._numbers())
        self._set_masks()

    def steps(self) -> Array:
        """Train; the cost of each batch before its update."""
        workspaces, trainer = self._workspaces, self._trainer
        first = self._optimizer.steps
        size = trainer._parameters.vector.size * workspaces.batch_size
        at_once = 1 + WORK_BETWEEN_SIGNALS // size

        def work(mine: int) -> None:
            arguments = workspaces.jobs[mine], workspaces.layers[mine]
            with flushed_to_zero():
                for start in range(0, self._steps, at_once if mine == 0 else self._steps):
                    end = min(start + at_once, self._steps) if mine == 0 else self._steps
                    if not trainer.function(*arguments, start, end):
                        return
                    if mine == 0:
                        self._optimizer.steps = first + end

        together(workspaces.threads, work, self._stop)
        costs: Array = self._losses.reshape(self._steps, -1).mean(axis=1, dtype=np.float64)  # (24)
        costs += self._penalties.sum(axis=1)
        return costs

    def rows(self) -> Array:
        """X of the batch that is gathered, (M, n_0)."""
        job, size = self._workspaces.jobs[0][0], self._trainer.dtype.itemsize
        memory: Any = (ctypes.c_char * int(job["rows_size"])).from_address(int(job["rows"]))
        rows: Array = np.frombuffer(memory, self._trainer.dtype).reshape(-1, int(job["rows_down"]) // size)
        return rows[:, : int(job["features"])].copy()

    def _stop(self) -> None:
        """Make all threads end at their next wait."""
        start = self._flags_at - self._flags.ctypes.data + self._workspaces.threads * CACHE_LINE
        self._flags[start] = 1

    def _addresses(self, examples: Examples) -> dict[str, int]:
        """What is the same for every thread."""
        trainer, optimizer = self._trainer, self._optimizer
        clipping, _ = clipping_of(optimizer)
        kept, vector = optimizer.kept, trainer._parameters.vector
        partials = self._workspaces.partials(vector.size)
        return {
            "flags": self._flags_at,
            "X": self._X.ctypes.data,
            "X_step": self._X.strides[0],
            "order": self._order.ctypes.data,
            "targets": self._targets.ctypes.data,
            "weights": 0 if examples.weights is None else examples.weights.ctypes.data,
            "examples": len(examples),
            "steps": self._steps,
            "loss": place(LOSSES, type(trainer._loss)),
            "crosses": trainer._loss.from_weighted_input,
            "losses": self._losses.ctypes.data,
            "penalties": self._penalties.ctypes.data,
            "theta": vector.ctypes.data,
            "target": optimizer.target.vector.ctypes.data,
            "kept": kept.ctypes.data,
            "kept_size": vector.nbytes,
            "partials": partials.ctypes.data,
            "optimizer": update_of(optimizer),
            "factors": self._factors.ctypes.data,
            "factor_count": self._factors.shape[1],
            "clipping": clipping,
            "norms": self._norms.ctypes.data,
            "products_only": trainer.products_only,
            "task": TRAIN,
        }

    def _numbers(self) -> dict[str, float]:
        loss, regularizer, optimizer = self._trainer._loss, self._trainer._regularizer, self._optimizer
        return {
            "one": 1.0,
            "zero": 0.0,
            "beta": optimizer.beta,
            "clip": clipping_of(optimizer)[1],
            "share": 1.0 / self._trainer._layers[-1].units if loss.averaged else 1.0,
            "limit": getattr(loss, "delta", 0.0),
            "l1": regularizer.l1,
            "l2": regularizer.l2,
        }

    def _set_masks(self) -> None:
        dropped = [index for index, layer in enumerate(self._trainer._layers) if layer.dropout]
        for layers in self._workspaces.layers:
            layers["mask"] = 0
            for index, mask in zip(dropped, self._masks, strict=False):
                layers[index]["mask"], layers[index]["mask_step"] = mask.ctypes.data, mask.strides[0]


def _is_readable(X: NDArray[Any], dtype: np.dtype[Any]) -> bool:
    """Whether compiled code can read its rows where they are."""
    return X.dtype == dtype and X.dtype.isnative and X.strides[1] == X.itemsize


def _factors(optimizer: Optimizer, steps: int, M: int, dtype: np.dtype[Any]) -> Array:
    """For each step the factor of the products, that of the regularizer's gradient, and what the update takes."""
    taken = optimizer.take(steps)
    factors: Array = np.zeros((steps, max(1 + taken.shape[1], FEWEST_FACTORS)), dtype)
    factors[:, 0], factors[:, 1 : 1 + taken.shape[1]] = taken[:, 0] / M, taken  # the 1/M of (24)
    return factors


def together(threads: int, work: Callable[[int], None], stop: Callable[[], None]) -> None:
    """work(0) here, and work(1), ... each in a thread of its own; `stop` is called where one of them fails."""
    errors: list[BaseException] = []

    def guarded(mine: int) -> None:
        try:
            work(mine)
        except BaseException as error:
            stop()
            errors.append(error)

    others = [threading.Thread(target=guarded, args=(mine,), daemon=True) for mine in range(1, threads)]
    for other in others:
        other.start()
    guarded(0)
    for other in others:
        other.join()
    if errors:
        raise errors[0]
