"""Fresh worker processes with a thread budget, from the standard library's pool."""

import logging
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from bench.core import environment
from bench.core.child_launcher import end_with, leave_current_folder


@contextmanager
def fresh_processes(jobs: int, threads: int, log: Path) -> Iterator[ProcessPoolExecutor]:
    """A pool of `jobs` processes, each with so many threads for every library; what they say on stderr goes to `log`.

    They are no forks: each reads its thread budget from its environment, before any import. They do not work in the
    current folder, so a path that they are given must be absolute.
    """
    before = dict(os.environ)
    os.environ.update(environment.worker_environment(threads))
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_start, initargs=(log, os.getpid()))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        os.environ.clear()
        os.environ.update(before)


def _start(log: Path, parent: int) -> None:
    """Only the parent reacts to Ctrl-C; TensorFlow's messages are suppressed."""
    end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), 2)
    leave_current_folder()
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
