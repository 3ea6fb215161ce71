"""Files that are whole or absent, and temporary folders. What a killed process leaves is removed.

A temporary name holds the number of its process. The next process that needs such a name removes those of dead
processes.
"""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.core.errors import UnusableError


def expanded(text: str) -> Path:
    """A path whose `~` stands for a home folder.

    Raises UnusableError: where that home folder is not known: HOME is not set and the system does not know the user.
    """
    path = Path(os.path.expanduser(text))
    if path.parts[:1] and path.parts[0].startswith("~"):
        raise UnusableError(f"{text}: no home folder is known; remedy: set HOME, or give a path without ~")
    return path


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` (same suffix); on success it replaces `path`, on any error it is removed.

    Raises UnusableError: when the folder cannot be written or the disk is full.
    """
    prefix = f".{path.stem}-"
    try:
        _remove_left(path.parent, prefix, path.suffix)
        handle, name = tempfile.mkstemp(prefix=f"{prefix}{os.getpid()}-", suffix=path.suffix, dir=path.parent)
        temporary = Path(name)
        try:
            _lock(handle)
            yield temporary
            temporary.chmod(0o644)
            os.replace(temporary, path)
        finally:
            os.close(handle)
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UnusableError(f"{path}: cannot be written ({error.strerror or error})") from error


def write_atomically(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def temporary_folder(purpose: str, parent: Path | None = None) -> Iterator[Path]:
    """A folder that is gone after the block, in `parent` or where the system keeps what is temporary."""
    root, prefix = parent or Path(tempfile.gettempdir()), f"{'.' if parent else ''}scratchbench-{purpose}-"
    _remove_left(root, prefix, "")
    with tempfile.TemporaryDirectory(prefix=f"{prefix}{os.getpid()}-", dir=root) as folder:
        handle = os.open(folder, os.O_RDONLY)
        try:
            _lock(handle)
            yield Path(folder)
        finally:
            os.close(handle)


def process_is_alive(pid: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _lock(handle: int) -> bool:
    """Whether nobody else holds the lock; False too where the file system has none."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_left(folder: Path, prefix: str, suffix: str) -> None:
    """Remove what dead processes left under such a name."""
    name = re.compile(rf"{re.escape(prefix)}(\d+)-\w{{8}}{re.escape(suffix)}")
    for path in folder.iterdir():
        match = name.fullmatch(path.name)
        if match and not process_is_alive(int(match[1])) and _is_unused(path):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _is_unused(path: Path) -> bool:
    """Whether nobody holds its lock: a process in another container may be alive under a number unknown here."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return _lock(handle)
    finally:
        os.close(handle)
