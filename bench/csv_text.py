"""Tables as CSV. Every CSV file of the project is made here, since a spreadsheet would run some texts as formulas."""

from functools import lru_cache
from typing import Any

import pandas as pd

from bench.text import one_line

# What Excel, LibreOffice and Google Sheets take for the start of a formula; the last four are full-width forms.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_text(table: pd.DataFrame, float_format: str | None = None) -> str:
    """The table as CSV, without its index: one line a row, a missing value as nothing.

    Numbers stay numbers; without `float_format` they keep all their digits. A text stands on one line. A text that a
    spreadsheet would run as a formula gets a leading apostrophe: `=1+1` becomes `'=1+1`.
    """
    safe = table.rename(columns=_cell)
    for name in safe.select_dtypes(["object", "string", "category"]).columns:
        safe[name] = safe[name].astype(object).map(_cell)
    text: str = safe.to_csv(index=False, lineterminator="\n", float_format=float_format)
    return text


def _cell(value: Any) -> Any:
    return _safe_text(value) if isinstance(value, str) else value


@lru_cache(maxsize=4096)
def _safe_text(value: str) -> str:
    text = one_line(value)
    return f"'{text}" if value.startswith(FORMULA_STARTS) or text.startswith(FORMULA_STARTS) else text
