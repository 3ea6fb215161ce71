"""A virtual environment for each side, with what `--install` puts into it.

uv creates it if uv is installed, otherwise venv. It is kept for later gates, named by a hash of what it was made from.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from bench.core.files import expanded
from bench.gate.commands import Place, run_logged
from bench.gate.pair import SIDES
from bench.gate.trees import Tree

EDITABLE = re.compile(r"(^|\s)(-e|--editable)\b")
"""Leads into the tree, which is gone after the gate: such an environment is not kept."""
UNUSED_DAYS = 14
USE_UV = 'pip() { uv pip "$@"; }; '
"""`pip install` is uv's in an environment that uv made, for it has no pip."""
VERSIONS = """\
import json
from importlib import metadata
def local(one): return "file:" in (one.read_text("direct_url.json") or "")
print(json.dumps({one.metadata["Name"]: one.version for one in metadata.distributions() if not local(one)}))
"""


def install(
    text: str, places: Mapping[str, Place], trees: Mapping[str, Tree], limit: float, logs: Path
) -> dict[str, Place]:
    """The places with environments in which `text` was run; what it printed is kept as install-SIDE.log in `logs`.

    Raises TreeLostError: with what a side said last and its log, if it fails or takes longer than `limit` seconds.
    """
    if not text:
        return dict(places)
    return {side: _installed(text, place, trees[side], limit, logs) for side, place in places.items()}


def _installed(text: str, place: Place, tree: Tree, limit: float, logs: Path) -> Place:
    if EDITABLE.search(text):
        _make(text, place, limit, logs)
        return place
    root = cache()
    root.mkdir(parents=True, exist_ok=True)
    _remove_unused(root)
    folder = root / _key(text, place, tree)
    kept = replace(place, env=folder / "env")
    with FileLock(root / f"{folder.name}.lock"):
        if not (folder / "whole").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _make(text, kept, limit, logs)
        (folder / "whole").touch()
    return kept


def cache() -> Path:
    """Where environments are kept."""
    named = os.environ.get("SCRATCHBENCH_CACHE")
    return expanded(named or os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "scratchbench" / "environments"


def _key(text: str, place: Place, tree: Tree) -> str:
    """What an environment depends on: the commit, for its version; the files; the command; the Python; the tool."""
    python = subprocess.run([place.python, "-VV"], capture_output=True, text=True, check=False).stdout
    parts = [text, tree.revision, tree.content(), python, place.python, shutil.which("uv")]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def _make(text: str, place: Place, limit: float, logs: Path) -> None:
    python, env, uv = shlex.quote(place.python), shlex.quote(str(place.env)), shutil.which("uv")
    new = f"uv venv --quiet --python {python} {env}" if uv else f"{python} -m venv {env}"
    log = logs / f"install-{place.side}.log"
    run_logged(new, place, limit, log, "given an environment")
    run_logged(f"{USE_UV if uv else ''}{text}", place, limit, log, "installed")


def _remove_unused(root: Path) -> None:
    """Those that no gate has used for two weeks."""
    before = time.time() - 86_400 * UNUSED_DAYS
    for whole in root.glob("*/whole"):
        if whole.stat().st_mtime < before:
            shutil.rmtree(whole.parent, ignore_errors=True)


def differing_versions(places: Mapping[str, Place]) -> Iterator[str]:
    """Installed packages, other than the project, whose versions differ between the sides: a line."""
    old, new = (_versions(places[side]) for side in SIDES)
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    if names:
        told = (f"{name} {old.get(name, 'not installed')} and {new.get(name, 'not installed')}" for name in names)
        yield f"the sides' environments differ, and the ratio includes this: {', '.join(told)} (old and new side)"


def _versions(place: Place) -> dict[str, str]:
    """Package → version, in the side's own environment; nothing if it has none or its Python does not tell."""
    if not (place.env / "bin" / "python").is_file():
        return {}
    done = subprocess.run([place.python, "-I", "-c", VERSIONS], capture_output=True, text=True, check=False)
    found: dict[str, str] = json.loads(done.stdout) if done.returncode == 0 else {}
    return found
