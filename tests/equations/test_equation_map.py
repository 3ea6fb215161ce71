"""docs/equations.md leads from every equation to its derivation, code and test; where it would not, the check fails."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("docs/derivation", "docs/equations.toml", "docs/equations.md", "docs/make_equations.py", "scratchnet")
TESTS = "tests/equations"
TABLE, PAGE = "docs/equations.toml", "docs/equations.md"
ROW_27 = re.compile(r'\[\[equation]]\nid = "27"\n(?:.+\n)+')


def run(root, *arguments):
    script = [sys.executable, str(root / "docs/make_equations.py"), *arguments]
    return subprocess.run(script, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path):
    """What the check reads, whole and right."""
    for part in (*PARTS, TESTS):
        source, target = ROOT / part, tmp_path / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return tmp_path


def change(path, old, new):
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path}"
    path.write_text(text.replace(old, new), "utf-8")


def row_27(root):
    return ROW_27.search((root / TABLE).read_text("utf-8"))[0]


def test_every_equation_has_a_derivation_code_and_a_test():
    result = run(ROOT, "--check")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_the_map_has_59_equations_each_once():
    rows = [line for line in (ROOT / PAGE).read_text("utf-8").splitlines() if line.startswith("| [")]
    assert len(rows) == 51 + 8
    tests = [row.rsplit("| [`", 1)[1].partition("`")[0] for row in rows]
    assert tests == [
        *(f"test_equation_{number:02d}" for number in range(1, 52)),
        *(f"test_bp{part}_{of}" for of in (1, 2) for part in (1, 2, 3, 4)),
    ]


def test_every_link_of_the_page_leads_to_a_file():
    links = re.findall(r"\]\(([^()]+)\)", (ROOT / PAGE).read_text("utf-8"))
    assert len(links) >= 3 * 59
    assert [link for link in links if not (ROOT / "docs" / link.partition("#")[0]).is_file()] == []


BROKEN = {
    "the row is missing": (lambda root: change(root / TABLE, row_27(root), ""), "27: 0 rows; allowed: one"),
    "the row is there twice": (
        lambda root: change(root / TABLE, row_27(root), 2 * row_27(root)),
        "27: 2 rows; allowed: one",
    ),
    "the equation does not exist": (
        lambda root: change(root / TABLE, 'id = "27"', 'id = "BP5.1"'),
        "BP5.1: no such equation",
    ),
    "a key is missing": (
        lambda root: change(root / TABLE, row_27(root), re.sub("shape = .+\n", "", row_27(root))),
        "row 27 (27) has id, title, code, test; allowed: id, title, code, shape, test",
    ),
    "the code was renamed": (
        lambda root: change(root / "scratchnet/formulations/scalar.py", "def output_error(", "def output_errors("),
        "(27): there is no scratchnet.formulations.scalar:output_error",
    ),
    "the module was renamed": (
        lambda root: (root / "scratchnet/formulations/scalar.py").rename(root / "scratchnet/formulations/plain.py"),
        "(27): there is no scratchnet.formulations.scalar:output_error",
    ),
    "the code lost its number": (
        lambda root: change(root / "scratchnet/formulations/scalar.py", "equations (27) and (28)", "equation (28)"),
        "(27): scratchnet.formulations.scalar:output_error does not carry the number",
    ),
    "the test was renamed": (
        lambda root: change(
            root / TESTS / "test_equations_backward.py", "def test_equation_27(", "def test_equation_270("
        ),
        "(27): there is no test tests/equations/test_equations_backward.py::test_equation_27",
    ),
    "two rows have one test": (
        lambda root: change(root / TABLE, "py::test_equation_27", "py::test_equation_28"),
        "(27): test tests/equations/test_equations_backward.py::test_equation_28 is another equation's too",
    ),
    "the derivation lost the equation": (
        lambda root: change(root / "docs/derivation/backward.md", r"\tag{27}", r"\tag{27a}"),
        r"(27): 0 times \tag{27} in docs/derivation/*.md; allowed: once",
    ),
    "the derivation has it twice": (
        lambda root: change(root / "docs/derivation/backward.md", r"\tag{28}", r"\tag{27}"),
        r"(27): 2 times \tag{27} in docs/derivation/*.md; allowed: once",
    ),
    "the page is stale": (
        lambda root: change(root / TABLE, 'title = "sigmoid"', 'title = "the sigmoid function"'),
        "docs/equations.md is stale; run: python docs/make_equations.py",
    ),
}


def test_an_unbroken_copy_passes(copy):
    assert run(copy, "--check").returncode == 0


@pytest.mark.parametrize("how", BROKEN)
def test_the_check_fails_and_names_the_row_where(how, copy):
    break_it, message = BROKEN[how]
    break_it(copy)
    result = run(copy, "--check")
    assert result.returncode == 1
    assert message in result.stdout
    assert result.stderr == ""


def test_a_stale_page_is_made_new(copy):
    break_it, _ = BROKEN["the page is stale"]
    break_it(copy)
    assert run(copy).returncode == 0
    assert run(copy, "--check").returncode == 0
    assert "the sigmoid function" in (copy / PAGE).read_text("utf-8")
