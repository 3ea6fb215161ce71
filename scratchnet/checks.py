"""What a number handed in by a user may be: each check raises one line that names it, its value and what is allowed.

Fed by constructors, once; nothing is checked in the training step.
"""

import os
from collections.abc import Collection
from math import isfinite


def positive(name: str, value: float) -> float:
    """A finite number greater than 0, as a float.

    Raises
    ------
    ValueError
    """
    return _allowed(name, value, value > 0 and isfinite(value), "a finite number greater than 0")


def not_negative(name: str, value: float) -> float:
    """A finite number, 0 or greater, as a float.

    Raises
    ------
    ValueError
    """
    return _allowed(name, value, value >= 0 and isfinite(value), "a finite number, 0 or greater")


def fraction(name: str, value: float) -> float:
    """A number in [0, 1), as a float.

    Raises
    ------
    ValueError
    """
    return _allowed(name, value, 0 <= value < 1, "0 or greater, and less than 1")


def known(kind: str, name: str, table: Collection[str]) -> None:
    """A name that stands in the table.

    Raises
    ------
    ValueError
    """
    if name not in table:
        raise ValueError(f"{kind} {name!r} is not known; allowed: {', '.join(table)}")


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


def _allowed(name: str, value: float, holds: bool, allowed: str) -> float:
    if not holds:
        raise ValueError(f"{name} is {value}; allowed: {allowed}")
    return float(value)
