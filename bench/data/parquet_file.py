"""Parquet files, as `bench.data.tables` reads them; the number of rows stands in the file's own description."""

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
            names, rows = file.schema_arrow.names, file.metadata.num_rows
    except (pyarrow.ArrowException, OSError) as error:
        raise _unusable(path, error) from None
    columns = tuple(name for name in names if not INDEX.fullmatch(name))
    return TableFile(path, columns, rows, lambda count, text: _frames(path, count, text))


def _frames(path: Path, rows: int, text: str | None) -> Iterator[pd.DataFrame]:
    import pyarrow.parquet

    # A text stays one entry of a dictionary: rows that repeat a long one take no memory of their own.
    dictionary: Any = [text] if text is not None else []
    try:
        with pyarrow.parquet.ParquetFile(path, read_dictionary=dictionary) as file:
            for batch in file.iter_batches(batch_size=rows):
                frame = batch.to_pandas(ignore_metadata=True)
                yield frame if text is None else frame.astype({text: "category"})
    except (pyarrow.ArrowException, OSError) as error:
        raise _unusable(path, error) from None


def _unusable(path: Path, error: Exception) -> UnusableError:
    return UnusableError(f"{path}: not a usable Parquet file ({one_line(error, 200)}); remedy: write it again")
