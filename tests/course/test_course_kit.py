"""What `course new` writes, and what `course grade` prints: in the forms that graders read."""

import ast
import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from course_mistakes import MISTAKES, solved
from junitparser import JUnitXml

from bench.course import kit
from bench.course.blanks import blanked
from bench.course.formats import FORMATS
from bench.course.grader import Grader
from bench.course.result import Result
from bench.course.tasks import EXERCISES, POSSIBLE, TASKS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "derivation"


def scratchbench(*arguments, cwd=None):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "bench", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=250)


@pytest.fixture
def new(tmp_path):
    folder = tmp_path / "mine"
    assert kit.new(folder, kit.GRADERS) == 0
    return folder


@pytest.fixture(scope="module")
def mixed():
    """Results of every kind."""
    lines = ("BP3.2, gradient of the weights, is wrong.", "dW[1]: yours 1, expected 2\x00 <b>.")
    odd = {"scalar.loss": "wrong", "batch.cost": "error", "batch.relu": "blank", "optimizers.adam": "timeout"}
    return [Result(id, odd.get(id, "right"), lines if id in odd else (), "Look at it.") for id in TASKS]


def test_every_task_is_a_blank_and_no_solution_is_in_the_folder(new):
    everything = "\n".join(path.read_text("utf-8") for path in new.rglob("*") if path.is_file())
    assert "SOLUTION" not in everything
    for exercise in EXERCISES:
        text = (new / f"{exercise}.py").read_text("utf-8")
        functions = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
        assert list(functions) == [task.function for task in TASKS.values() if task.exercise == exercise]
        for function in functions.values():
            document, blank = function.body
            assert isinstance(document, ast.Expr)
            assert ast.unparse(blank) == "raise NotImplementedError"
    bodies = re.findall(r"# BEGIN SOLUTION\n(.*?)# END SOLUTION", "".join(map(solved, EXERCISES)), re.DOTALL)
    assert len(bodies) == len(TASKS)
    assert not any(body.strip() in everything for body in bodies)


def test_blanks_keep_what_is_around_them():
    text = "def f(x):\n    '''F.'''\n    # BEGIN SOLUTION\n    return x\n    # END SOLUTION\n\n\nG = 1\n"
    expected = "def f(x):\n    '''F.'''\n    # YOUR CODE HERE\n    raise NotImplementedError\n\n\nG = 1\n"
    assert blanked(text) == expected


