"""What each thread of a step reads and writes: buffers that are made once, and their addresses."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratchnet import activations
from scratchnet.engine.machine import CACHE_LINE
from scratchnet.engine.records import LAYER, ROW_BUFFERS, job_of
from scratchnet.engine.tables import ACTIVATIONS, place
from scratchnet.layers import Dense

Array = NDArray[np.floating[Any]]
ALIASED = 1024
"""Rows that are so many bytes apart, or a multiple, meet in the same few places of a cache."""


class Memory:
    """Buffers that start at a cache line, kept alive together; each starts elsewhere in its page."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self._alive: list[NDArray[np.uint8]] = []

    def zeros(self, rows: int, down: int) -> int:
        """The address of so many zeroed rows of `down` bytes."""
        return self._made(rows, down)[1]

    def with_ones(self, rows: int, down: int, column: int) -> int:
        """The same, with 1 in that column: what multiplies the biases."""
        memory, start = self._made(rows, down)
        first = start - memory.ctypes.data
        numbers = memory[first : first + rows * down].view(self.dtype)
        numbers.reshape(rows, down // self.dtype.itemsize)[:, column] = 1.0
        return start

    def _made(self, rows: int, down: int) -> tuple[NDArray[np.uint8], int]:
        offset = CACHE_LINE * (5 * len(self._alive) % 64)
        memory = np.zeros(offset + rows * down + 2 * CACHE_LINE, np.uint8)
        self._alive.append(memory)
        return memory, -(-memory.ctypes.data // CACHE_LINE) * CACHE_LINE + offset

    def row_bytes(self, columns: int) -> int:
        """Bytes of a row that begins at a cache line."""
        lines = -(-columns * self.dtype.itemsize // CACHE_LINE)
        return CACHE_LINE * (lines + (lines * CACHE_LINE % ALIASED == 0))


def shares(count: int, threads: int, multiple: int = 1) -> list[tuple[int, int]]:
    """First and last + 1 of each thread's part of so many; parts begin at a multiple where there is enough of it."""
    multiple = multiple if count >= multiple * threads else 1
    bounds = [min(count, -(-count * thread // (threads * multiple)) * multiple) for thread in range(threads)]
    return list(zip(bounds, [*bounds[1:], count], strict=True))


class Workspaces:
    """The buffers of one batch size for so many threads; `team` of them share neurons: all of them, or 1.

    jobs, layers : what compiled code is told, of each thread; gathers : whether batches are copied together here.
    """

    def __init__(
        self,
        layers: Sequence[Dense],
        inputs: int,
        dtype: np.dtype[Any],
        M: int,
        threads: int,
        team: int,
        gathers: bool = True,
    ) -> None:
        self.threads, self.team, self.batch_size = threads, team, M
        self._dense, self._inputs, self._gathers, self._memory = layers, inputs, gathers, Memory(dtype)
        self._partials: Array = np.zeros((0, 0), dtype)
        self._shared: dict[str, int] = {}
        self._examples = shares(M, threads) if threads > team else [(0, M)] * threads
        self._gathered = shares(M, threads) if team > 1 else [(0, last - first) for first, last in self._examples]
        self.layers = [self._layers(mine) for mine in range(threads)]
        self.jobs = [self._job(mine) for mine in range(threads)]

    def partials(self, size: int) -> Array:
        """A gradient for each thread's examples, where threads share these; made when it is needed."""
        threads = self.threads if self.threads > self.team else 0
        if self._partials.shape != (threads, size):
            self._partials = np.zeros((threads, size), self._memory.dtype)
        return self._partials

    def _once(self, name: str, make: Callable[[], int]) -> int:
        """Memory that a team shares: made by the first of it that asks."""
        if self.team == 1 or name not in self._shared:
            self._shared[name] = make()
        return self._shared[name]

    def _units(self, mine: int, n: int) -> tuple[int, int]:
        """The neurons of a hidden layer that are this thread's, whole cache lines of them where there are enough."""
        return shares(n, self.team, CACHE_LINE // self._memory.dtype.itemsize)[mine] if self.team > 1 else (0, n)

    def _has_biases(self, mine: int) -> bool:
        """Whether the biases of the layer above are this thread's: one alone has them, the last of those in a team."""
        return self.team == 1 or mine == self.team - 1

    def _layers(self, mine: int) -> NDArray[Any]:
        records, first, columns = np.zeros(len(self._dense), LAYER), 0, self._inputs + 1
        for index, (dense, record) in enumerate(zip(self._dense, records, strict=True)):
            kind = activations.ACTIVATIONS[dense.activation]
            record["units"], record["columns"], record["first"] = dense.units, columns, first
            record["activation"], record["keeps"] = place(ACTIVATIONS, kind), ACTIVATIONS[kind].keeps
            if index < len(self._dense) - 1:
                self._set_hidden(record, index, mine)
            self._set_own(record, index, mine)
            first, columns = first + dense.units * columns, dense.units + 1
        return records

    def _set_hidden(self, record: Any, index: int, mine: int) -> None:
        memory, dense, (first, last) = self._memory, self._dense[index], self._examples[mine]
        n, M, (unit, end) = dense.units, last - first, self._units(mine, dense.units)
        is_shared = self.team > 1 and index < len(self._dense) - 2
        width = n if is_shared else end - unit
        down = memory.row_bytes(width + 1)
        record["unit"], record["end"], record["flat"] = unit, end, not is_shared
        record["with_bias"] = self._has_biases(mine)
        if is_shared:
            step = M * memory.row_bytes(n)
            record["A"] = self._once(f"A{index}", lambda: memory.with_ones(M, down, n))
            record["partial_G"] = self._once(f"G{index}", lambda: memory.zeros(self.team, step))
            record["partial_step"], record["partial_down"] = step, memory.row_bytes(n)
        else:
            record["A"] = memory.with_ones(M, down, width)
        record["own"] = record["A"] + is_shared * unit * memory.dtype.itemsize
        record["A_down"] = record["own_down"] = down
        record["G"], record["kept_scale"] = memory.zeros(M, down), 1.0 / (1.0 - dense.dropout)
        record["S"] = memory.zeros(M, down) if record["keeps"] or dense.dropout else record["own"]

    def _set_own(self, record: Any, index: int, mine: int) -> None:
        """Rows and columns of W̃ that this thread updates."""
        n, columns = record["units"], record["columns"]
        rows, across = (0, n), (0, columns)
        if self.threads > self.team:
            rows = shares(n, self.threads)[mine]
        elif index < len(self._dense) - 1:
            rows = record["unit"], record["end"]
        elif index > 0:
            unit, end = self._units(mine, columns - 1)
            across = unit, end + self._has_biases(mine)
        record["first_row"], record["last_row"] = rows
        record["first_column"], record["last_column"] = across

    def _job(self, mine: int) -> NDArray[Any]:
        memory, n, (first, last) = self._memory, self._dense[-1].units, self._examples[mine]
        M, down, block = last - first, memory.row_bytes(self._inputs + 1), memory.row_bytes(n * (last - first))
        buffers = self._gathers * (ROW_BUFFERS if self.team > 1 else 1)
        job = np.zeros(1, job_of(memory.dtype))
        fields = {
            **{name: memory.zeros(1, block) for name in ("Z", "A", "Y", "delta", "S")},
            "batch_size": M,
            "example": first,
            "whole_batch": self.batch_size,
            "threads": self.threads,
            "team": self.team,
            "mine": mine,
            "features": self._inputs,
            "outputs": n,
            "rows_down": down,
            "rows_size": M * down,
            "rows": self._once("rows", lambda: memory.with_ones(buffers * M, down, self._inputs)),
            **dict(zip(("first_row", "last_row"), self._gathered[mine], strict=True)),
            "column": memory.zeros(3, memory.row_bytes(M)),
            "partial_Z": self._once("Z", lambda: memory.zeros(2 * self.team, block)),
            "partial_Z_size": block,
        }
        for name, value in fields.items():
            job[name] = value
        return job
