"""The gate alone: without NumPy, SciPy, pandas, Matplotlib and the network, soon ready, and its plot as text."""

import json
import math
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bench.gate.decision import Rule
from bench.gate.outcome import result_of
from bench.gate.pair import Pair
from bench.gate.text_plot import text_plot

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
    "tensorflow",
    "keras",
    "numba",
    "scratchnet",
    "statsmodels",
    "rich",
    "jinja2",
)
ALONE = f"""
import sys
from importlib.machinery import PathFinder
class Installed:
    find_distributions = staticmethod(PathFinder.find_distributions)
    def find_spec(self, name, path=None, target=None):
        absent = name.partition(".")[0] in {HEAVY!r}
        return None if absent else PathFinder.find_spec(name, path, target)
sys.meta_path[:] = [Installed() if one is PathFinder else one for one in sys.meta_path]
sys.path.insert(0, {str(ROOT)!r})
from bench.cli import main
main(sys.argv[1:])
"""


def alone(folder, *arguments):
    """The gate where nothing heavy can be imported."""
    command = [sys.executable, "-c", ALONE, "gate", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_a_command_is_gated_without_anything_heavy(repo, tmp_path):
    repo.commit(seconds="1.0")
    repo.write(seconds="1.5")
    command = ("--command", "echo $(cat {tree}/seconds)", "--own-clock", "--out", str(tmp_path / "out"))
    done = alone(repo.folder, "--against", "HEAD", *command)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("FAIL: the work tree")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"gate.json", "gate.md", "gate.xml", "records.jsonl"} <= names
    assert "gate.png" not in names
    assert "●" in (tmp_path / "out" / "gate.md").read_text()


def test_a_suite_is_gated_without_anything_heavy(repo, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    repo.commit(**{"test_it.py": "def test_it(benchmark):\n    benchmark(sum, range(2000))\n"})
    options = ("--alpha", "20%", "--tolerance", "50%", "--out", str(tmp_path / "out"))
    done = alone(repo.folder, "--against", "HEAD", "--pytest", "test_it.py", *options)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out" / "gate.json").read_text())["cells"][0]["cell"] == "test_it.py::test_it"


def test_networks_of_this_project_need_numpy_and_say_so(repo):
    repo.commit(seconds="1.0")
    done = alone(repo.folder, "--against", "HEAD", "--cells", "784-8-10:500")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("is not installed; remedy: pip install scratchnet")


def test_it_is_ready_within_half_a_second(repo, tmp_path):
    """Until the first run of the command, which ends it: processor time, git's too, for the machine may be busy."""
    repo.commit(now="1")
    seconds = []
    for number in range(5):
        before = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
        alone(repo.folder, "--against", "HEAD", "--command", "exit 7 # {tree}", "--out", str(tmp_path / str(number)))
        seconds.append(sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before)
    assert min(seconds) < 0.5, seconds


def cell(*ratios):
    taken = {"cell": "c", "order": "AB", "old_seconds": (1.0,), "wall_seconds": 1.0}
    pairs = [Pair(number=at, new_seconds=(ratio,), **taken) for at, ratio in enumerate(ratios, 1)]
    return result_of("c", pairs, Rule())


def project_of(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


def test_the_distribution_of_the_gate_holds_the_code_and_the_versions_of_scratchnet():
    folder = ROOT / "packaging" / "gate"
    alone, whole = project_of(folder), project_of(ROOT)
    shared = [needed for needed in alone["dependencies"] if "python_version" not in needed]
    assert set(shared) < set(whole["optional-dependencies"]["bench"])
    assert [alone[key] for key in ("version", "scripts", "license")] == [
        whole[key] for key in ("version", "scripts", "license")
    ]
    for name in ("bench", "scratchbench.py", "LICENSE"):
        assert (folder / name).resolve() == ROOT / name


def test_the_plot_has_a_dot_for_each_pair():
    plot = text_plot(cell(1.0, 1.0, 1.1, 1.2))
    assert plot.count("●") == 4
    *rows, _, scale, legend = plot.splitlines()
    assert len(rows) == 2
    assert [float(end) for end in scale.split()] == pytest.approx([0.99, 1.21])
    assert legend == "│ equal, ┊ tolerance 3 %"


def test_the_plot_of_very_many_pairs_says_what_a_dot_is():
    plot = text_plot(cell(*[1.0] * 100))
    dots, _, legend = plot.rpartition("\n")
    assert dots.count("●") == math.ceil(100 / 9)
    assert legend.endswith("● is up to 9 pairs")
