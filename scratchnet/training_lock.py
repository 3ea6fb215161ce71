"""One thread at a time trains a network: a second one, which would write to the same buffers, gets an error at once."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from threading import RLock
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Trainable(Protocol):
    """What one thread at a time may train."""

    def alone(self) -> AbstractContextManager[Any]:
        """Within, no other thread can train it."""


N = TypeVar("N", bound=Trainable)


def one_thread_at_a_time(method: Callable[Concatenate[N, P], R]) -> Callable[Concatenate[N, P], R]:
    """The method, with a `RuntimeError` where another thread is within it, or within another such method."""

    @wraps(method)
    def alone(network: N, *arguments: P.args, **options: P.kwargs) -> R:
        with network.alone():
            return method(network, *arguments, **options)

    return alone  # type: ignore[return-value]  # wraps() does not keep that the first argument has no name


class TrainingLock:
    """Held by the thread that trains. The same thread may take it again, from a callback of `fit` for example."""

    def __init__(self) -> None:
        self._lock, self._process = RLock(), os.getpid()

    @property
    def is_of_another_process(self) -> bool:
        """Whether it was made before this process was forked; then it may be held by a thread that is not here."""
        return self._process != os.getpid()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within, no other thread can train.

        Raises
        ------
        RuntimeError
            Where another thread trains.
        """
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(
                "another thread trains this network; allowed: one thread at a time. "
                "Train a copy in each thread, copy.deepcopy(network), or wait for the other thread"
            )
        try:
            yield
        finally:
            self._lock.release()
