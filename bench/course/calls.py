"""Calls a student's function safely, with copies. Its answer has the form of the solution's, or an error says why."""

import copy
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.core.errors import UnusableError
from bench.core.text import one_line

Function = Callable[..., Any]
SAME = 1e-6
"""Coarser than rounding: what differs by more is another definition."""
OURS = str(Path(__file__).parents[1])


class TaskError(UnusableError):
    """A function that gives no answer which could be compared."""


class NotDoneError(TaskError):
    """A function that is still blank."""


class Called:
    """A student's function. Where the solution itself overflows, it is not asked, and the solution answers.

    `notes` collects what is no mistake but bad style; `fault` is the first reason for which there was no answer;
    `remembered` says which value for the next step is another one, which the parameters alone may not show.
    """

    def __init__(self, name: str, student: Function, solution: Function) -> None:
        self._name, self._student, self._solution = name, student, solution
        self.notes: dict[str, str] = {}
        self.fault: TaskError | None = None
        self.remembered = ""

    def __call__(self, *arguments: Any) -> Any:
        try:
            with np.errstate(over="raise", divide="raise", invalid="raise"):
                expected = self._solution(*copy.deepcopy(arguments))
        except FloatingPointError:
            return self._solution(*arguments)
        try:
            answer = matched(f"{self._name}(...)", self._answer(copy.deepcopy(arguments), arguments), expected)
            self._compare_remembered(answer, expected)
            return answer
        except TaskError as error:
            self.fault = self.fault or error
            raise

    def _compare_remembered(self, answer: Any, expected: Any) -> None:
        if not isinstance(expected, tuple) or self.remembered:
            return
        for n, (one, other) in enumerate(zip(answer, expected, strict=True)):
            if n and not np.allclose(one, other, rtol=SAME, atol=SAME * float(np.max(np.abs(other)))):
                first = tuple(int(i) for i in np.argwhere(~np.isclose(one, other, rtol=SAME))[0])
                numbers = f"yours {one[first]:.9g}, expected {other[first]:.9g}"
                self.remembered = f"{self._name}(...)[{n}], which is remembered for the next step: {numbers}"
                return

    def _answer(self, given: tuple[Any, ...], before: tuple[Any, ...]) -> Any:
        try:
            answer = self._student(*given)
        except NotImplementedError:
            raise NotDoneError(f"{self._name} is not done yet") from None
        except (Exception, SystemExit) as error:
            raise TaskError(f"{self._name}(...) raised {told(error)}") from error
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(given, before, strict=True)):
            self.notes["arguments"] = f"{self._name} changes its arguments; return a new list or array"
        return answer


def matched(place: str, answer: Any, expected: Any) -> Any:
    """The answer, of the same kind as the expected one: a tuple, a list, a number, an array.

    Raises TaskError: where it has another form.
    """
    if isinstance(expected, tuple):
        if not isinstance(answer, tuple | list) or len(answer) != len(expected):
            raise TaskError(f"{place} returned {_shown(answer)}; expected: {len(expected)} arrays")
        parts = zip(answer, expected, strict=True)
        return tuple(matched(f"{place}[{n}]", one, other) for n, (one, other) in enumerate(parts))
    array = _numbers(place, answer, np.shape(expected))
    if array.shape != np.shape(expected):
        wanted = np.shape(expected)
        has = f"shape {array.shape}" if len(wanted) > 1 else _form(array.shape)
        raise TaskError(f"{place} has {has}; expected: {_form(wanted)}")
    return array.tolist() if isinstance(expected, list | float) else array


def _numbers(place: str, answer: Any, shape: tuple[int, ...]) -> Any:
    try:
        array = np.asarray(answer)
    except (TypeError, ValueError):  # rows of unequal length
        array = np.asarray(None)
    if array.dtype.kind not in "biuf":
        raise TaskError(f"{place} returned {_shown(answer)}; expected: {_form(shape)}")
    return array.astype(np.float64)


def _form(shape: tuple[int, ...]) -> str:
    """In words: `one number`, `4 numbers`, `shape (4, 3)`."""
    return {0: "one number", 1: f"{shape[0]} numbers" if shape else ""}.get(len(shape), f"shape {shape}")


def _shown(answer: Any) -> str:
    return one_line(repr(answer), 80)


def told(error: BaseException) -> str:
    """`ValueError: reason (scalar.py:12)`: the last line of the student's own code."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(OURS)]
    where = f" ({frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno})" if frames else ""
    if isinstance(error, SyntaxError):
        where = f" ({str(error.filename).rpartition('/')[2]}:{error.lineno})"
        return f"{type(error).__name__}: {one_line(error.msg, 200)}{where}"
    return f"{type(error).__name__}: {one_line(error, 200)}{where}"
