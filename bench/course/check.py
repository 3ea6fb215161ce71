"""Checks one task in this process: the student's function in an otherwise right network, and `locate`'s finding."""

import importlib.util
import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.core.address import page
from bench.core.errors import UnusableError
from bench.course.calls import Called, NotDoneError, TaskError, told
from bench.course.network import CourseNetwork, spec_for
from bench.course.result import Result
from bench.course.tasks import TASKS, Task
from bench.locate import words
from bench.locate.document import Document, Finding
from bench.locate.explain import explained
from bench.locate.run import Report, locate
from bench.locate.state import LARGE_INPUTS

WRONG = ("mistake", "convention")
"""A convention is one where a whole network keeps to it; a single function that has another one is wrong."""
ACCEPTED = ("adam-epsilon-of-algorithm-1",)
"""Conventions of a single function that get all points: the paper's ε, which other libraries have too."""
EXERCISED_BY = {
    "scalar": ("scalar",),
    "vector": ("vector",),
    "batch": ("batch",),
    "optimizers": ("batch", "optimizers"),
}
"""Exercise → the solutions that make its network."""


def check(folder: Path, task: Task) -> Result:
    """The verdict of one task of a student's folder."""
    try:
        return check_function(task, function_of(folder, task))
    except NotDoneError as error:
        return Result(task.id, "blank", (f"{error}.", where(task)), hint_for(task))
    except UnusableError as error:
        return Result(task.id, "error", (f"{error}.", where(task)), f"{error}.")
    except Exception as error:
        line = f"The grader itself failed, which is no fault of yours; please tell it: {told(error)}."
        return Result(task.id, "error", (line,), line)


def check_function(task: Task, student: Any) -> Result:
    """The verdict of one function.

    Raises UnusableError: where it gives no answer that could be compared.
    """
    solutions = solutions_for(task.exercise)
    called = Called(task.function, student, solutions[task.function])
    functions = {**solutions, task.function: called}
    try:
        report = _report(task, functions)
    except UnusableError as error:
        raise called.fault or error from None
    notes = tuple(f"Note: {note}." for note in called.notes.values())
    found = verdict(task, report.document, notes)
    return _remembers_another(task, called.remembered) if found.ok and called.remembered else found


def _remembers_another(task: Task, told: str) -> Result:
    """Right parameters, and another value beside them than the task asks for."""
    lines = (f"{task.equation}, {task.title}: the new parameter is right, another value is not.", f"{told}.")
    return Result(task.id, "wrong", (*lines, where(task)), hint_for(task))


def _report(task: Task, functions: dict[str, Any]) -> Report:
    return locate(
        lambda: CourseNetwork(task.exercise, functions, rule_of(task)),
        spec_for(task.exercise, task.function),
        name=task.id,
    )


def verdict(task: Task, document: Document, notes: tuple[str, ...]) -> Result:
    """What `locate` found, in the words of the task."""
    usual = [finding for finding in document.findings if finding.moment != LARGE_INPUTS]
    wrong = [finding for finding in usual if finding.kind in WRONG and not _is_accepted(finding)]
    if wrong:
        return Result(task.id, "wrong", tuple(_lines(task, wrong[0])), hint_for(task, wrong[0]), notes)
    limited = any(one.tensor.startswith("A") for one in document.findings if one not in usual)
    accepted = tuple(f"Note: {one.causes[0].cause}." for one in usual if _is_accepted(one))
    said = ("Note: large numbers: it overflows where weighted inputs are large.",) if limited else ()
    return Result(task.id, "right", notes=(*notes, *accepted, *said))


def _is_accepted(finding: Finding) -> bool:
    return any(reason.id in ACCEPTED for reason in finding.causes) and finding.kind == "convention"


def _lines(task: Task, finding: Finding) -> list[str]:
    """The equation, both numbers at one element, the cause, the page."""
    return [
        f"{task.equation}, {task.title}, is wrong.",
        f"{words.element(finding)}, {finding.moment}: {words.numbers(finding)}.",
        words.cause(finding),
        where(task),
    ]


def where(task: Task) -> str:
    """Where to read on."""
    return f"Read {page(task.link)}"


def hint_for(task: Task, finding: Finding | None = None) -> str:
    """A question that leads there."""
    question = f" {explained(finding.equation).hint}" if finding else ""
    return f"Look at {task.equation}, {task.title}.{question} {where(task)}"


def rule_of(task: Task) -> str:
    """The function that updates in the network of that task."""
    return task.function if task.exercise == "optimizers" else "update"


def solutions_for(exercise: str) -> dict[str, Any]:
    """The solution's functions by name."""
    modules = [import_module(f"bench.course.solutions.{name}") for name in EXERCISED_BY[exercise]]
    return {task.function: getattr(module, task.function) for module in modules for task in _tasks_of(module)}


def _tasks_of(module: ModuleType) -> list[Task]:
    return [task for task in TASKS.values() if task.exercise == module.__name__.rpartition(".")[2]]


def function_of(folder: Path, task: Task) -> Any:
    """The student's function.

    Raises TaskError: where the file cannot be imported, or has no such function.
    """
    functions, fault = _imported(folder / task.file)
    if fault:
        raise TaskError(fault)
    if not callable(functions.get(task.function)):
        raise TaskError(f"{task.file} has no function {task.function}; expected: `def {task.function}(...)`")
    return functions[task.function]


@cache
def _imported(path: Path) -> tuple[Mapping[str, Any], str]:
    """What the file defines, or the line that says why it cannot be imported: once, for all its tasks."""
    if not path.is_file():
        return {}, f"{path.name} is missing in {path.parent}"
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        return {}, f"{path.name} cannot be imported: {told(error)}"
    return vars(module), ""
