"""Both sides as folders: a revision as git checks it out, and the work tree as it is now.

Both begin as the same kind of checkout; then the work tree's files replace the committed ones. The user's checkout,
branches, stash and index are not touched.
"""

import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import UnusableError
from bench.core.git import GitError, git
from bench.core.text import one_line

FILES_DEPEND_ON = r"^(filter\..*|core\.(autocrlf|eol|safecrlf|symlinks|filemode|attributesfile|ignorecase))$"
"""Settings of a repository that decide what a checkout writes."""


def check_out(source: Path, revision: str, folder: Path) -> None:
    """Make `folder` a repository with that commit of `source` checked out, and with its tags.

    It borrows the user's objects and writes nothing there. Why not `git archive`: an archive leaves out or rewrites
    files (export-ignore, export-subst) and has no history. A checkout has what a work tree has: line ends, filters,
    links, and tags for versions.

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


@dataclass(frozen=True)
class Tree:
    """The files of a side. `revision` is the commit; `changed` says whether the work tree differs from it."""

    folder: Path
    revision: str
    name: str
    changed: bool = False

    def content(self) -> str:
        """The name that git gives to these files as a whole: equal files have equal names."""
        index = {"GIT_INDEX_FILE": str(self.folder / ".git" / "content-index")}
        git("read-tree", "HEAD", at=self.folder, **index)
        git("add", "--all", at=self.folder, **index)
        return git("write-tree", at=self.folder, **index).decode().strip()

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
            raise UnusableError(f"{name!r} is no commit of {self.root}{remedy}") from None

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

    def commits_between(self, good: str, bad: str) -> list[str]:
        """Names of the commits after `good` up to `bad`, the oldest first; of a merge only what it brought as a whole.

        Raises UnusableError: if `good` is no ancestor of `bad`.
        """
        first, last = self.revision(good), self.revision(bad)
        listed = self._git("rev-list", "--first-parent", "--reverse", f"{first}..{last}").decode().split()
        if not listed or first not in self._git("rev-list", "--first-parent", last).decode().split():
            raise UnusableError(f"{good}: is no ancestor of {bad}; give an older commit of the same branch first")
        return listed

    def subject(self, revision: str) -> str:
        """Short name and first line of a commit."""
        return self._git("log", "-1", '--format=%h "%s"', revision).decode("utf-8", "replace").strip()

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
