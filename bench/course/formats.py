"""The results as text, JSON, JUnit XML, and for GitHub Classroom and Gradescope (otter-grader's form)."""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from junitparser import Failure, JUnitXml, Properties, Property, TestCase, TestSuite

from bench.core.text import one_line
from bench.course.result import Result
from bench.course.tasks import EXERCISES

Results = Sequence[Result]
Write = Callable[[Results, bool], str]
SCHEMA = 1


def total(results: Results) -> tuple[int, int]:
    """Points, and how many there could be."""
    return sum(result.points for result in results), sum(result.task.points for result in results)


def text(results: Results, hint: bool) -> str:
    """For a terminal: each exercise, its points, what is wrong."""
    return "\n".join(_lines(results, hint)) + "\n"


def _lines(results: Results, hint: bool) -> Iterator[str]:
    for exercise in EXERCISES:
        own = [result for result in results if result.task.exercise == exercise]
        if own:
            points, possible = total(own)
            yield f"{exercise}.py: {points} of {possible} points"
            yield from (result.message(hint) for result in own)
            yield ""
    points, possible = total(results)
    yield f"Total: {points} of {possible} points"


def as_json(results: Results, hint: bool) -> str:
    """Everything, for a program."""
    points, possible = total(results)
    tasks = [_plain(result, hint) for result in results]
    return _dumped({"schema": SCHEMA, "points": points, "possible": possible, "tasks": tasks})


def _plain(result: Result, hint: bool) -> dict[str, Any]:
    task = result.task
    return {
        "id": result.id,
        "equation": task.equation,
        "title": task.title,
        "link": task.link,
        "status": result.status,
        "points": result.points,
        "possible": task.points,
        "lines": [] if hint else list(result.lines),
        "hint": result.hint,
        "notes": list(result.notes),
        "seconds": round(result.seconds, 3),
    }


def junit(results: Results, hint: bool) -> str:
    """A suite an exercise, a test case a task, with its points as properties."""
    report = JUnitXml("course")
    for exercise in EXERCISES:
        suite = TestSuite(exercise)
        for result in results:
            if result.task.exercise == exercise:
                suite.add_testcase(_case(result, hint))
        if len(suite):
            report.add_testsuite(suite)
    report.update_statistics()
    return str(report.tostring().decode("utf-8"))


def _case(result: Result, hint: bool) -> TestCase:
    case = TestCase(result.task.function, classname=result.task.exercise, time=round(result.seconds, 3))
    properties = Properties()
    properties.add_property(Property("points", str(result.points)))
    properties.add_property(Property("possible", str(result.task.points)))
    case.append(properties)
    if not result.ok:
        failure = Failure(result.headline(), result.status)
        failure.text = _printable(result.message(hint))
        case.result = [failure]
    return case


def _printable(lines: str) -> str:
    """Without the characters that XML cannot hold."""
    return "\n".join(f"  {one_line(line)}" if line.startswith(" ") else one_line(line) for line in lines.split("\n"))


def gradescope(results: Results, hint: bool) -> str:
    """`results.json`, in the form that otter-grader writes for Gradescope: a score and a greatest score each task."""
    tests = [
        {
            "name": result.id,
            "score": result.points,
            "max_score": result.task.points,
            "status": "passed" if result.ok else "failed",
            "visibility": "visible",
            "output": result.message(hint),
        }
        for result in results
    ]
    return _dumped({"tests": tests})


def classroom(results: Results, hint: bool) -> str:
    """What the reporter of GitHub Classroom reads from the environment: JSON in base64, on one line."""
    tests = [
        {
            "name": result.id,
            "status": "pass" if result.ok else "fail",
            "score": result.points,
            "message": result.message(hint),
            "test_code": "",
            "filename": result.task.file,
            "line_no": 0,
            "execution_time": f"{result.seconds:.3f}s",
        }
        for result in results
    ]
    points, possible = total(results)
    status = "pass" if points == possible else "fail"
    told = {"version": 1, "status": status, "max_score": possible, "tests": tests}
    return base64.b64encode(json.dumps(told).encode("utf-8")).decode("ascii") + "\n"


def _dumped(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


FORMATS: dict[str, Write] = {
    "text": text,
    "json": as_json,
    "junit": junit,
    "gradescope": gradescope,
    "classroom": classroom,
}
