"""Writes the run files of a git branch to another folder. The repository is only read."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from bench.core.errors import UnusableError
from bench.core.git import GitError, git
from bench.history.sources import may_be_run

FILE_MODES = ("100644", "100755")
KEPT = ("observations.json",)
"""What a reader looks for beside the file it was given."""


def write_out(branch: str, folder: Path, target: Path) -> Path:
    """Write the run files below `folder` in that branch to `target`; the folder they are in now.

    Raises UnusableError: where this is no git checkout, the branch is not known, or it has nothing there.
    """
    commit = _commit(branch)
    root = Path(os.fsdecode(git("rev-parse", "--show-toplevel")).rstrip("\n"))
    inside = _inside(folder, root)
    blobs = list(_blobs(commit, inside))
    if not blobs:
        raise UnusableError(f"{branch}: no run in {inside}; name the folder with --folder")
    for path, blob in blobs:
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(git("cat-file", "blob", blob))
    return target / inside


def _commit(branch: str) -> str:
    try:
        return git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{branch}^{{commit}}").decode().strip()
    except GitError as error:
        if error.said:
            raise
        raise UnusableError(
            f"--branch {branch}: git knows no such branch; `git branch --all` lists them, `git fetch` brings others"
        ) from None


def _inside(folder: Path, root: Path) -> PurePosixPath:
    try:
        return PurePosixPath(Path(os.path.abspath(folder)).relative_to(root))
    except ValueError:
        raise UnusableError(f"--folder {folder}: not in the repository {root}, whose branch is asked for") from None


def _blobs(commit: str, inside: PurePosixPath) -> Iterator[tuple[str, str]]:
    """Path and object of each file that may hold a run; links are none, and no path leads out of the tree."""
    below = ["--", f"{inside}/"] if inside.parts else []
    listing = git("ls-tree", "-r", "-z", "--full-tree", commit, *below)
    for entry in listing.decode("utf-8", "surrogateescape").split("\0"):
        about, _, path = entry.partition("\t")
        mode, _, blob = about.partition(" blob ")
        name = PurePosixPath(path)
        if mode in FILE_MODES and ".." not in name.parts and (may_be_run(name.name) or name.name in KEPT):
            yield path, blob
