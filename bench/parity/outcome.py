"""How one cell of the parity matrix came out, as one JSON line."""

from typing import Any, Literal, NamedTuple

from bench.core.models import NotNegative
from bench.parity.cells import ParityCell

ParityStatus = Literal["agrees", "ill_conditioned", "differs", "diverged", "failed"]


class ParityOutcome(NamedTuple):
    """`difference`: largest relative difference of the cost over all `steps`; `step`: where it was, from 1."""

    cell: ParityCell
    status: ParityStatus
    difference: NotNegative | None = None
    step: int | None = None
    steps: int | None = None
    reason: str = ""

    @property
    def row(self) -> dict[str, Any]:
        """The outcome as flat names and values."""
        return {**self.cell._asdict(), **{name: value for name, value in self._asdict().items() if name != "cell"}}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "ParityOutcome":
        """The outcome of such a row."""
        cell = ParityCell(**{name: row[name] for name in ParityCell._fields})
        return cls(cell, **{name: row[name] for name in cls._fields if name != "cell"})
