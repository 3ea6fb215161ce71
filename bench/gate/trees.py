"""Both sides as folders of their own: a revision as git archives it, and the work tree as it lies there.

Fed by a repository; feeds the processes. Neither checkout nor branches nor stash nor index are touched: files are
copied out, and git is asked nothing that writes.
"""

import io
import os
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UnusableError
from bench.git import GitError, git
from bench.text import one_line


@dataclass(frozen=True)
class Tree:
    """A side's files. `revision` is the commit, `changed` whether the work tree differs from it."""

    folder: Path
    revision: str
    name: str
    changed: bool = False

    def __str__(self) -> str:
        name, short = one_line(self.name, 60), self.revision[:10]
        if self.changed:
            return f"{name} ({short} and uncommitted changes)"
        return f"{name} ({short})" if self.name != self.revision else short


class Repository:
    """The git repository that holds a folder.

    Raises
    ------
    UnusableError
        Where there is none, or no git.
    """

    def __init__(self, folder: Path) -> None:
        self._at = folder
        self.root = self._at = Path(self._git("rev-parse", "--show-toplevel").decode().rstrip("\n"))

    def revision(self, name: str) -> str:
        """The commit of that name.

        Raises
        ------
        UnusableError
            Names it, and how to fetch it into a shallow clone.
        """
        try:
            return (
                self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").decode().strip()
            )
        except UnusableError:
            shallow = self._git("rev-parse", "--is-shallow-repository").strip() == b"true"
            remedy = "; this clone is shallow: git fetch --unshallow, in CI fetch-depth: 0" if shallow else ""
            raise UnusableError(f"--against: {name!r} is no commit of {self.root}{remedy}") from None

    def copy_revision(self, name: str, folder: Path) -> Tree:
        """The files of a commit, into a new folder."""
        revision = self.revision(name)
        with tarfile.open(fileobj=io.BytesIO(self._git("archive", "--format=tar", revision))) as archive:
            archive.extractall(folder, filter="data")
        return Tree(folder, revision, name)

    def copy_work_tree(self, folder: Path) -> Tree:
        """The files that git tracks or would, as they are now, into a new folder."""
        folder.mkdir()
        listed = self._git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
        for name in filter(None, map(os.fsdecode, listed.split(b"\0"))):
            _copy(self.root / name, folder / name)
        changed = bool(self._git("status", "--porcelain", "--untracked-files=all").strip())
        return Tree(folder, self.revision("HEAD"), "the work tree", changed)

    def _git(self, *arguments: str) -> bytes:
        try:
            return git(*arguments, at=self._at)
        except GitError as error:
            raise UnusableError(f"{self._at}: git {arguments[0]}: {error.said}") from None


def _copy(source: Path, target: Path) -> None:
    """A file or a link; one that was deleted, or a folder (a submodule), is left out."""
    if not source.is_symlink() and not source.is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target, follow_symlinks=False)
