"""The environments of A and B side by side, a line a value, what differs first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.core.text import MISSING


@dataclass(frozen=True)
class BothValues:
    """One value of both, as text."""

    name: str
    a: str
    b: str

    @property
    def differs(self) -> bool:
        """Whether the two are not the same."""
        return self.a != self.b


def side_by_side(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[BothValues]:
    """Every value that either has; those that differ first, else in the order of A, then of B."""
    in_a, in_b = dict(_flat(a)), dict(_flat(b))
    lines = [BothValues(name, in_a.get(name, MISSING), in_b.get(name, MISSING)) for name in in_a | in_b]
    return sorted(lines, key=lambda line: not line.differs)


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
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
