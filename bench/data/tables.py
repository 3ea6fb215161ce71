"""Tables with one row per example: target columns, and all other columns are features. The caller passes the reader."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.core.errors import UnusableError
from bench.core.files import expanded
from bench.core.text import first_of, one_line
from bench.data.checks import check_numbers, check_size, wrong_cell
from bench.data.dataset import Bytes, Dataset, Numbers
from bench.data.split import split_rows
from bench.spec import DataSpec, Task
from bench.spec.data import DEFAULT_TARGET, WIDEST

PIXEL = re.compile(r"pixel_?\d+")
"""How the columns of Kaggle's, OpenML's and Zalando's tables of images are called."""
NUMBERS_AT_ONCE = 2_000_000
"""How many cells are numbers and text at the same time."""
LONGEST_CLASS_NAME = 200
EXAMPLE_COLUMNS = 5


@dataclass(frozen=True)
class TableFile:
    """A file whose cells are not read yet. `rows`: it has no more; `frames(n, column)`: its rows, n at a time, with
    that column as a category, whose codes are -1 where a cell is empty."""

    path: Path
    columns: tuple[str, ...]
    rows: int
    frames: Callable[[int, str | None], Iterator[pd.DataFrame]]


@dataclass(frozen=True)
class Layout:
    """What each column is, in a file and in its test file."""

    task: Task
    targets: tuple[str, ...]
    features: tuple[str, ...]
    image_shape: tuple[int, int, int] | None

    @property
    def dtype(self) -> type[np.generic]:
        """Of a feature."""
        return np.uint8 if self.image_shape else np.float64


@dataclass(frozen=True)
class Table:
    """x (N, n_0); y (N, K), of a classification (N,): places in `texts`, the classes in the order they were met."""

    x: Bytes | Numbers
    y: NDArray[Any]
    texts: tuple[str, ...] = ()


def load_table(open_file: Callable[[Path], TableFile], path: Path, data: DataSpec) -> Dataset:
    """The data set in one table, or in a table with a test file beside it.

    Rows stand in an order that is random and always the same, for a file may be sorted by class; those of a test file
    stay in place. If all features are called `pixel0`, `pixel1`, ... and make a square, or an image size is given, the
    features are the bytes of a grey picture; otherwise numbers.

    Raises UnusableError: one line with file, row and column, and what is allowed there.
    """
    file = open_file(path)
    layout = _layout(file, data)
    table = _read(file, layout)
    rows = split_rows(path, len(table.x), 0.0 if data.test_file else data.test_fraction)
    names = _names(table, layout)
    y = _targets(path, table, layout, names)
    train = table.x[rows.train], y[rows.train]
    if data.test_file is None:
        return Dataset(*train, table.x[rows.test], y[rows.test], layout.image_shape, names)
    test_path = expanded(data.test_file)
    test = _read(open_file(test_path), layout)
    return Dataset(*train, test.x, _targets(test_path, test, layout, names), layout.image_shape, names)


def _layout(file: TableFile, data: DataSpec) -> Layout:
    targets = data.target or (DEFAULT_TARGET,)
    features = tuple(name for name in file.columns if name not in targets)
    _check_columns(file, targets, 'remedy: target = "the column to predict"')
    if not features:
        raise UnusableError(f"{file.path}: has no column beside {_listed(targets)}; allowed: one feature or more")
    return Layout(data.task, targets, features, _image_shape(file.path, features, data.image_size))


def _check_columns(file: TableFile, needed: Sequence[str], remedy: str) -> None:
    repeated = [name for name, count in Counter(file.columns).items() if count > 1]
    if repeated:
        raise UnusableError(f"{file.path}: two columns have one name: {_listed(repeated)}; allowed: distinct names")
    held = set(file.columns)
    missing = [name for name in needed if name not in held]
    if missing:
        raise UnusableError(f"{file.path}: has no column {_listed(missing)}; it has {_listed(file.columns)}; {remedy}")


def _listed(names: Sequence[str]) -> str:
    return first_of((repr(one_line(name, 40)) for name in names), EXAMPLE_COLUMNS)


def _image_shape(path: Path, features: Sequence[str], size: tuple[int, int] | None) -> tuple[int, int, int] | None:
    if size is not None:
        if math.prod(size) != len(features):
            given = f"image_size is {list(size)}, that is {math.prod(size)} pixels"
            raise UnusableError(f"{path}: has {len(features)} features; {given}; allowed: as many")
        return (*size, 1)
    side = math.isqrt(len(features))
    is_square = side * side == len(features) and all(PIXEL.fullmatch(name) for name in features)
    return (side, side, 1) if is_square else None


