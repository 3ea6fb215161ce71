"""Buffers are made once for each size and used again; only those of a few sizes are kept, so that memory is bounded."""

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from scratchnet.workspace import Workspace

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


class IdleWorkspaces:
    """Workspaces that no thread uses at present: a thread takes one, and puts it back when it has read its results."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._idle: list[Workspace] = []

    def take(self, batch_size: int) -> Workspace | None:
        """One of that batch size, which is the caller's alone until it is put back; None where there is none."""
        with self._lock:
            for index, workspace in enumerate(self._idle):
                if workspace.batch_size == batch_size:
                    return self._idle.pop(index)
        return None

    def put(self, workspace: Workspace) -> None:
        """Give one back."""
        with self._lock:
            self._idle.append(workspace)
            del self._idle[:-MOST_KEPT]
