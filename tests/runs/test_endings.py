"""How processes end: they are asked to, so that they can tidy up; they go with the run that started them; and what a
killed run left is removed by the next."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bench import cli
from bench.backends import registry
from bench.backends.registry import Entry
from bench.core.files import atomic_path

ROOT = Path(__file__).parents[2]
SHARED_MEMORY = Path("/dev/shm")

PLANTED = """
import atexit, os, signal
from pathlib import Path
from bench.backends.scratchnet import Scratchnet

class Tidy(Scratchnet):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        left = Path(os.environ["LEFT"], str(os.getpid()))
        left.touch()
        atexit.register(left.unlink)

class StopsItself(Scratchnet):
    def train_epoch(self, order, masks=()):
        Path(os.environ["LEFT"], str(os.getpid())).touch()
        os.kill(os.getpid(), signal.SIGSTOP)
"""
RUN = """
import sys
from bench import cli
from bench.backends import registry
registry.BACKENDS["planted"] = registry.Entry("planted_ends:" + sys.argv[1], "numpy", "", ("numpy",))
cli.main(sys.argv[2:])
"""


@pytest.fixture
def left(tmp_path, monkeypatch):
    """The folder where a planted backend leaves something that it removes when it ends by itself."""
    folder = tmp_path / "left"
    folder.mkdir()
    (tmp_path / "planted_ends.py").write_text(PLANTED)
    monkeypatch.setenv("LEFT", str(folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    return folder


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main(list(map(str, arguments)))
    return ended.value.code


def wait_for(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not come about within a minute"
        time.sleep(0.05)


def pid_of_the_dead():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_a_worker_that_has_finished_ends_by_itself(left, suite_path, tmp_path, monkeypatch):
    monkeypatch.setattr(
        registry, "BACKENDS", registry.BACKENDS | {"planted": Entry("planted_ends:Tidy", "numpy", "", ("numpy",))}
    )
    assert run("run", suite_path, "--backends", "planted", "--out", tmp_path / "run") == 0
    assert list(left.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a stopped process with its parent")
def test_a_stopped_worker_ends_with_the_run_that_is_killed(left, suite_path, tmp_path):
    arguments = ["run", suite_path, "--backends", "planted", "--out", tmp_path / "run"]
    process = subprocess.Popen([sys.executable, "-c", RUN, "StopsItself", *map(str, arguments)])
    wait_for(lambda: any(left.iterdir()))
    worker = psutil.Process(int(next(left.iterdir()).name))
    try:
        wait_for(lambda: worker.status() == psutil.STATUS_STOPPED)
        process.kill()
        process.wait()
        wait_for(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    finally:
        process.kill()
        process.wait()
        if worker.is_running():
            worker.kill()


def test_files_of_openmp_are_removed_of_the_dead_and_of_no_one_else(suite_path, tmp_path):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as alive:
        of_the_dead, of_the_living, of_another = (
            SHARED_MEMORY / f"__KMP_REGISTERED_LIB_{pid}_{uid}"
            for pid, uid in ((pid_of_the_dead(), os.getuid()), (alive.pid, os.getuid()), (pid_of_the_dead(), 65530))
        )
        paths = (of_the_dead, of_the_living, of_another)
        try:
            for path in paths:
                path.touch()
            assert run("run", suite_path, "--epochs", "1", "--seeds", "0", "--out", tmp_path / "run") == 0
            assert [path.exists() for path in paths] == [False, True, True]
        finally:
            for path in paths:
                path.unlink(missing_ok=True)


DIES_WHILE_IT_DRAWS = """
import os, signal
from matplotlib.figure import Figure
drawn = Figure.savefig
def dies(self, path, **options):
    drawn(self, path, **options)
    if str(path).endswith(".svg"):
        os.kill(os.getpid(), signal.SIGKILL)
Figure.savefig = dies
from bench.cli import main
import sys
main(sys.argv[1:])
"""


def test_a_plot_that_was_cut_short_is_removed_by_the_next_report(suite_path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folder = tmp_path / "run"
    assert run("run", suite_path, "--epochs", "1", "--seeds", "0", "--out", folder) == 0
    files = set(folder.iterdir())
    killed = subprocess.run([sys.executable, "-c", DIES_WHILE_IT_DRAWS, "report", str(folder)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(set(folder.iterdir()) - files) == 1
    with atomic_path(folder / "cost_curves.svg") as of_the_living:
        assert run("report", folder) == 0
        assert set(folder.iterdir()) - files == {of_the_living}


def test_the_folder_of_a_gate_that_was_killed_is_removed_by_the_next(tmp_path, monkeypatch):
    repository, temporary = tmp_path / "repository", tmp_path / "temporary"
    repository.mkdir()
    temporary.mkdir()
    (repository / "file").touch()
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "--message", "one"]):
        subprocess.run(["git", *command], cwd=repository, check=True)
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}

    def gate(command, out):
        out_of = ("--out", str(tmp_path / out))
        options = ["--against", "HEAD", "--own-clock", "--command", f"{command} # {{tree}}", *out_of]
        started = [sys.executable, "-c", "from bench.cli import main; main()", "gate", *options]
        done = subprocess.run(started, cwd=repository, env=environment, capture_output=True, timeout=120, check=False)
        return done.returncode

    assert gate("kill -9 $PPID", "killed") == -signal.SIGKILL
    assert list(temporary.iterdir())
    assert gate("echo 1.0", "whole") == 0
    assert list(temporary.iterdir()) == []
