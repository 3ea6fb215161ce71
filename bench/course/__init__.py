"""The course: exercises from the derivation, one task per equation. Its grader says which equation is wrong."""

from importlib import import_module
from typing import Any

_PLACES = {
    "Grader": "bench.course.grader",
    "TASKS": "bench.course.tasks",
    "points": "bench.course.notebook",
}
"""What a student's test file may want of it → where it is: imported when it is asked for."""


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
