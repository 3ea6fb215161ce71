"""Both sides as folders: what is copied, and that nothing of the user's is touched."""

import os
import subprocess

import pytest

from bench.errors import UnusableError
from bench.gate.trees import Repository


@pytest.fixture
def trees(repo, tmp_path):
    def copied(name="HEAD"):
        at = Repository(repo.folder)
        return at.copy_revision(name, tmp_path / "old"), at.copy_work_tree(tmp_path / "new")

    return copied


def files(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_the_old_side_is_the_revision_and_the_new_one_the_work_tree_as_it_is(repo, trees):
    first = repo.commit(kept="1", changed="1", deleted="1")
    repo.commit(kept="2")
    repo.write(changed="3", untracked="3", ignored="3", **{".gitignore": "ignored\n"})
    (repo.folder / "deleted").unlink()
    old, new = trees(first)
    assert files(old.folder) == {"kept": "1", "changed": "1", "deleted": "1"}
    assert files(new.folder) == {"kept": "2", "changed": "3", "untracked": "3", ".gitignore": "ignored\n"}
    assert (old.revision, old.changed, new.changed) == (first, False, True)


def test_a_clean_work_tree_is_named_by_its_commit(repo, trees):
    revision = repo.commit(kept="1")
    old, new = trees("main")
    assert not new.changed
    assert (str(old), str(new)) == (f"main ({revision[:10]})", f"the work tree ({revision[:10]})")


def test_executables_links_and_folders_stay_what_they_are(repo, trees):
    (repo.folder / "sub").mkdir()
    script = repo.folder / "sub" / "run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    (repo.folder / "link").symlink_to("sub/run.sh")
    repo.commit()
    for tree in trees():
        assert os.access(tree.folder / "sub" / "run.sh", os.X_OK)
        assert (tree.folder / "link").is_symlink()


def test_checkout_branches_stash_and_index_are_not_touched(repo, trees):
    repo.commit(kept="1", staged="1")
    repo.write(kept="2")
    repo.git("stash")
    repo.write(kept="3", staged="3", untracked="3")
    repo.git("add", "staged")
    before = repo.state
    trees()
    assert repo.state == before


def test_a_folder_within_the_repository_is_enough(repo, tmp_path):
    (repo.folder / "sub").mkdir()
    repo.commit(**{"kept": "1", "sub/file": "1"})
    tree = Repository(repo.folder / "sub").copy_work_tree(tmp_path / "new")
    assert files(tree.folder) == {"kept": "1", "sub/file": "1"}


@pytest.mark.parametrize("name", ["nosuch", "", "--help", "HEAD~99", "a b\nc"])
def test_an_unknown_revision_is_named(repo, name):
    repo.commit(kept="1")
    with pytest.raises(UnusableError, match=r"--against: .* is no commit of .*repository$"):
        Repository(repo.folder).revision(name)


def test_in_a_shallow_clone_the_remedy_is_said(repo, tmp_path):
    first = repo.commit(kept="1")
    repo.commit(kept="2")
    command = ["git", "clone", "--quiet", "--depth", "1", f"file://{repo.folder}", str(tmp_path / "shallow")]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    with pytest.raises(UnusableError, match=r"this clone is shallow: git fetch --unshallow, in CI fetch-depth: 0"):
        Repository(tmp_path / "shallow").revision(first)


def test_a_folder_without_repository_is_one_line(tmp_path):
    with pytest.raises(UnusableError, match=r"git rev-parse: .*not a git repository"):
        Repository(tmp_path)


def test_a_hooks_variables_lead_nowhere_else(repo, trees, monkeypatch):
    repo.commit(kept="1")
    monkeypatch.setenv("GIT_DIR", "/nosuch")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nosuch")
    assert files(trees()[1].folder) == {"kept": "1"}
