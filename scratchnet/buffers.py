"""Buffers are made once for each size and used again; only those of a few sizes are kept, so that memory is bounded."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MOST_KEPT = 4
"""Sizes whose buffers are kept. An epoch or a prediction needs two: that of whole batches, and of the last one."""


def kept(table: dict[K, V], key: K, make: Callable[[], V]) -> V:
    """`table[key]`, made where it is missing; of all entries only those that were used last are kept."""
    table[key] = table.pop(key) if key in table else make()
    while len(table) > MOST_KEPT:
        del table[next(iter(table))]
    return table[key]


class Idle(Generic[V]):
    """Buffers that no thread uses now: a thread takes some, and puts them back when it has read its results."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._idle: list[V] = []

    def take(self, suits: Callable[[V], bool] = lambda one: True) -> V | None:
        """Buffers that suit, for the caller alone until it puts them back; None where there are none."""
        with self._lock:
            index = next((index for index, one in enumerate(self._idle) if suits(one)), None)
            return None if index is None else self._idle.pop(index)

    def put(self, buffers: V) -> None:
        """Give buffers back."""
        with self._lock:
            self._idle.append(buffers)
            del self._idle[:-MOST_KEPT]
