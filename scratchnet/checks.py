"""What a value handed in by a user may be: each check raises one line that names it, its value and what is allowed.

Constructors and public methods check once, before the work; nothing is checked in the training step. A NumPy scalar is
accepted wherever a Python number is, and converted here, so that all that is kept can be saved as JSON.
"""

import os
from collections.abc import Collection
from math import isfinite
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np

LONGEST_VALUE = 60


def positive(name: str, value: Any) -> float:
    """A finite number greater than 0, as a float.

    Raises
    ------
    TypeError, ValueError
    """
    allowed = "a finite number greater than 0"
    number = _real(name, value, allowed)
    return _allowed(name, number, number > 0 and isfinite(number), allowed)


def not_negative(name: str, value: Any) -> float:
    """A finite number, 0 or greater, as a float.

    Raises
    ------
    TypeError, ValueError
    """
    allowed = "a finite number, 0 or greater"
    number = _real(name, value, allowed)
    return _allowed(name, number, number >= 0 and isfinite(number), allowed)


def fraction(name: str, value: Any) -> float:
    """A number in [0, 1), as a float.

    Raises
    ------
    TypeError, ValueError
    """
    allowed = "0 or greater, and less than 1"
    number = _real(name, value, allowed)
    return _allowed(name, number, 0 <= number < 1, allowed)


def integer(name: str, value: Any, least: int) -> int:
    """A whole number of at least that, as an int.

    Raises
    ------
    TypeError, ValueError
    """
    value, allowed = _scalar(value), f"{least} or more, a whole number"
    if not isinstance(value, Integral) or isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} is {shown(value)}; allowed: {allowed}")
    if value < least:
        raise ValueError(f"{name} is {int(value)}; allowed: {allowed}")
    return int(value)


def flag(name: str, value: Any) -> bool:
    """True or False, as a bool.

    Raises
    ------
    TypeError
    """
    if not isinstance(_scalar(value), bool | np.bool_):
        raise TypeError(f"{name} is {shown(value)}; allowed: True or False")
    return bool(value)


def instance(name: str, value: Any, kind: type | tuple[type, ...], allowed: str) -> None:
    """An object of that class.

    Raises
    ------
    TypeError
    """
    if not isinstance(value, kind):
        given = f"the class {value.__name__}" if isinstance(value, type) else shown(value)
        raise TypeError(f"{name} is {given}; allowed: {allowed}")


def file_path(path: Any) -> Path:
    """The path of a file.

    Raises
    ------
    TypeError
    """
    instance("path", path, (str, os.PathLike), "the path of a file, such as 'network.npz'")
    return Path(path)


def convert(record: Any, **values: Any) -> None:
    """Put converted values into the fields of a frozen dataclass, from its `__post_init__`."""
    for name, value in values.items():
        object.__setattr__(record, name, value)


def shown(value: Any) -> str:
    """The value as a message shows it: on one line, and not long."""
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of shape {value.shape}"
    text = " ".join(repr(value.item() if isinstance(value, np.generic) else value).split())
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."


def known(kind: str, name: Any, table: Collection[str]) -> None:
    """A name that stands in the table.

    Raises
    ------
    ValueError
    """
    if not isinstance(name, str) or name not in table:
        raise ValueError(f"{kind} {shown(name)} is not known; allowed: {', '.join(table)}")


def chosen(variable: str, libraries: Collection[str], installed: Collection[str], preferred: str) -> str:
    """The library that the environment variable names, else the preferred one.

    Raises
    ------
    ValueError
        Where it names none of the libraries, or one that is not installed.
    """
    name = os.environ.get(variable) or preferred
    known(variable, name, libraries)
    if name not in installed:
        raise ValueError(f"{variable} is {name}, which is not installed: pip install 'scratchnet[{name}]'")
    return name


def _scalar(value: Any) -> Any:
    """What an array without dimensions holds; anything else as it is."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _real(name: str, value: Any, allowed: str) -> float:
    value = _scalar(value)
    if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} is {shown(value)}; allowed: {allowed}")
    return float(value)


def _allowed(name: str, value: float, holds: bool, allowed: str) -> float:
    if not holds:
        raise ValueError(f"{name} is {value}; allowed: {allowed}")
    return value
