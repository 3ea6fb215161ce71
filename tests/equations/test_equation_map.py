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


def broken(root, path, old, new):
    text = (root / path).read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path}"
    (root / path).write_text(text.replace(old, new), "utf-8")


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


ROW = re.search(r'\[\[equation]]\nid = "27"\n(?:.+\n)+', (ROOT / TABLE).read_text("utf-8"))[0]
SCALAR, BACKWARD = "scratchnet/formulations/scalar.py", "docs/derivation/backward.md"
CODE, TEST = (
    "scratchnet.formulations.scalar:output_error",
    "tests/equations/test_equations_backward.py::test_equation_2",
)
KEYS = "row 27 (27) has id, title, code, test; allowed: id, title, code, shape, test"
STALE = (
    TABLE,
    'title = "sigmoid"',
    'title = "the sigmoid function"',
    f"{PAGE} is stale; run: python docs/make_equations",
)
BROKEN = {
    "the row is missing": (TABLE, ROW, "", "27: 0 rows; allowed: one"),
    "the row is there twice": (TABLE, ROW, 2 * ROW, "27: 2 rows; allowed: one"),
    "the equation does not exist": (TABLE, 'id = "27"', 'id = "BP5.1"', "BP5.1: no such equation"),
    "a key is missing": (TABLE, ROW, re.sub("shape = .+\n", "", ROW), KEYS),
    "the code was renamed": (SCALAR, "def output_error(", "def output_errors(", f"(27): there is no {CODE}"),
    "the code lost its number": (SCALAR, "(27) and (28)", "(28)", f"(27): {CODE} does not carry the number"),
    "the test was renamed": (TEST.partition(":")[0], "n_27(", "n_270(", f"(27): there is no test {TEST}7"),
    "two rows have one test": (TABLE, "::test_equation_27", "::test_equation_28", f"(27): test {TEST}8 is another"),
    "the derivation lost the equation": (BACKWARD, r"\tag{27}", r"\tag{27a}", r"(27): 0 times \tag{27} in docs/"),
    "the derivation has it twice": (BACKWARD, r"\tag{28}", r"\tag{27}", r"(27): 2 times \tag{27} in docs/"),
    "the page is stale": STALE,
}


def test_an_unbroken_copy_passes(copy):
    assert run(copy, "--check").returncode == 0


@pytest.mark.parametrize("how", BROKEN)
def test_the_check_fails_and_names_the_row_where(how, copy):
    *change, message = BROKEN[how]
    broken(copy, *change)
    result = run(copy, "--check")
    assert (result.returncode, result.stderr) == (1, "")
    assert message in result.stdout


def test_a_module_that_was_renamed_is_missed(copy):
    (copy / SCALAR).rename(copy / "scratchnet/formulations/plain.py")
    assert f"(27): there is no {CODE}" in run(copy, "--check").stdout


def test_a_stale_page_is_made_new(copy):
    broken(copy, *STALE[:3])
    assert run(copy).returncode == 0
    assert run(copy, "--check").returncode == 0
    assert "the sigmoid function" in (copy / PAGE).read_text("utf-8")
