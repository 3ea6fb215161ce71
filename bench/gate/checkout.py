"""Checks a revision out into a repository of its own, which borrows the user's objects and writes nothing there.

Why not `git archive`: an archive leaves out or rewrites files (export-ignore, export-subst) and has no history. A
checkout has what a work tree has: line ends, filters, links, and tags for versions.
"""

import os
import re
import shutil
from pathlib import Path

from bench.core.git import git

FILES_DEPEND_ON = r"^(filter\..*|core\.(autocrlf|eol|safecrlf|symlinks|filemode|attributesfile|ignorecase))$"
"""Settings of a repository that decide what a checkout writes."""


def check_out(source: Path, revision: str, folder: Path) -> None:
    """Make `folder` a repository with that commit of `source` checked out, and with its tags.

    Raises GitError: with what git said.
    """
    shared = (source / os.fsdecode(git("rev-parse", "--git-common-dir", at=source).rstrip(b"\n"))).resolve()
    form = git("rev-parse", "--show-object-format", at=source).decode().strip()
    git("init", "--quiet", "--template=", f"--object-format={form}", str(folder))
    _borrow(shared, folder / ".git")
    for name, value in _settings(source, shared):
        git("config", "--add", name, value, at=folder)
    # Versions are made from tags (setuptools-scm, hatch-vcs, versioneer).
    if tags := git("for-each-ref", "--format=%(objectname) %(refname)", "refs/tags", at=source):
        (folder / ".git" / "packed-refs").write_bytes(tags)
    git("checkout", "--quiet", "--force", "--detach", revision, at=folder)


def _borrow(shared: Path, own: Path) -> None:
    """Read objects where they lie; copy where a shallow history ends, and attributes that are not committed."""
    (own / "info").mkdir(exist_ok=True)
    (own / "objects" / "info" / "alternates").write_bytes(os.fsencode(shared / "objects") + b"\n")
    for name in ("shallow", "info/attributes"):
        if (shared / name).is_file():
            shutil.copy(shared / name, own / name)


def _settings(source: Path, shared: Path) -> list[tuple[str, str]]:
    listed = os.fsdecode(git("config", "--null", "--list", at=source)).split("\0")
    found = [tuple(entry.split("\n", 1)) for entry in listed if "\n" in entry]
    kept = [(name, value) for name, value in found if re.match(FILES_DEPEND_ON, name)]
    # No hook of the user's runs; Git LFS finds what it has already downloaded.
    return [*kept, ("core.hooksPath", os.devnull), ("lfs.storage", str(shared / "lfs"))]
