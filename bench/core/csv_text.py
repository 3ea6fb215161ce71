"""Tables as CSV. All CSV files are written here, because a spreadsheet would run some texts as formulas."""

from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic_core import to_json

from bench.core.files import atomic_path
from bench.core.text import one_line

# What Excel, LibreOffice and Google Sheets take for the start of a formula; the last four are full-width forms.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
ROWS_AT_ONCE = 10_000


def csv_text(table: pd.DataFrame, float_format: str | None = None) -> str:
    """The table as CSV, without its index: one line a row, a missing value as nothing.

    Numbers stay numbers; without `float_format` they keep all their digits. A text stands on one line. A text that a
    spreadsheet would run as a formula gets a leading apostrophe: `=1+1` becomes `'=1+1`.
    """
    file = StringIO()
    _write(table, file, float_format)
    return file.getvalue()


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write `csv_text(table)` to a file, whole or not at all; a long table never becomes one long text in memory.

    Raises UnusableError: where the file cannot be written.
    """
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        _write(table, file)


def _write(table: pd.DataFrame, file: TextIO, float_format: str | None = None) -> None:
    safe = table.rename(columns=_cell)
    for name in safe.select_dtypes(["object", "string"]).columns:
        safe[name] = safe[name].astype(object).map(_cell)
    for name in safe.select_dtypes("category").columns:
        safe[name] = safe[name].map(_cell)  # each text once, in however many rows it stands
    for start in range(0, max(1, len(safe)), ROWS_AT_ONCE):
        rows = safe.iloc[start : start + ROWS_AT_ONCE]
        if float_format is None:
            rows = rows.assign(**{name: _digits(rows[name]) for name in rows.select_dtypes("float64").columns})
        rows.to_csv(file, index=False, header=start == 0, lineterminator="\n", float_format=float_format)


def _digits(column: pd.Series) -> NDArray[np.object_]:
    """Each number as `repr` writes it, missing as None. pandas takes five times as long for the same."""
    values = column.to_numpy()
    texts = np.array(to_json(values.tolist()).decode()[1:-1].split(",") if len(values) else [], dtype=object)
    texts[np.isnan(values)] = None
    size = np.abs(values)
    for place in np.flatnonzero((size < 1e-4) & (size > 0) | (size >= 1e16)):  # JSON writes these in another way
        texts[place] = repr(float(values[place]))
    return texts


def _cell(value: Any) -> Any:
    return _safe_text(value) if isinstance(value, str) else value


@lru_cache(maxsize=4096)
def _safe_text(value: str) -> str:
    text = one_line(value)
    return f"'{text}" if value.startswith(FORMULA_STARTS) or text.startswith(FORMULA_STARTS) else text
