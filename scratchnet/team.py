"""Processes that train one network together, forked from this one, with a core and one BLAS thread each.

Fed by a network and its examples. Why processes: Python lets one thread run at a time, and BLAS's own threads share no
more than a product. Here gather, products, element-wise work and update all run side by side.
"""

import os
import platform
import signal
import sys
import warnings
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing import Pipe, current_process, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scratchnet import blas, by_examples, by_neurons
from scratchnet.by_examples import shares_of_examples
from scratchnet.checks import integer
from scratchnet.dropout import Mask
from scratchnet.examples import Examples
from scratchnet.shared import Barrier

if TYPE_CHECKING:
    from scratchnet.network import Network

Array = NDArray[np.floating[Any]]
Order = NDArray[np.integer[Any]]

LARGE_BATCH = 256
SMALLEST_BATCH = 64
PARAMETERS_PER_EXAMPLE = 600
SMALLEST_STEP = 500_000
"""Batch size times parameters from which a step is worth the waits of processes for each other."""
SECONDS_BETWEEN_CHECKS = 0.5


class LostError(RuntimeError):
    """A process that trained together with this one has ended."""


class Way(NamedTuple):
    """How the work of a step is shared."""

    members: Callable[["Network", int, int, Barrier], list["Network"]]
    parts: Callable[[int, int], list[slice]]
    """Which examples of a batch each process is given: from batch size and the most processes there may be."""


BY_EXAMPLES = Way(by_examples.members, shares_of_examples)
BY_NEURONS = Way(by_neurons.members, lambda batch_size, processes: [slice(0, batch_size)] * processes)


def usable_processes(asked: int) -> int:
    """As many as asked for, or 1 where processes cannot train together.

    They are forked (Linux), and they see each other's writes in order without a fence (x86). A daemonic process may
    start none, and the workers of `multiprocessing.Pool` are daemonic.

    Raises
    ------
    ValueError
        Where fewer than one is asked for.
    """
    asked = integer("processes", asked, 1)
    suits = sys.platform == "linux" and platform.machine() in ("x86_64", "AMD64") and not current_process().daemon
    return asked if suits else 1


def way_to_share(network: "Network", batch_size: int, processes: int) -> Way | None:
    """How these processes best train this network in batches of this size; None: one process, BLAS with all threads."""
    size = len(network.parameters.vector)
    if processes < 2 or not network.optimizer.shareable:
        return None
    if batch_size >= SMALLEST_BATCH and size <= PARAMETERS_PER_EXAMPLE * batch_size:
        return BY_EXAMPLES
    if by_neurons.suits(network.layers, processes) and not network.regularizer:
        return BY_NEURONS if size * batch_size >= SMALLEST_STEP else None
    return BY_EXAMPLES if batch_size >= LARGE_BATCH else None


class Team:
    """This process and those that it forks, for batches of one size of the same examples.

    The others end with this object, or with this process, however it ends.

    Raises
    ------
    LostError
        From `train`, where one of them has ended.
    """

    def __init__(self, network: "Network", examples: Examples, batch_size: int, processes: int, way: Way) -> None:
        self._examples, self._batch_size, self._optimizer = examples, batch_size, network.optimizer
        self._parts = way.parts(batch_size, processes)
        self._barrier, self._blas = Barrier(len(self._parts)), blas.threads()
        self._lead, *others = members = way.members(network, batch_size, len(self._parts), self._barrier)
        for member, part in zip(members, self._parts, strict=True):
            member.program(part.stop - part.start)
        self._others = [self._fork(member, index) for index, member in enumerate(others, 1)]
        started = [process for process, _ in self._others]
        self._barrier.stand_at(0, partial(_check, started))
        self._end = weakref.finalize(self, _end, started, os.getpid())

    def _fork(self, member: "Network", index: int) -> tuple[BaseProcess, Connection]:
        mine, theirs = Pipe()
        arguments = (self, member, index, theirs, os.getpid())
        process = get_context("fork").Process(target=_serve, args=arguments, daemon=True)
        with warnings.catch_warnings():
            # Python 3.12 warns of threads that a fork leaves behind; the child uses none of theirs.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        return process, mine

    def trains(self, examples: Examples, batch_size: int) -> bool:
        """Whether it is for batches of this size of these examples, and was not ended."""
        return self._end.alive and self._examples is examples and self._batch_size == batch_size

    def train(self, order: Order, masks: Sequence[Mask]) -> Array:
        """Train whole batches in that order; the cost of each before its update, (steps,)."""
        try:
            for (_, connection), part in zip(self._others, self._parts[1:], strict=True):
                connection.send((self._optimizer.steps, *self._of_part(part, order, masks)))
            losses, penalties = self.steps(self._lead, *self._of_part(self._parts[0], order, masks))
            answers = [losses, *(connection.recv() for _, connection in self._others)]
        except EOFError:
            self._end()
            raise LostError("a process that trained together with this one has ended") from None
        except BaseException:
            self._end()
            raise
        sizes = [part.stop - part.start for part in self._parts]
        costs: Array = np.average(answers, axis=0, weights=sizes) + penalties
        return costs

    def steps(self, member: "Network", batch_size: int, order: Order, masks: Sequence[Mask]) -> tuple[Array, Array]:
        """What `Network.steps` does, of one process."""
        return member.steps(self._examples, order, batch_size, masks)

    def _of_part(self, part: slice, order: Order, masks: Sequence[Mask]) -> tuple[int, Order, list[Mask]]:
        """Size, order and masks of that part of each batch."""
        cut = [_part_of(mask, self._batch_size, part) for mask in masks]
        return part.stop - part.start, _part_of(order, self._batch_size, part), cut


def _part_of(array: NDArray[Any], batch_size: int, part: slice) -> NDArray[Any]:
    """The rows of that part of each batch, one batch after the other."""
    batches = array.reshape(-1, batch_size, *array.shape[1:])
    return np.ascontiguousarray(batches[:, part]).reshape(-1, *array.shape[1:])


def _serve(team: Team, member: "Network", index: int, connection: Connection, parent: int) -> None:
    """Train the share of each epoch that the parent asks for, as long as it lives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's alone
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def check() -> None:
        if os.getppid() != parent:
            os._exit(1)

    team._barrier.stand_at(index, check)
    team._blas.limit(limits=1, user_api="blas")
    while True:
        while not connection.poll(SECONDS_BETWEEN_CHECKS):
            check()
        team._optimizer.steps, *work = connection.recv()
        losses, _ = team.steps(member, *work)
        connection.send(losses)


def _check(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        if not process.is_alive():
            raise LostError(f"a process that trained together with this one ended with code {process.exitcode}")


def _end(processes: Sequence[BaseProcess], owner: int) -> None:
    # A process that the owner forked later has a copy of the team, and may outlive it.
    for process in processes if os.getpid() == owner else ():
        process.kill()
        process.join()
        # Intel's OpenMP, which comes with MKL, removes this file only where its process ends by itself.
        Path(f"/dev/shm/__KMP_REGISTERED_LIB_{process.pid}_{os.getuid()}").unlink(missing_ok=True)
