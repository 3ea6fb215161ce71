"""A file that is either whole or absent. What a killed process left behind is removed by the next write."""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

LONGEST_STEM = 40
"""Characters of the target's name in the temporary one, so that this is not too long for the file system."""


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """A temporary file beside `target`, which it replaces when the block ends well; else it is removed.

    Its name holds the number of its process. The process locks it too, for its number means nothing in another
    container.
    """
    prefix = f".{target.name[:LONGEST_STEM]}-"
    _remove_left(target.parent, prefix)
    path = target.with_name(f"{prefix}{os.getpid()}-{secrets.token_hex(4)}")
    with path.open("xb") as file:
        try:
            with suppress(OSError):  # a file system without locks
                _lock(file)
            yield file
            file.flush()
            os.replace(path, target)
        finally:
            path.unlink(missing_ok=True)


def _remove_left(folder: Path, prefix: str) -> None:
    """Remove the temporary files of dead processes."""
    name = re.compile(rf"{re.escape(prefix)}(\d+)-[0-9a-f]{{8}}")
    for path in folder.iterdir():
        match = name.fullmatch(path.name)
        if match and not _is_alive(int(match[1])):
            with suppress(OSError), path.open("rb") as file:
                _lock(file)
                path.unlink()


def _lock(file: BinaryIO) -> None:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True
