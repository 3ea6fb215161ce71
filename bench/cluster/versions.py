"""What head and node must share for a cell to mean the same on both: Python, packages, this project's files."""

import hashlib
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.core.environment import PACKAGES, package_versions

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ("bench", "scratchnet", "reference_tf")
OF_DASK = ("dask", "distributed", "cloudpickle", "msgpack")
FILES = "files of the project"


def software(packages: Iterable[str]) -> dict[str, str]:
    """Name → version of Python and of these packages beside the usual ones; a digest of the project's files."""
    versions = package_versions(sorted({*PACKAGES, *OF_DASK, *packages}))
    return {"Python": platform.python_version(), FILES: code_digest(ROOT), **versions}


def code_digest(root: Path) -> str:
    """The first 12 digits of a SHA-256 of the project's Python files, with their names."""
    digest = hashlib.sha256()
    for path in sorted(file for name in PROJECT for file in (root / name).rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]


def difference(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """What differs, in one line: `numpy 2.4.6 here, 2.3.1 there`; empty where nothing does."""
    names = [name for name in dict.fromkeys([*here, *there]) if here.get(name) != there.get(name)]
    return "; ".join(f"{name} {here.get(name, 'missing')} here, {there.get(name, 'missing')} there" for name in names)