def test_a_new_folder_has_no_points(new):
    with Grader(new) as grader:
        results = grader.all()
    assert {one.status for one in results} == {"blank"}
    assert sum(one.points for one in results) == 0


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_links_lead_to_a_heading(task):
    page, _, anchor = task.link.partition("#")
    headings = re.findall(r"^#+ (.*)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_instructions_name_every_task_with_its_page(new):
    text = (new / "README.md").read_text("utf-8")
    for task in TASKS.values():
        row = f"| `{task.function}` | {task.title} | [{task.equation}]({kit.page(task.link)}) | {task.points} |"
        assert row in text


@pytest.mark.parametrize("name", ["folder", "file"])
def test_what_exists_is_refused_in_one_line(tmp_path, name):
    (tmp_path / "file").write_text("mine")
    target = tmp_path if name == "folder" else tmp_path / "file"
    ended = scratchbench("course", "new", target)
    assert ended.returncode == 2
    assert re.fullmatch(r"error: .* is (not empty|a file); expected: a new or an empty folder\n", ended.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_empty_folder_is_used(tmp_path):
    assert kit.new(tmp_path) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {*(f"{one}.py" for one in EXERCISES), "README.md", "test_course.py", "conftest.py", "pytest.ini"}


def test_grade_says_points_and_exit_codes(folder):
    ended = scratchbench("course", "grade", folder, "--task", "scalar.loss,batch.cost")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Total: 7 of 7 points" in ended.stdout
    (folder / "batch.py").write_text(solved("batch", {"cost": MISTAKES["batch.cost"]["sum"]}), "utf-8")
    ended = scratchbench("course", "grade", folder, "--task", "scalar.loss,batch.cost")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert "Total: 3 of 7 points" in ended.stdout
    assert "batch.cost: wrong (0 of 4 points)" in ended.stdout
    assert scratchbench("course", "grade", folder / "nowhere").returncode == 2


def test_options_that_are_not_known_are_refused():
    for arguments in (["new", "x", "--graders", "moodle"], ["grade", ".", "--task", "scalar.x"]):
        ended = scratchbench("course", *arguments)
        assert ended.returncode == 2
        assert "allowed:" in ended.stderr


def test_junit_has_points_as_properties(mixed):
    report = JUnitXml.fromstring(FORMATS["junit"](mixed, False).encode())
    assert [suite.name for suite in report] == list(EXERCISES)
    cases = {f"{case.classname}.{case.name}": case for suite in report for case in suite}
    assert list(cases) == list(TASKS)
    for one in mixed:
        properties = {p.name: p.value for p in next(iter(cases[one.id].iterchildren(_properties())))}
        assert properties == {"points": str(one.points), "possible": str(one.task.points)}
        assert cases[one.id].is_passed == one.ok
    assert (report.tests, report.failures) == (len(TASKS), 4)


def _properties():
    from junitparser import Properties

    return Properties


def test_json_has_points_and_lines(mixed):
    told = json.loads(FORMATS["json"](mixed, False))
    assert (told["points"], told["possible"]) == (100 - 3 - 4 - 2 - 12, POSSIBLE)
    assert {one["id"]: one["points"] for one in told["tasks"]} == {one.id: one.points for one in mixed}
    assert json.loads(FORMATS["json"](mixed, True))["tasks"][2]["lines"] == []


def test_classroom_is_what_its_reporter_adds_up(mixed):
    told = json.loads(base64.b64decode(FORMATS["classroom"](mixed, False)))
    # The sum that src/notify-classroom.js of classroom-resources/autograding-grading-reporter makes.
    assert sum(test["score"] for test in told["tests"]) == 79
    assert (told["max_score"], told["status"]) == (100, "fail")
    assert {test["status"] for test in told["tests"]} == {"pass", "fail"}


def test_gradescope_has_a_score_for_each_task(mixed):
    tests = json.loads(FORMATS["gradescope"](mixed, False))["tests"]
    assert sum(test["score"] for test in tests) == 79
    assert sum(test["max_score"] for test in tests) == 100
    assert all(set(test) == {"name", "score", "max_score", "status", "visibility", "output"} for test in tests)


def test_files_for_classroom(new):
    tests = json.loads((new / ".github/classroom/autograding.json").read_text("utf-8"))["tests"]
    assert {test["run"].rpartition(" ")[2]: test["points"] for test in tests} == {
        id: task.points for id, task in TASKS.items()
    }
    expected = {"name", "setup", "run", "input", "output", "comparison", "timeout", "points"}
    assert all(set(test) == expected for test in tests)
    workflow = (new / ".github/workflows/classroom.yml").read_text("utf-8")
    assert 'COURSE_RESULTS: "${{ steps.course.outputs.result }}"' in workflow
    assert "runners: course" in workflow


def test_files_for_otter(new):
    for task in TASKS.values():
        space = {}
        exec((new / "tests" / f"{task.exercise}_{task.function}.py").read_text("utf-8"), space)
        assert space["OK_FORMAT"] is True
        assert (space["test"]["name"], space["test"]["points"]) == (task.id, task.points)
        (suite,) = space["test"]["suites"]
        assert suite["type"] == "doctest"
        assert f'>>> points("{task.id}")\n{task.points}\n' in suite["cases"][0]["code"]


def test_files_for_nbgrader(new):
    notebook = json.loads((new / "course.ipynb").read_text("utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["metadata"]["nbgrader"]["points"] for cell in cells] == [task.points for task in TASKS.values()]
    assert len({cell["metadata"]["nbgrader"]["grade_id"] for cell in cells}) == len(TASKS)
    assert all(cell["metadata"]["nbgrader"]["schema_version"] == 3 for cell in cells)
    assert all(cell["source"].endswith(f'points("{id}")') for cell, id in zip(cells, TASKS, strict=True))


def test_points_for_a_notebook(folder, capsys):
    from bench.course import points

    (folder / "batch.py").write_text(solved("batch", {"cost": MISTAKES["batch.cost"]["sum"]}), "utf-8")
    assert points("batch.cost", folder) == 0
    assert "(24), cost: the mean of the losses, is wrong" in capsys.readouterr().out
    assert points("batch.softmax", folder) == 4
    assert capsys.readouterr().out == ""


def test_the_students_own_pytest(new):
    (new / "scalar.py").write_text(solved("scalar", {"loss": MISTAKES["scalar.loss"]["sign"]}), "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for option, said in ((), "yours"), (("--hint",), "Look at (15)"):
        command = [sys.executable, "-m", "pytest", "-k", "scalar", "--junitxml", "points.xml", *option]
        ended = subprocess.run(command, cwd=new, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 1, ended.stdout
        assert "1 failed, 7 passed" in ended.stdout
        assert said in ended.stdout
        assert "Traceback" not in ended.stdout
    assert '<property name="points" value="0"' in (new / "points.xml").read_text("utf-8")


@pytest.mark.parametrize("command", [["new"], ["grade"], []])
def test_help_says_how(command):
    ended = scratchbench("course", *command, "--help")
    assert ended.returncode == 0
    assert ended.stdout.startswith("Usage: python -m bench course")
    assert ("Exit codes" in ended.stdout) == (command == ["grade"])
