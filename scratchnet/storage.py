"""One network in one `.npz` file: a description as JSON text and the flat parameter vector, never a pickle."""

import json
import zipfile
from os import PathLike
from typing import Any

import numpy as np

from scratchnet.arrays import Array
from scratchnet.checks import file_path
from scratchnet.files import replacing

FORMAT_VERSION = 2
READABLE_VERSIONS = (1, 2)


def save(path: str | PathLike[str], description: dict[str, Any], vector: Array) -> None:
    """Write the file whole or not at all: a reader never meets half a network."""
    target = file_path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: the folder {target.parent} does not exist; make it first")
    if target.is_dir():
        raise IsADirectoryError(f"{target}: a folder stands there; allowed: the path of a file")
    text = json.dumps({"format_version": FORMAT_VERSION, **description})
    with replacing(target) as file:
        np.savez(file, description=np.array(text), vector=vector)


def load(path: str | PathLike[str]) -> tuple[dict[str, Any], Array]:
    """Description and parameter vector; a ValueError names the file where `save` did not write it."""
    source = file_path(path)
    try:
        with source.open("rb") as file, np.load(file, allow_pickle=False) as content:
            description = json.loads(str(content["description"]))
            vector: Array = content["vector"]
        version = description.pop("format_version")
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not a saved network ({error})") from None
    if version not in READABLE_VERSIONS:
        readable = ", ".join(map(str, READABLE_VERSIONS))
        raise ValueError(f"{path}: format version {version}; this version reads {readable}")
    return description, vector
