"""Writes a student's folder: exercises with blanks, instructions, tests, and files for the graders that schools use."""

import json
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from bench.core.address import REPOSITORY, page, revision
from bench.core.errors import EXIT_OK, UnusableError
from bench.core.text import one_line
from bench.course.blanks import blanked
from bench.course.tasks import EXERCISES, POSSIBLE, TASKS

Texts = Iterator[tuple[str, str]]
"""Path inside the folder, text."""
TIMEOUT_MINUTES = 10


def new(folder: Path, graders: Iterable[str] = ()) -> int:
    """Write the folder.

    Raises UnusableError: where there is something already, or it cannot be written.
    """
    told = one_line(folder, 200)
    if folder.exists() and not folder.is_dir():
        raise UnusableError(f"{told} is a file; expected: a new or an empty folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise UnusableError(f"{told} is not empty; expected: a new or an empty folder")
    for name, text in texts(graders):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"written: {told}; begin with {told}/README.md")
    return EXIT_OK


def texts(graders: Iterable[str] = ()) -> Texts:
    """All files of a folder."""
    for exercise in EXERCISES:
        solution = (files("bench.course.solutions") / f"{exercise}.py").read_text("utf-8")
        yield f"{exercise}.py", blanked(solution)
    for name in ("README.md", "test_course.py", "conftest.py", "pytest.ini"):
        yield name, _rendered(name)
    for grader in graders:
        yield from GRADERS[grader]()


def _rendered(name: str) -> str:
    environment = Environment(
        loader=PackageLoader("bench.course"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, YAML and Python
    )
    return environment.get_template(f"{name}.jinja").render(
        tasks=TASKS.values(), exercises=EXERCISES, possible=POSSIBLE, page=page, install=requirement()
    )


def requirement() -> str:
    """What pip installs: this version."""
    return f"scratchnet[bench] @ git+{REPOSITORY}@{revision()}"


def _classroom() -> Texts:
    """GitHub Classroom: a workflow that reports the points of all tasks; a list of tests for the older way."""
    yield ".github/workflows/classroom.yml", _rendered("classroom.yml")
    tests = [
        {
            "name": task.id,
            "setup": f"python3 -m pip install pytest '{requirement()}'",
            "run": f"scratchbench course grade . --task {task.id}",
            "input": "",
            "output": "",
            "comparison": "included",
            "timeout": TIMEOUT_MINUTES,
            "points": task.points,
        }
        for task in TASKS.values()
    ]
    yield ".github/classroom/autograding.json", json.dumps({"tests": tests}, indent=2) + "\n"


def _otter() -> Texts:
    """otter-grader: one test file a task, in OK format."""
    for task in TASKS.values():
        lines = ["", ">>> from bench.course import points", f'>>> points("{task.id}")', str(task.points), ""]
        case = {"code": "\n".join(lines), "hidden": False, "locked": False, "points": task.points}
        suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
        test = {"name": task.id, "points": task.points, "suites": [suite]}
        yield f"tests/{task.exercise}_{task.function}.py", f"OK_FORMAT = True\n\ntest = {test!r}\n"


def _nbgrader() -> Texts:
    """nbgrader: a notebook with a cell of points for each task; a number as its result is a partial credit."""
    cells = [_markdown("course", "# The course\n\nThe answers are in the files beside this notebook.")]
    for task in TASKS.values():
        cells.append(_point_cell(task.id, task.points))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    yield "course.ipynb", json.dumps(notebook, indent=1) + "\n"


def _markdown(id: str, source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": id, "metadata": {}, "source": source}


def _point_cell(id: str, points: int) -> dict[str, Any]:
    name = id.replace(".", "-")
    told = {"grade": True, "grade_id": name, "locked": True, "points": points, "schema_version": 3}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {"nbgrader": {**told, "solution": False, "task": False, "cell_type": "code"}},
        "outputs": [],
        "source": f'from bench.course import points\n\npoints("{id}")',
    }


GRADERS: dict[str, Callable[[], Texts]] = {"classroom": _classroom, "nbgrader": _nbgrader, "otter": _otter}
"""Name of a grader → the files that it reads."""
