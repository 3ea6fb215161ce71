"""The epochs of a run as columns: a run may have a million of them, and that many objects would fill the memory."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.records.scores import ACCURACIES, ERRORS

# What is kept of an `EpochRecord`, and as what. A text is a category, for the same one stands in many epochs.
KEPT: dict[str, str] = {
    **dict.fromkeys(("spec", "backend"), "category"),
    **dict.fromkeys(("seed", "attempt", "epoch"), "int64"),
    "warm_up": "bool",
    "turn": "int64",
    **dict.fromkeys(("epoch_seconds", "cpu_seconds", "samples_per_second", "train_cost"), "float64"),
    **dict.fromkeys((*ACCURACIES, *ERRORS), "float64"),
    "stopped": "bool",
    "batches_fingerprint": "category",
}
IDENTITY = ["spec", "backend", "seed", "attempt", "epoch"]
BLOCK = 128
"""Few enough for a processor's cache: with 1000, reading took a quarter longer."""

Attempt = tuple[str, int, int]
Process = tuple[str, int, str]


class EpochColumns:
    """Turns epochs that come one after another into columns. At most `BLOCK` epochs are objects at a time."""

    def __init__(self, kept: Mapping[str, str] = KEPT) -> None:
        self._kept = kept
        self._rows: list[Mapping[str, Any]] = []
        self._blocks: dict[str, list[NDArray[Any]]] = {name: [] for name in kept}
        self._codes: dict[str, dict[str, int]] = {name: {} for name, kind in kept.items() if kind == "category"}

    def add(self, row: Mapping[str, Any]) -> None:
        """One more epoch: the name of each field → its value."""
        self._rows.append(row)
        if len(self._rows) == BLOCK:
            self._end_block()

    def table(self, specs: Sequence[str], backends: Sequence[str]) -> pd.DataFrame:
        """All epochs, sorted by `IDENTITY`, with specs and backends in the given order."""
        self._end_block()
        table = pd.DataFrame({name: self._column(name) for name in self._kept}, copy=False)
        for name, first in (("spec", specs), ("backend", backends)):
            table[name] = table[name].cat.set_categories(_texts(dict.fromkeys([*first, *self._codes[name]])))
        order = np.lexsort([_numbers(table[name]) for name in reversed(IDENTITY)])
        return pd.DataFrame({name: table.pop(name).array.take(order) for name in self._kept}, copy=False)

    def _end_block(self) -> None:
        for name, kind in self._kept.items():
            values = [row[name] for row in self._rows]
            self._blocks[name].append(self._coded(name, values) if kind == "category" else np.array(values, dtype=kind))
        self._rows = []

    def _coded(self, name: str, texts: Sequence[str]) -> NDArray[np.int32]:
        codes = self._codes[name]
        return np.array([codes.setdefault(text, len(codes)) for text in texts], dtype=np.int32)

    def _column(self, name: str) -> Any:
        values = np.concatenate(self._blocks.pop(name))
        if name not in self._codes:
            return values
        return pd.Categorical.from_codes(values, _texts(self._codes[name]))


def has_repetition(epochs: pd.DataFrame) -> bool:
    """Whether an epoch of a process is there twice."""
    return bool(epochs.duplicated(IDENTITY).any())


def of_attempts(epochs: pd.DataFrame, attempts: Collection[Attempt]) -> pd.DataFrame:
    """The epochs of these (spec, seed, attempt)."""
    groups = epochs.groupby(["spec", "seed", "attempt"], observed=True, sort=False)
    chosen = np.array([attempt in attempts for attempt in groups.size().index], dtype=bool)
    if chosen.all():
        return epochs  # nearly always: then there is no copy
    return epochs[chosen[groups.ngroup().to_numpy()]].reset_index(drop=True)


def by_process(epochs: pd.DataFrame) -> dict[Process, dict[str, NDArray[Any]]]:
    """(spec, seed, backend) → name → values by epoch, of every column that holds no text. `epochs` are sorted."""
    values = {str(name): column.to_numpy() for name, column in epochs.items() if column.dtype != "category"}
    rows: Any = epochs.groupby(["spec", "seed", "backend"], observed=True, sort=False).indices
    # Of a sorted table the rows of a process follow each other, and a slice is no copy.
    return {key: {name: column[r[0] : r[-1] + 1] for name, column in values.items()} for key, r in rows.items()}


def _texts(texts: Iterable[str]) -> pd.Index:
    """As Python's objects, for a name may hold what pandas' own type for text refuses: half of a surrogate pair."""
    return pd.Index(list(texts), dtype=object)


def _numbers(column: pd.Series) -> NDArray[Any]:
    """Numbers that are in the same order as the values."""
    return (column.cat.codes if column.dtype == "category" else column).to_numpy()
