"""One timed cell at a time on a machine, whoever asks for it: a lock that all users of the machine share."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from bench.core.progress import Progress

LOCK = Path("/tmp/scratchbench-machine.lock")
"""Not in TMPDIR, which each job of a queue may have for itself."""
RETRY_SECONDS = 1.0


def only_here(wanted: bool, progress: Progress) -> AbstractContextManager[None]:
    """Where wanted, wait until no other timed cell runs on this machine, and keep others waiting."""
    return _held(LOCK, progress) if wanted else nullcontext()


@contextmanager
def _held(path: Path, progress: Progress) -> Iterator[None]:
    handle = _opened(path)
    try:
        while not _locked(handle):
            progress.step("another timed cell runs on this machine")
            time.sleep(RETRY_SECONDS)
        yield
    finally:
        os.close(handle)


def _opened(path: Path) -> int:
    """A file that nobody writes to; one of another user may be locked too."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDONLY, 0o444))
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
