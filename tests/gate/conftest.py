"""A git repository of its own for each test, and the command line run within it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import cli
from bench.gate import report

# The experiment that measures the gate is a script.
sys.path.append(str(Path(__file__).resolve().parents[2] / "docs" / "experiments"))

IDENTITY = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false")


class Repo:
    """A repository whose revisions hold the files that a test writes."""

    def __init__(self, folder):
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        command = ["git", *IDENTITY, *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout

    def write(self, **files):
        for name, text in files.items():
            (self.folder / name).write_text(text)

    def commit(self, **files):
        """A revision with these files; its name."""
        self.write(**files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a revision")
        return self.git("rev-parse", "HEAD").strip()

    @property
    def state(self):
        """Everything that the gate must not touch."""
        questions = (
            ("status", "--porcelain", "--untracked-files=all"),
            ("for-each-ref",),
            ("stash", "list"),
            ("worktree", "list"),
            ("diff", "--cached"),
            ("rev-parse", "HEAD"),
        )
        return [self.git(*question) for question in questions]


@pytest.fixture
def repo(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    return Repo(folder)


@pytest.fixture
def plots():
    """The gates of this test draw with Matplotlib, which takes longer than all else that they do."""


@pytest.fixture
def bench(monkeypatch, capsys, repo, tmp_path, request):
    """Runs a command line in the repository; exit code, stdout and stderr. Results go to `tmp_path / "out"`."""
    monkeypatch.chdir(repo.folder)
    if "plots" not in request.fixturenames:
        monkeypatch.setattr(report, "find_spec", lambda name: None)
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS", "GITHUB_EVENT_PATH", "CI_MERGE_REQUEST_DIFF_BASE_SHA"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments, out=tmp_path / "out"):
        options = ["--out", str(out)] if arguments[0] == "gate" else []
        with pytest.raises(SystemExit) as ended:
            cli.main([*arguments, *options])
        return ended.value.code, *capsys.readouterr()

    return run
