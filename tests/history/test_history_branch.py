"""Runs that a git branch keeps are read, and the checkout, its branches and its stash are left as they are."""

import subprocess

import made_runs as made
import pytest
from click.testing import CliRunner

from bench.cli import main
from bench.core.errors import UnusableError
from bench.history.branch import write_out
from bench.history.sources import find

STATE = (("status", "--porcelain"), ("show-ref",), ("stash", "list"), ("rev-parse", "HEAD"), ("worktree", "list"))


def git(folder, *arguments) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A checkout of `main` with a change, a stash and an untracked file; the branch `kept` has two runs."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    (folder / "code.py").write_text("1\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "code")
    git(folder, "switch", "--quiet", "-c", "kept")
    made.gate(folder / "results/a/gate.json", 1.0, made.day(0))
    made.speed(folder / "results/b", 0.5, started=made.day(1))
    made.gate(folder / "elsewhere/gate.json", 9.0, made.day(2))
    (folder / "results/link.json").symlink_to("/etc/passwd")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "runs")
    git(folder, "switch", "--quiet", "main")
    (folder / "code.py").write_text("2\n")
    git(folder, "stash", "--quiet")
    (folder / "code.py").write_text("3\n")
    (folder / "untracked.txt").write_text("mine\n")
    monkeypatch.chdir(folder)
    return folder


def test_the_runs_of_a_branch_are_read_and_nothing_is_touched(repository):
    before = [git(repository, *command) for command in STATE]
    result = CliRunner().invoke(main, ["history", "--branch", "kept", "--format", "markdown"])
    assert result.exit_code == 0
    assert "784-128-10 M=32, new / old revision" in result.output
    assert "784-30-10 M=32 sgd float32, scratchnet / fastest peer" in result.output
    assert [git(repository, *command) for command in STATE] == before
    assert "?? untracked.txt" in before[0]
    assert "stash@{0}" in before[2]


def test_from_a_folder_below_the_root_the_folder_is_meant_relative_to_it(repository, monkeypatch):
    (repository / "sub").mkdir()
    monkeypatch.chdir(repository / "sub")
    result = CliRunner().invoke(main, ["history", "--branch", "kept", "--folder", "../elsewhere", "--format", "json"])
    assert result.exit_code == 0
    assert '"ratio": 9.0' in result.output


def test_a_link_in_the_branch_is_not_followed(repository, tmp_path):
    write_out("kept", repository / "results", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.json")) == [
        "gate.json",
        "observations.json",
        "speed.json",
    ]


def test_a_git_hook_s_variables_do_not_lead_elsewhere(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert len(find(write_out("kept", repository / "results", tmp_path / "out")).lines) == 3


def test_a_broken_file_is_named_by_branch_and_path(repository):
    git(repository, "stash", "--quiet", "--include-untracked")
    git(repository, "switch", "--quiet", "kept")
    (repository / "results/cut.json").write_text("{")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "cut")
    result = CliRunner().invoke(main, ["history", "--branch", "kept"])
    assert result.exit_code == 0
    assert "warning: kept:results/cut.json: no JSON" in result.stderr


@pytest.mark.parametrize(
    ("branch", "folder", "message"),
    [
        ("nosuch", "results", "--branch nosuch: git knows no such branch; `git branch --all` lists them"),
        ("--output=x", "results", "--branch --output=x: git knows no such branch"),
        ("main", "results", "main: no run in results; name the folder with --folder"),
        ("kept", "/etc", "--folder /etc: not in the repository"),
    ],
)
def test_what_is_not_there_is_one_line(repository, branch, folder, message):
    result = CliRunner().invoke(main, ["history", f"--branch={branch}", "--folder", folder])
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_no_repository_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnusableError, match="git: fatal: not a git repository"):
        write_out("main", tmp_path / "results", tmp_path / "out")
