"""Pieces of a Markdown document: tables, lists, and how they are joined."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench.core.text import escaped

if TYPE_CHECKING:
    import pandas as pd

    Rows = pd.DataFrame | Sequence[Mapping[str, str]] | Sequence[Sequence[str]]


def text_table(rows: "Rows", headers: Sequence[str] | str = "keys") -> str:
    """Text as a table: a frame without its index, rows of the same names, or plain rows with their headers.

    Texts of others must be escaped.
    """
    from tabulate import tabulate  # takes a tenth of a second, and only who writes pays it

    given: Any = rows  # the stubs know no frame
    text: str = tabulate(given, headers, tablefmt="pipe", disable_numparse=True, showindex=False)
    return text


def bullets(lines: Iterable[str]) -> str:
    """A list of lines, each escaped."""
    return "\n".join(f"- {escaped(line, 1000)}" for line in lines)


def document(parts: Iterable[str]) -> str:
    """Parts with an empty line between."""
    return "\n\n".join(parts) + "\n"
