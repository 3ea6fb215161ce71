"""Parquet files, as `bench.data.tables` reads them; the number of rows comes from the file's metadata."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from bench.core.errors import UnusableError
from bench.core.text import one_line
from bench.data.tables import TableFile

INDEX = re.compile(r"__index_level_\d+__")
"""How pandas calls an index without a name: it numbers the rows, and is no feature."""


def open_parquet(path: Path) -> TableFile:
    """Columns and number of rows.

    Raises UnusableError: where pyarrow is missing, or cannot read the file.
    """
    if find_spec("pyarrow") is None:
        raise UnusableError("parquet:FILE needs pyarrow; remedy: pip install 'scratchnet[parquet]'")
    import pyarrow.parquet

    with path.open("rb"):  # what the system refuses is told as of every other file
        pass
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            fields, rows = list(file.schema_arrow), file.metadata.num_rows
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise _unusable(path, error) from None
    for field in fields:
        _check_type(path, field)
    columns = tuple(field.name for field in fields if not INDEX.fullmatch(field.name))
    texts = [field.name for field in fields if "string" in str(field.type)]
    return TableFile(path, columns, rows, lambda count, text: _frames(path, count, text, texts))


def _check_type(path: Path, field: Any) -> None:
    from pyarrow import types

    if types.is_nested(field.type) or "binary" in str(field.type):
        place = f"{path}: column {one_line(field.name, 60)!r} has the type {one_line(field.type, 60)}"
        raise UnusableError(f"{place}; allowed: numbers and text, one value in a cell")


def _frames(path: Path, rows: int, text: str | None, texts: Any) -> Iterator[pd.DataFrame]:
    """A text stays one entry of a dictionary: rows that repeat a long one take no memory of their own."""
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path, read_dictionary=texts) as file:
            for batch in file.iter_batches(batch_size=rows):
                frame = batch.to_pandas(ignore_metadata=True)
                yield frame if text is None else frame.assign(**{text: frame[text].astype("category")})
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise _unusable(path, error) from None


def _unusable(path: Path, error: Exception) -> UnusableError:
    return UnusableError(f"{path}: not a usable Parquet file ({one_line(error, 200)}); remedy: write it again")
