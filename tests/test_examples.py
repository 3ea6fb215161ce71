"""The examples run, and the Python interface that they use."""

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest
from covering import weekly

import bench
from bench.core.errors import UnusableError

ROOT = Path(__file__).resolve().parents[1]
LONG = [ROOT / "examples" / name for name in ("compare_two_runs.py", "spec_in_python.py")]
EXAMPLES = sorted({*(ROOT / "examples").glob("*.py")} - {*LONG})
SAID = {
    "sports_network.py": "go with probability 1.000",
    "read_a_run.py": "mean training cost of scratchnet by epoch",
    "compare_two_runs.py": "784-128-10",
    "spec_in_python.py": "784-64-10 M=100 seed 1: 3 epochs",
}
"""What an example prints, among other things."""
SUITE = """
rest_seconds = 0.0
backends = ["scratchnet"]
[[specs]]
name = "small"
architecture = { inputs = 784, layers = [{ units = 10, activation = "softmax" }] }
loss = "categorical_crossentropy"
optimizer = { learning_rate = 0.1 }
batch_size = 100
epochs = 2
seeds = [0]
data = { source = "mnist", train_examples = 500, test_examples = 100 }
"""


def python(*arguments, cwd=ROOT):
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=None, capture_output=True, text=True, timeout=280)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("interface")
    (folder / "small.toml").write_text(SUITE)
    return bench.run(bench.load_suite(folder / "small.toml"), folder / "run")


@pytest.mark.parametrize("path", [*EXAMPLES, *weekly(*LONG)], ids=lambda path: path.name)
def test_an_example_runs_as_its_first_lines_say(path, tmp_path):
    source = path.read_text("utf-8")
    if "keras" in source:
        pytest.importorskip("tensorflow")
    (command,) = re.findall(rf"^Run: python examples/{path.name}(.*)$", source, re.MULTILINE)
    arguments = [one if (ROOT / one).exists() else tmp_path / "run" for one in command.split()]
    told = python(path, *arguments)
    assert told.returncode == 0, told.stderr
    assert SAID.get(path.name, "\n") in told.stdout


def test_a_run_gives_frames_and_a_page(results):
    assert list(results.summary["status"]) == ["ok"]
    assert len(results.epochs) == 2
    assert results.ok
    assert results.verdict in repr(results)
    page = results._repr_html_()
    assert page.startswith("<iframe")
    assert html.escape(html.escape(results.verdict)) in page
    assert results.page().startswith("<!doctype html>")
    assert (results.folder / "summary.csv").is_file()


def test_progress_is_printed(tmp_path, capsys):
    (tmp_path / "small.toml").write_text(SUITE)
    bench.run(str(tmp_path / "small.toml"), tmp_path / "run", epochs=1)
    assert "small seed 0: 1 epochs (0 of 1 turns done)" in capsys.readouterr().out


def test_a_run_is_read_and_compared_without_writing(results):
    before = sorted(results.folder.iterdir())
    assert bench.report(results.folder).summary.equals(results.summary)
    found = bench.compare(results.folder, results.folder)
    assert found.decision == "within_tolerance"
    assert list(found.rows["cost"]) == ["within_tolerance"]
    assert found._repr_html_().startswith("<iframe")
    assert sorted(results.folder.iterdir()) == before


def test_what_cannot_be_used_is_an_error_of_one_line(tmp_path):
    with pytest.raises(UnusableError, match="not a suite"):
        bench.run(str(tmp_path / "none.toml"), tmp_path / "run")


def test_importing_bench_loads_nothing_and_its_functions_stay():
    code = """
import sys
before = set(sys.modules)
import bench
loaded = set(sys.modules) - before
assert {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names} == {"bench"}, loaded
import bench.run.runner, bench.report.tables, bench.compare.command
from bench import compare, report, run
assert all(callable(each) and each.__module__ == "bench" for each in (compare, report, run))
"""
    told = python("-c", code)
    assert told.returncode == 0, told.stderr
