"""What a value given by a user may be: each check returns it converted, or raises one line that names it.

A wrong type is a TypeError, a wrong value a ValueError; both say what is allowed. Constructors and public methods check
once, nothing is checked in the training step. NumPy scalars become Python numbers, so that all can be saved as JSON.
"""

import inspect
import os
from collections.abc import Callable, Collection
from functools import partial
from math import inf
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any, ClassVar, get_origin

import numpy as np

LONGEST_VALUE = 60


def positive(name: str, value: Any) -> float:
    """A finite number greater than 0."""
    return _real(name, value, lambda number: 0.0 < number < inf, "a finite number greater than 0")


def not_negative(name: str, value: Any) -> float:
    """A finite number, 0 or greater."""
    return _real(name, value, lambda number: 0.0 <= number < inf, "a finite number, 0 or greater")


def fraction(name: str, value: Any) -> float:
    """A number in [0, 1)."""
    return _real(name, value, lambda number: 0.0 <= number < 1.0, "0 or greater, and less than 1")


def integer(name: str, value: Any, least: int) -> int:
    """A whole number, `least` or more."""
    value, allowed = _scalar(value), f"{least} or more, a whole number"
    if not isinstance(value, Integral) or isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} is {shown(value)}; allowed: {allowed}")
    if value < least:
        raise ValueError(f"{name} is {int(value)}; allowed: {allowed}")
    return int(value)


def flag(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(_scalar(value), bool | np.bool_):
        raise TypeError(f"{name} is {shown(value)}; allowed: True or False")
    return bool(value)


def known(kind: str, name: Any, table: Collection[str]) -> str:
    """A name in `table`; another one is a ValueError, whatever its type."""
    if not isinstance(name, str) or name not in table:
        raise ValueError(f"{kind} {shown(name)} is not known; allowed: {', '.join(table)}")
    return name


def instance(name: str, value: Any, kind: type | tuple[type, ...], allowed: str) -> None:
    """An object of that class."""
    if not isinstance(value, kind):
        given = f"the class {value.__name__}" if isinstance(value, type) else shown(value)
        raise TypeError(f"{name} is {given}; allowed: {allowed}")


def several(name: str, values: Any, check: Callable[[str, Any], Any]) -> tuple[Any, ...]:
    """A sequence whose items each pass the check."""
    if isinstance(values, str) or np.ndim(values) != 1:
        raise TypeError(f"{name} is {shown(values)}; allowed: a sequence of numbers")
    return tuple(check(name, value) for value in values)


def file_path(path: Any) -> Path:
    """The path of a file."""
    instance("path", path, (str, os.PathLike), "the path of a file, such as 'network.npz'")
    return Path(path)


def shown(value: Any) -> str:
    """The value as a message shows it: on one line, and not long."""
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of shape {value.shape}"
    text = " ".join(repr(value.item() if isinstance(value, np.generic) else value).split())
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."


def chosen(variable: str, libraries: Collection[str], installed: Collection[str], preferred: str) -> str:
    """The library that the environment variable names, else `preferred`; it must be one that is installed."""
    name = known(variable, os.environ.get(variable) or preferred, libraries)
    if name not in installed:
        raise ValueError(f"{variable} is {name}, which is not installed: pip install 'scratchnet[{name}]'")
    return name


Positive = Annotated[float, positive]
NotNegative = Annotated[float, not_negative]
Fraction = Annotated[float, fraction]
Count = Annotated[int, partial(integer, least=1)]
CountFromZero = Annotated[int, partial(integer, least=0)]
Flag = Annotated[bool, flag]


class Checked:
    """A dataclass whose fields are checked by the functions in their types, such as `Annotated[float, positive]`."""

    _checks: ClassVar[dict[str, Callable[[str, Any], Any]]] = {}

    def __init_subclass__(cls) -> None:
        annotations = [inspect.get_annotations(base) for base in reversed(cls.__mro__)]
        hints = {name: hint for own in annotations for name, hint in own.items()}
        cls._checks = {name: hint.__metadata__[0] for name, hint in hints.items() if get_origin(hint) is Annotated}

    def __post_init__(self) -> None:
        for name, check in self._checks.items():
            object.__setattr__(self, name, check(name, getattr(self, name)))


def _scalar(value: Any) -> Any:
    """The element of an array without dimensions; anything else as it is."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _real(name: str, value: Any, holds: Callable[[float], bool], allowed: str) -> float:
    value = _scalar(value)
    if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} is {shown(value)}; allowed: {allowed}")
    number = float(value)
    if not holds(number):
        raise ValueError(f"{name} is {number}; allowed: {allowed}")
    return number