def _read(file: TableFile, layout: Layout) -> Table:
    """All rows; memory is taken only after the number of rows is known to fit."""
    _check_columns(file, (*layout.targets, *layout.features), "allowed: the columns of the training file")
    check_size(file.path, file.rows, len(layout.features), np.dtype(layout.dtype).itemsize)
    text = layout.targets[0] if layout.task == "classification" else None
    reader = _Reader(file.path, layout, file.rows)
    for frame in file.frames(max(1, NUMBERS_AT_ONCE // len(file.columns)), text):
        reader.add(frame)
    return reader.table()


class _Reader:
    """Fills x and y, a part of the rows at a time."""

    def __init__(self, path: Path, layout: Layout, rows: int) -> None:
        self._path, self._layout, self._filled = path, layout, 0
        self._x = np.empty((rows, len(layout.features)), layout.dtype)
        self._y = np.empty((rows, len(layout.targets)), np.float64)
        self._classes: dict[str, int] = {}

    def add(self, frame: pd.DataFrame) -> None:
        """The next rows."""
        rows = slice(self._filled, self._filled + len(frame))
        if rows.stop > len(self._x):
            raise UnusableError(f"{self._path}: holds more rows than it says, {len(self._x)}; is it damaged?")
        self._x[rows] = self._features(frame)
        self._y[rows] = self._targets(frame)
        self._filled = rows.stop

    def table(self) -> Table:
        """What was read."""
        if not self._filled:
            raise UnusableError(f"{self._path}: has no row; allowed: one row or more")
        x, y = self._x[: self._filled], self._y[: self._filled]
        return Table(x, y[:, 0].astype(np.int64) if self._classes else y, tuple(self._classes))

    def _features(self, frame: pd.DataFrame) -> Numbers:
        values = self._numbers(frame, self._layout.features)
        if self._layout.image_shape:
            wrong = (values < 0) | (values > 255) | (values % 1 != 0)
            for row, column in np.argwhere(wrong)[:1]:
                name, allowed = self._layout.features[column], "whole numbers from 0 to 255 in a picture"
                raise wrong_cell(self._path, self._filled + row, name, values[row, column], allowed)
        return values

    def _targets(self, frame: pd.DataFrame) -> Numbers:
        if self._layout.task == "classification":
            return self._codes(frame[self._layout.targets[0]])[:, None]
        values = self._numbers(frame, self._layout.targets)
        if self._layout.task == "multi_label":
            check_numbers(self._path, values, self._layout.targets, self._filled, binary=True)
        return values

    def _numbers(self, frame: pd.DataFrame, columns: Sequence[str]) -> Numbers:
        chosen = frame[list(columns)]
        for name in chosen.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in chosen.dtypes]]:
            chosen = chosen.assign(**{name: self._parsed(chosen[name])})
        values = chosen.to_numpy(np.float64)
        check_numbers(self._path, values, columns, self._filled)
        return values

    def _parsed(self, column: "pd.Series[Any]") -> "pd.Series[Any]":
        """Text as numbers, each text once."""
        texts = column.astype("category").cat
        parsed = pd.to_numeric(pd.Series(texts.categories.astype(str)), errors="coerce")
        numbers = np.append(parsed.to_numpy(np.float64), np.nan)[texts.codes]  # an empty cell has the code -1
        for row in np.flatnonzero(np.isnan(numbers))[:1]:
            allowed = "finite numbers (write text as numbers, or remove the column)"
            raise wrong_cell(self._path, self._filled + int(row), str(column.name), str(column.iloc[row]), allowed)
        return pd.Series(numbers, column.index)

    def _codes(self, column: "pd.Series[Any]") -> Numbers:
        """The class of each row, by its place in `_classes`."""
        texts = [str(text) for text in column.cat.categories]
        own, codes = [], column.cat.codes.to_numpy()
        for code, text in enumerate(texts):
            if not text.strip() or len(text) > LONGEST_CLASS_NAME:
                self._refuse_class(codes == code, column, text, f"1 to {LONGEST_CLASS_NAME} characters")
            own.append(self._classes.setdefault(text, len(self._classes)))
        if (codes < 0).any():
            self._refuse_class(codes < 0, column, "", "a class in every row")
        if len(self._classes) > WIDEST:
            remedy = 'task = "regression" predicts numbers'
            place = f"{self._path}: column {str(column.name)!r}: more than {WIDEST} classes"
            raise UnusableError(f"{place}; allowed: {WIDEST}; {remedy}")
        return np.array(own, np.float64)[codes]

    def _refuse_class(self, where: NDArray[np.bool_], column: "pd.Series[Any]", text: str, allowed: str) -> None:
        for row in np.flatnonzero(where)[:1]:
            raise wrong_cell(self._path, self._filled + int(row), str(column.name), text, allowed)


def _names(table: Table, layout: Layout) -> tuple[str, ...]:
    """Of the classes, sorted; by number where all are numbers: 10 comes after 9. Of other tasks, of the columns."""
    if layout.task != "classification":
        return layout.targets
    try:
        numbers = {text: (float(text), text) for text in table.texts}
    except ValueError:
        return tuple(sorted(table.texts))
    return tuple(sorted(table.texts, key=numbers.__getitem__))


def _targets(path: Path, table: Table, layout: Layout, names: tuple[str, ...]) -> NDArray[Any]:
    """y as a data set has it; refuses a class that is not among `names`, those of the training file."""
    if layout.task != "classification":
        return table.y.astype(np.uint8 if layout.task == "multi_label" else np.float64)
    numbers = {name: number for number, name in enumerate(names)}
    labels: NDArray[np.int64] = np.array([numbers.get(text, -1) for text in table.texts], np.int64)[table.y]
    for row in np.flatnonzero(labels < 0)[:1]:
        allowed = f"a class of the training file, {_listed(names)}"
        raise wrong_cell(path, int(row), layout.targets[0], table.texts[table.y[row]], allowed)
    return labels
