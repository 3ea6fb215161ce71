"""What `locate` found, as plain data: this is the JSON, and every other form of the report is made from it."""

import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

Kind = Literal["mistake", "convention", "overflow", "precision"]
Verdict = Literal["right", "mistake", "convention"]
SCHEMA = 1


@dataclass(frozen=True)
class Reason:
    """A mistake of the library that makes the same numbers."""

    id: str
    cause: str
    equation: str
    layers: tuple[int, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as the spec says. Numbers are those of one element, the one that is furthest off.

    index : of the element, from 0, in the derivation's layout: (neuron, input) of W, (neuron, example) of Z, A, delta.
    ratio : yours / expected, None where that is no number.
    causes : empty where nothing in the library makes these numbers; several where they make the same numbers.
    distance : by how much the numbers that a cause makes differ from yours at most, over the largest of them.
    """

    kind: Kind
    equation: str
    title: str
    formula: str
    link: str
    hint: str
    layer: int
    tensor: str
    moment: str
    index: tuple[int, ...]
    yours: float
    expected: float
    ratio: float | None
    causes: tuple[Reason, ...]
    distance: float | None
    tensors: tuple[str, ...]
    excluded: int
    note: str = ""


@dataclass(frozen=True)
class Tensor:
    """One tensor over all moments: the largest deviation from the reference, and what rounding may make of it."""

    name: str
    equation: str
    deviation: float
    allowed: float
    right: bool
    moments: int


@dataclass(frozen=True)
class Difference:
    """A tensor's gradient beside central differences of the cost that the subject itself reports."""

    tensor: str
    ratio: float
    elements: int
    agrees: bool


@dataclass(frozen=True)
class Document:
    """The whole report."""

    subject: str
    spec: str
    problem: str
    layout: str
    dtype: str
    offered: tuple[str, ...]
    findings: tuple[Finding, ...]
    tensors: tuple[Tensor, ...]
    differences: tuple[Difference, ...]
    steps: int
    tried: int
    notes: tuple[str, ...]
    versions: dict[str, str] = field(default_factory=lambda: versions())
    schema: int = SCHEMA

    @property
    def mistakes(self) -> list[Finding]:
        """What is wrong."""
        return [finding for finding in self.findings if finding.kind == "mistake"]

    @property
    def verdict(self) -> Verdict:
        """`convention`: cost and gradient agree, but are of another definition than the spec's."""
        if self.mistakes:
            return "mistake"
        return "convention" if any(one.kind == "convention" for one in self.findings) else "right"

    @property
    def right(self) -> list[Tensor]:
        """What need not be touched."""
        return [tensor for tensor in self.tensors if tensor.right]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: no NaN, no infinity."""
        return {"verdict": self.verdict, **_plain(asdict(self))}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    return value


def versions() -> dict[str, str]:
    """What the reference was computed with."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        own = version("scratchnet")
    except PackageNotFoundError:
        own = "not installed"
    return {"scratchnet": own, "numpy": np.__version__, "python": platform.python_version()}


def joined(names: Iterable[str]) -> str:
    """`a, b and c`."""
    parts: Sequence[str] = list(names)
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
