"""The console command as pip installs it, started in any folder, with faults planted in what it imports."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SUITE = """
rest_seconds = 0.0
backends = ["scratchnet"]
[[specs]]
name = "small"
architecture = { inputs = 784, layers = [{ units = 4, activation = "tanh" }, { units = 10, activation = "softmax" }] }
loss = "categorical_crossentropy"
optimizer = { learning_rate = 0.1 }
batch_size = 100
epochs = 2
seeds = [0]
data = { source = "mnist", train_examples = 1000, test_examples = 500 }
"""

# What pip writes for an entry of [project.scripts].
SCRIPT = "import sys\nfrom {module} import {function}\nif __name__ == '__main__':\n    sys.exit({function}())\n"


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """The script `scratchbench`, in a folder of its own."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, function = scripts["scratchbench"].split(":")
    path = tmp_path_factory.mktemp("bin") / "scratchbench"
    path.write_text(SCRIPT.format(module=module, function=function))
    return path


@pytest.fixture
def quick_doctor():
    """Code to plant: a doctor that makes each of its comparisons once, not four times; all it starts is started."""
    return "from bench.doctor import measure\nmeasure.PAIRS = 1\n"


@pytest.fixture
def scratchbench(installed, tmp_path):
    """Runs the console command; `planted` is Python code that runs before it, `without` names unset variables."""

    def run(*arguments, folder=tmp_path, planted="", without=(), **variables):
        plant = tmp_path / "planted"
        plant.mkdir(exist_ok=True)
        (plant / "sitecustomize.py").write_text(planted)
        environment = {name: value for name, value in os.environ.items() if name not in without}
        path = os.pathsep.join(map(str, ([plant, ROOT] if planted else [ROOT])))
        return subprocess.run(
            [sys.executable, str(installed), *map(str, arguments)],
            cwd=folder,
            env={**environment, "PYTHONPATH": path, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=240,
            check=False,
        )

    return run


@pytest.fixture
def commit_all():
    """Makes a folder a git repository whose first commit holds all its files."""

    def commit(folder):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        for command in (
            ["init", "--quiet"],
            ["add", "--all"],
            ["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "one"],
        ):
            subprocess.run(["git", *command], cwd=folder, env=environment, check=True)

    return commit


@pytest.fixture
def small_suite():
    """Text of a suite that trains in a second; `changes`: old → new."""

    def text(**changes):
        made = SUITE
        for old, new in changes.items():
            assert made.count(f'"{old}"') == 1
            made = made.replace(f'"{old}"', f'"{new}"')
        return made

    return text
