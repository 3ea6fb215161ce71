"""Both sides as folders: a revision as git checks it out, and the work tree as it is now.

Both begin as the same kind of checkout; then the work tree's files replace the committed ones. The user's checkout,
branches, stash and index are not touched.
"""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import UnusableError
from bench.core.git import GitError, git
from bench.core.text import one_line
from bench.gate.checkout import check_out


@dataclass(frozen=True)
class Tree:
    """The files of a side. `revision` is the commit; `changed` says whether the work tree differs from it."""

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

    Raises UnusableError: if there is none, or no git.
    """

    def __init__(self, folder: Path) -> None:
        self._at = folder
        self.root = self._at = Path(os.fsdecode(self._git("rev-parse", "--show-toplevel")).rstrip("\n"))

    def revision(self, name: str) -> str:
        """The commit of that name.

        Raises UnusableError: names it, and how to fetch it into a shallow clone.
        """
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        try:
            return self._git(*asked).decode().strip()
        except UnusableError:
            shallow = self._git("rev-parse", "--is-shallow-repository").strip() == b"true"
            remedy = "; this clone is shallow: git fetch --unshallow, in CI fetch-depth: 0" if shallow else ""
            raise UnusableError(f"--against: {name!r} is no commit of {self.root}{remedy}") from None

    def copy_revision(self, name: str, folder: Path) -> Tree:
        """The files of a commit, in a new folder."""
        revision = self.revision(name)
        self._check_out(revision, folder)
        return Tree(folder, revision, name)

    def copy_work_tree(self, folder: Path) -> Tree:
        """The files that git tracks or would track, as they are now, in a new folder."""
        revision = self.revision("HEAD")
        self._check_out(revision, folder)
        absent = self._absent()
        for name in _names(git("ls-files", "-z", at=folder)):
            if name not in absent:
                _remove(folder, name)
        listed = self._git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
        for name in _names(listed):
            if name not in absent:
                _copy(self.root, folder, name)
        changed = bool(self._git("status", "--porcelain", "--untracked-files=all").strip())
        return Tree(folder, revision, "the work tree", changed)

    def notes(self, start: Path) -> list[str]:
        """What the copies lack or how they may surprise, with the remedy: a line each."""
        listed = self._git("ls-files", "-z", "--stage").split(b"\0")
        modules = [one_line(os.fsdecode(line.split(b"\t", 1)[1]), 60) for line in listed if line.startswith(b"160000 ")]
        found = []
        if modules:
            remedy = "fetch it with --prepare, or name an installed copy"
            found.append(f"submodule {', '.join(modules)}: its files are in neither side's folder; {remedy}")
        if self._absent():
            found.append("sparse checkout: both sides hold all files; to see them here: git sparse-checkout disable")
        if (inside := start.resolve()) != self.root.resolve():
            below = one_line(str(inside.relative_to(self.root.resolve())), 60)
            found.append(f"{{tree}} is the whole repository {self.root}; for this folder write {{tree}}/{below}")
        return found

    def _absent(self) -> set[str]:
        """Names of the files that a sparse checkout leaves out."""
        listed = os.fsdecode(self._git("ls-files", "-z", "-t")).split("\0")
        return {line[2:] for line in listed if line.startswith("S ") and not (self.root / line[2:]).exists()}

    def _check_out(self, revision: str, folder: Path) -> None:
        try:
            check_out(self.root, revision, folder)
        except GitError as error:
            raise UnusableError(f"{self.root}: {revision[:10]} cannot be checked out: {error.said}") from None

    def _git(self, *arguments: str) -> bytes:
        try:
            return git(*arguments, at=self._at)
        except GitError as error:
            raise UnusableError(f"{self._at}: git {arguments[0]}: {error.said}") from None


def _names(listed: bytes) -> list[str]:
    return [os.fsdecode(name) for name in listed.split(b"\0") if name]


def _remove(folder: Path, name: str) -> None:
    """A committed file and the folders that it leaves empty. A submodule's folder stays."""
    path = folder / name
    if path.is_dir() and not path.is_symlink():
        return
    path.unlink()
    with suppress(OSError):  # not empty
        for parent in list(path.relative_to(folder).parents)[:-1]:
            (folder / parent).rmdir()


def _copy(root: Path, folder: Path, name: str) -> None:
    """A file or a link. Left out: a deleted file, one behind a link, and a submodule's folder."""
    source, target = root / name, folder / name
    behind_link = any((root / parent).is_symlink() for parent in Path(name).parents)
    if behind_link or (not source.is_symlink() and not source.is_file()):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target, follow_symlinks=False)
