"""What the report says about an equation: title, formula, where it is derived, a hint."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

SUMS = ("BP3.2", "BP4.2")


@dataclass(frozen=True)
class Explained:
    """One equation; `formula` is TeX, `plain` the same as text, `link` a page and its heading in this repository."""

    title: str
    formula: str
    plain: str
    link: str
    hint: str


@cache
def _table() -> dict[str, Explained]:
    text = (files("bench.locate") / "equations.toml").read_text("utf-8")
    return {name: Explained(**entry) for name, entry in tomllib.loads(text).items()}


def explained(equation: str) -> Explained:
    """What is told of it; of several, what is told of the first."""
    return _table()[equation.split(" and ")[0].split(" or ")[0]]


def numbers() -> list[str]:
    """Every equation that can be told of."""
    return list(_table())
