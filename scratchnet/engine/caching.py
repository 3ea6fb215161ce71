"""Machine code on disk. The name of a file depends on everything that goes into its code."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from scratchnet.files import replacing

VARIABLE = "SCRATCHNET_CACHE_DIR"
"""Overrides the folder."""
DIGEST_BYTES = 32

Code = tuple[str, bytes]
"""A function's name, and the object code that holds it."""


def _folders() -> Iterator[Path]:
    """Where code may be kept, best first: the user's caches, if there is a home; beside the source."""
    for name, inside in ((VARIABLE, "."), ("XDG_CACHE_HOME", "scratchnet"), ("HOME", ".cache/scratchnet")):
        folder = Path(os.environ.get(name, ""))
        if folder.is_absolute():
            yield folder / inside
    yield Path(__file__).parent / "__pycache__"


def read(name: str) -> Code | None:
    """What was kept under that name; None where nothing is, or where it is not whole."""
    for folder in _folders():
        with suppress(OSError):
            content = (folder / name).read_bytes()
            digest, rest = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
            if hashlib.sha256(rest).digest() == digest:
                function, _, code = rest.partition(b"\n")
                return function.decode(), code
    return None


def write(name: str, code: Code) -> None:
    """Keep it in the first folder that can be written; without one the next process compiles again."""
    content = code[0].encode() + b"\n" + code[1]
    for folder in _folders():
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            with replacing(folder / name) as file:
                file.write(hashlib.sha256(content).digest() + content)
            return
