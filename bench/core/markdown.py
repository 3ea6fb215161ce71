"""Pieces of a Markdown document: tables, lists, and how they are joined."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from tabulate import tabulate

from bench.core.text import escaped


def table(rows: Iterable[Sequence[str]], headers: Sequence[str]) -> str:
    """Rows of text as a table; texts of others must be escaped."""
    text: str = tabulate(list(rows), headers, tablefmt="pipe", disable_numparse=True)
    return text


def frame_table(frame: pd.DataFrame) -> str:
    """A frame of text as a table, without its index."""
    return table(frame.itertuples(index=False), [str(name) for name in frame.columns])


def rows_table(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows of the same names as a table."""
    return table([list(row.values()) for row in rows], list(rows[0]) if rows else [])


def bullets(lines: Iterable[str]) -> str:
    """A list of lines, each escaped."""
    return "\n".join(f"- {escaped(line, 1000)}" for line in lines)


def document(parts: Iterable[str]) -> str:
    """Parts with an empty line between."""
    return "\n\n".join(parts) + "\n"
