"""CSV files with a header line, also gzipped, as `bench.data.tables` reads them."""

import csv
import gzip
import re
import warnings
import zlib
from codecs import getincrementaldecoder
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, cast

import pandas as pd

from bench.core.errors import UnusableError
from bench.core.text import one_line
from bench.data.checks import LARGEST_BYTES
from bench.data.tables import TableFile

GZIP_MAGIC, ZIP_MAGIC = b"\x1f\x8b", b"PK\x03\x04"
CHUNK_BYTES = 1 << 20
LONGEST_LINE = 1 << 24
MOST_COMMAS = 1 << 20
"""Of a line."""
OPTIONS: dict[str, Any] = {"index_col": False, "keep_default_na": False, "skipinitialspace": True, "low_memory": False}
"""An empty cell stays an empty text, so that it is refused as what it is."""


def open_csv(path: Path) -> TableFile:
    """Columns and the largest possible number of rows: lines are counted before anything is parsed.

    Raises UnusableError: where the file is no text with a header line.
    """
    lines = _count_lines(path)
    columns = _columns(path)
    options: dict[str, Any] = {"names": list(columns), "header": 0}
    return TableFile(path, columns, max(0, lines - 1), lambda rows, text: _chunks(path, rows, text, options))


def _columns(path: Path) -> tuple[str, ...]:
    """The names as they are written: pandas would rename what stands twice, and name what has no name."""
    try:
        names = tuple(name.strip() for name in next(_rows(path), []))
    except (csv.Error, UnicodeDecodeError) as error:
        raise _unusable(path, error) from None
    if not names:
        raise _unusable(path, "it has no header line")
    _check_names(path, names)
    return names


def _rows(path: Path) -> Iterator[list[str]]:
    """The cells of the header line and of each row; lines without any do not count."""
    with _open(path) as file, TextIOWrapper(file, "utf-8-sig", newline="") as text:
        yield from (cells for cells in csv.reader(text, skipinitialspace=True) if len(cells) > 1 or any(cells))


def _check_names(path: Path, names: Sequence[str]) -> None:
    if len(names) == 1 and re.search(r"[;\t|]", names[0]):
        place = f"{path}: the header line {one_line(names[0], 60)!r} has no comma"
        raise UnusableError(f"{place}; allowed: a comma between two columns; remedy: write the file with commas")
    for number, name in enumerate(names, 1):
        if not name:
            remedy = "name it, or remove it; pandas leaves out its row numbers with to_csv(index=False)"
            raise UnusableError(f"{path}: column {number} has no name in the header line; remedy: {remedy}")


def _chunks(path: Path, rows: int, text: str | None, options: dict[str, Any]) -> Iterator[pd.DataFrame]:
    if text is None:
        return _frames(path, chunksize=rows, **options)
    # Read as text first: pandas would make numbers of the categories, 1 of 01, in a part where all look like numbers.
    frames = _frames(path, chunksize=rows, dtype={text: str}, **options)
    return (frame.assign(**{text: frame[text].astype("category")}) for frame in frames)


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == ZIP_MAGIC:
        raise UnusableError(f"{path}: a ZIP archive or an Excel file; allowed: a CSV file; remedy: unpack or export it")
    return cast(BinaryIO, gzip.open(path)) if magic.startswith(GZIP_MAGIC) else path.open("rb")


def _count_lines(path: Path) -> int:
    """Of any end; the last one may have none.

    Gzip is unpacked once for that, so that no size is taken on trust.
    """
    lines = _Lines(path)
    try:
        with _open(path) as file:
            while chunk := file.read(CHUNK_BYTES):
                lines.add(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnusableError(f"{path}: corrupted gzip ({error}); remedy: fetch the file again") from None
    return max(lines.ended + (lines.open_bytes > 0), lines.returns + 1)


class _Lines:
    """Counts the lines of a text, a part of it at a time, and refuses what is no text or too long."""

    def __init__(self, path: Path) -> None:
        self._path, self._decoder, self._size = path, getincrementaldecoder("utf-8")(), 0
        self.ended = self.open_bytes = self.open_commas = self.returns = 0

    def add(self, chunk: bytes) -> None:
        """The next bytes."""
        self._check_text(chunk)
        before, newline, after = chunk.rpartition(b"\n")
        self._size += len(chunk)
        self.returns += chunk.count(b"\r")
        self.ended += before.count(b"\n") + len(newline)
        self.open_bytes = len(after) + (0 if newline else self.open_bytes)
        self.open_commas = after.count(b",") + (0 if newline else self.open_commas)
        if self._size > LARGEST_BYTES:
            raise UnusableError(f"{self._path}: more than {LARGEST_BYTES} bytes of text; allowed: at most so many")
        for has, most, what in ((self.open_bytes, LONGEST_LINE, "bytes"), (self.open_commas, MOST_COMMAS, "commas")):
            if has > most:
                place = f"{self._path}: line {self.ended + 1}"
                raise UnusableError(f"{place} has more than {most} {what}; allowed: a CSV file")

    def _check_text(self, chunk: bytes) -> None:
        try:
            self._decoder.decode(chunk)
        except UnicodeDecodeError as error:
            line, byte = self.ended + error.object[: error.start].count(b"\n") + 1, error.object[error.start]
            raise UnusableError(f"{self._path}: line {line}: the byte 0x{byte:02x}; allowed: UTF-8 text") from None


def _frames(path: Path, **options: Any) -> Iterator[pd.DataFrame]:
    """What pandas reads; what it refuses or doubts becomes one line."""
    try:
        with _open(path) as file, warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            read: Any = pd.read_csv(file, **(OPTIONS | options))
            yield from read
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning, UnicodeDecodeError) as error:
        raise _unusable(path, _odd_row(path) or error) from None


def _odd_row(path: Path) -> str | None:
    """The first row that has more cells than the header line: what pandas says does not always name it."""
    with suppress(csv.Error, UnicodeDecodeError):
        rows = _rows(path)
        columns = len(next(rows, []))
        for number, cells in enumerate(rows, 1):
            if len(cells) > columns:
                return f"row {number} has {len(cells)} cells, the header line {columns}"
    return None


def _unusable(path: Path, error: object) -> UnusableError:
    allowed = "a header line with the names of the columns, and as many cells in each line"
    return UnusableError(f"{path}: not a usable CSV file ({one_line(error, 200)}); allowed: {allowed}")
