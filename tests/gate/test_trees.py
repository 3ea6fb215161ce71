"""Both sides as folders: what is copied, and that nothing of the user's is touched."""

import os
import subprocess

import pytest

from bench.core.errors import UnusableError
from bench.gate.trees import Repository


@pytest.fixture
def trees(repo, tmp_path):
    def copied(name="HEAD"):
        at = Repository(repo.folder)
        return at.copy_revision(name, tmp_path / "old"), at.copy_work_tree(tmp_path / "new")

    return copied


def files(folder):
    found = [path for path in folder.rglob("*") if path.is_file()]
    names = {path: path.relative_to(folder) for path in found}
    return {str(name): path.read_text() for path, name in names.items() if ".git" not in name.parts}


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
    with pytest.raises(UnusableError, match=r"^'.*' is no commit of .*repository$"):
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


def test_attributes_for_archives_change_neither_side(repo, trees):
    attributes = "left_out export-ignore\nversion export-subst\n"
    repo.commit(**{".gitattributes": attributes, "left_out": "1", "version": "$Format:%H$"})
    old, new = trees()
    expected = {".gitattributes": attributes, "left_out": "1", "version": "$Format:%H$"}
    assert files(old.folder) == files(new.folder) == expected


@pytest.mark.parametrize("target", ["/etc/hostname", "../../outside", "nosuch"])
def test_a_link_is_copied_as_it_is_wherever_it_leads(repo, trees, target):
    (repo.folder / "link").symlink_to(target)
    repo.commit(kept="1")
    for tree in trees():
        assert os.readlink(tree.folder / "link") == target


def test_line_ends_are_those_of_a_checkout_on_both_sides(repo, trees):
    repo.commit(**{".gitattributes": "text eol=crlf\n", "text": "a\n"})
    (repo.folder / "text").unlink()
    repo.git("checkout", "text")
    for tree in trees():
        assert (tree.folder / "text").read_bytes() == b"a\r\n"


def test_a_filter_of_the_repository_is_applied_on_both_sides(repo, trees):
    repo.git("config", "filter.upper.clean", "tr A-Z a-z")
    repo.git("config", "filter.upper.smudge", "tr a-z A-Z")
    repo.commit(**{".gitattributes": "text filter=upper\n", "text": "ABC"})
    for tree in trees():
        assert (tree.folder / "text").read_text() == "ABC"


def test_odd_file_names_are_copied(repo, trees):
    names = {"with space": "1", "new\nline": "2", "ünï": "3", '"quoted"': "4", "-dash": "5"}
    repo.commit(**names)
    for tree in trees():
        assert files(tree.folder) == names


def test_both_sides_know_their_version_from_a_tag(repo, trees):
    first = repo.commit(kept="1")
    repo.git("tag", "v1.2")
    repo.commit(kept="2")
    described = [
        subprocess.run(["git", "describe", "--tags"], cwd=tree.folder, check=True, capture_output=True, text=True)
        for tree in trees(first)
    ]
    assert described[0].stdout.strip() == "v1.2"
    assert described[1].stdout.startswith("v1.2-1-g")


def test_no_hook_of_the_user_runs_and_the_borrowed_repository_stays_as_it_is(repo, trees, tmp_path):
    repo.commit(kept="1")
    hook = repo.folder / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    before = {path: path.stat().st_mtime_ns for path in (repo.folder / ".git").rglob("*") if path.is_file()}
    trees()
    assert {path: path.stat().st_mtime_ns for path in (repo.folder / ".git").rglob("*") if path.is_file()} == before
    assert not (tmp_path / "ran").exists()


def test_a_folder_that_became_a_link_is_a_link(repo, trees):
    (repo.folder / "sub").mkdir()
    repo.commit(**{"sub/file": "1"})
    (repo.folder / "sub").rename(repo.folder / "moved")
    (repo.folder / "sub").symlink_to("moved")
    _, new = trees()
    assert os.readlink(new.folder / "sub") == "moved"


def test_a_sparse_checkout_is_said_and_both_sides_are_whole(repo, trees):
    for name in ("here", "away"):
        (repo.folder / name).mkdir()
    repo.commit(**{"here/file": "1", "away/file": "1"})
    repo.git("sparse-checkout", "set", "here")
    old, new = trees()
    assert files(old.folder) == files(new.folder)
    assert "git sparse-checkout disable" in Repository(repo.folder).notes(repo.folder)[0]


def test_a_submodule_and_a_start_in_a_subfolder_are_said_with_the_remedy(repo):
    (repo.folder / "part").mkdir()
    revision = repo.commit(**{"part/file": "1"})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{revision},module")
    submodule, subfolder = Repository(repo.folder).notes(repo.folder / "part")
    assert "submodule module: its files are in neither side's folder" in submodule
    assert "write {tree}/part" in subfolder


def test_nothing_is_said_of_an_ordinary_repository(repo):
    repo.commit(kept="1")
    assert Repository(repo.folder).notes(repo.folder) == []
