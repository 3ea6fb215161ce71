"""One thread at a time trains a network: a second one, which would write to the same buffers, gets an error at once."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import RLock
from typing import Any, TypeVar, cast

Method = TypeVar("Method", bound=Callable[..., Any])


def one_thread_at_a_time(method: Method) -> Method:
    """A method of a network, with a `RuntimeError` where another thread is within it or another such method."""

    @wraps(method)
    def alone(network: Any, *arguments: Any, **options: Any) -> Any:
        with network.alone():
            return method(network, *arguments, **options)

    return cast(Method, alone)


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
        """Within, no other thread can train; a RuntimeError where another one does."""
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(
                "another thread trains this network; allowed: one thread at a time. "
                "Train a copy in each thread, copy.deepcopy(network), or wait for the other thread"
            )
        try:
            yield
        finally:
            self._lock.release()
