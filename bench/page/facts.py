"""Nested facts, such as an environment, as rows of a table. Each source has a column; rows that differ come first."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bench.core.text import MISSING


class FactLine(NamedTuple):
    """One fact of every source, as text, and whether they are not all the same."""

    name: str
    values: tuple[str, ...]
    differs: bool


def fact_lines(*sources: Mapping[str, Any]) -> list[FactLine]:
    """Every fact that any source has; those that differ first, else in the order of the sources."""
    flat = [dict(_flat(source)) for source in sources]
    names = dict.fromkeys(name for each in flat for name in each)
    found = [(name, tuple(each.get(name, MISSING) for each in flat)) for name in names]
    return sorted((FactLine(name, values, len(set(values)) > 1) for name, values in found), key=lambda x: not x.differs)


def _flat(values: Mapping[Any, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, list | tuple) and any(isinstance(part, Mapping) for part in value):
            value = dict(enumerate(value, 1))
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{before}{name}: ")
        else:
            yield f"{before}{name}", _text(value)


def _text(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    return "none" if value == {} else str(value)
