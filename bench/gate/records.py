"""The pairs of a gate as append-only JSON lines, each on disk before the next is measured.

Schema history: 1, first version.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from bench.gate.pair import Pair
from bench.records.log import LogRecord, records_of

Clock = Literal["wall", "cpu", "own"]


class GateRecord(LogRecord):
    """The first line: which sides, by which rule, on which machine."""

    ABOUT = ("kind",)
    kind: Literal["gate"] = "gate"
    schema_version: Literal[1] = 1
    started: str = Field(description="UTC, ISO 8601")
    old: str
    new: str
    old_revision: str
    new_revision: str
    tolerance: float
    alpha: float
    seconds: float = Field(description="budget")
    cells: tuple[str, ...]
    commands: dict[str, str] = Field(default={}, description="cell → command; none: training")
    suites: tuple[str, ...] = Field(default=(), description="suites of benchmarks, each of which is a cell")
    tolerances: dict[str, float] = Field(default={}, description="name or pattern of cells → another tolerance")
    install: str = ""
    prepare: str = ""
    quantity: str = Field(default="seconds", description="what is compared")
    clock: Clock | None = Field(default=None, description="of the commands; null: training")
    threads: int | None = Field(description="of each side; null: a command may use any core")
    environment: dict[str, Any]


class ImportsRecord(LogRecord):
    """What a side of a command imported of its own tree's modules in the warm-up."""

    ABOUT = ("cell", "side")
    kind: Literal["imports"] = "imports"
    cell: str
    side: str
    checked: bool = Field(description="whether a Python process told what it imported")
    modules: dict[str, tuple[str, ...]] = Field(description="module → files that it was imported from")


class PairRecord(LogRecord):
    """One pair."""

    ABOUT = ("pair.cell", "pair.number")
    kind: Literal["pair"] = "pair"
    pair: Pair


_ADAPTER: TypeAdapter[GateRecord | ImportsRecord | PairRecord] = TypeAdapter(
    Annotated[GateRecord | ImportsRecord | PairRecord, Field(discriminator="kind")]
)


def pairs_of(folder: Path) -> dict[str, list[Pair]]:
    """Cell → its pairs, of every cell that was asked for.

    Raises UnusableError: with file and line, if a record cannot be read.
    """
    first, *rest = records_of(folder, _ADAPTER, GateRecord)
    pairs = [record.pair for record in rest if isinstance(record, PairRecord)]
    cells = first.cells if isinstance(first, GateRecord) else ()
    return {cell: [pair for pair in pairs if pair.cell == cell] for cell in cells}


def imports_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Cell → side → module → files, or "not checked" if no Python process told what it imported."""
    found: dict[str, dict[str, Any]] = {}
    for record in records_of(folder, _ADAPTER, GateRecord):
        if isinstance(record, ImportsRecord):
            found.setdefault(record.cell, {})[record.side] = record.modules if record.checked else "not checked"
    return found
