"""The notebooks run, and print what the committed outputs say; their badges and installations name this version."""

import re
import sys
import tomllib
from pathlib import Path

import pytest
from covering import weekly

nbformat = pytest.importorskip("nbformat", reason="of the extra `notebooks`, which tox installs")
pytest.importorskip("nbclient", reason="of the extra `notebooks`, which tox installs")

from bench.core.address import REPOSITORY  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "course"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LONG = [path for path in NOTEBOOKS if path.stem == "mnist"]
QUICK = [path for path in NOTEBOOKS if path not in LONG]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]

sys.path.insert(0, str(FOLDER))
from execute import executed  # noqa: E402


def printed(notebook):
    """What each code cell printed or returned as text; the names of objects hold addresses and are left out."""
    return [
        "".join(output.get("text", "") if output.output_type == "stream" else "" for output in cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def test_there_are_three():
    assert [path.stem for path in NOTEBOOKS] == ["backpropagation", "mnist", "sports"]


@pytest.mark.parametrize("path", [*QUICK, *weekly(*LONG)], ids=lambda path: path.stem)
def test_it_runs_and_prints_what_is_committed(path, monkeypatch):
    monkeypatch.chdir(FOLDER)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    kept = nbformat.read(path, as_version=4)
    nbformat.validate(kept)
    assert sum(map(bool, printed(kept))) >= 4
    assert printed(executed(path)) == printed(kept)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_committed_cell_failed(path):
    outputs = [output for cell in nbformat.read(path, as_version=4).cells for output in cell.get("outputs", [])]
    assert [one for one in outputs if one.output_type == "error" or one.get("name") == "stderr"] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_badge_and_installation_name_this_version(path):
    first, install, *_ = (cell.source for cell in nbformat.read(path, as_version=4).cells)
    owner = REPOSITORY.removeprefix("https://github.com/")
    address = f"https://colab.research.google.com/github/{owner}/blob/v{VERSION}/docs/course/{path.name}"
    assert re.search(rf"\[!\[Open in Colab\]\(colab.svg\)\]\({re.escape(address)}\)", first)
    assert f"@ git+{REPOSITORY}@v{VERSION}" in install


def test_the_sports_notebook_has_the_numbers_of_the_worked_example():
    page = (ROOT / "docs" / "derivation" / "worked-example.md").read_text("utf-8")
    notebook = nbformat.read(FOLDER / "sports.ipynb", as_version=4)
    numbers = {n for text in printed(notebook) for n in re.findall(r"-?\d+\.\d{6}", text)}
    assert len(numbers) >= 12
    assert {n for n in numbers if n not in page} == set()
