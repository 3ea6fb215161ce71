"""Reader of NumPy archives in the form of Keras's `mnist.npz`: the arrays x_train, y_train, x_test and y_test.

Headers are not trusted: an array is allocated only if the archive can hold that many bytes.
"""

import lzma
import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from bench.core.errors import UnusableError
from bench.core.text import one_line
from bench.data.checks import check_numbers, check_size, wrong_cell
from bench.data.dataset import ARRAYS, Bytes, Dataset, Labels, Numbers
from bench.data.idx import MOST_BYTES_PER_GZIP_BYTE
from bench.spec import Task
from bench.spec.data import WIDEST

READERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
OF_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError)
OF_HEADER = (ValueError, TypeError, SyntaxError, TokenError)
"""What zipfile and NumPy raise of a file that is damaged, encrypted, or packed in a way they do not know."""
Arrays = dict[str, NDArray[Any]]


def load_npz(path: Path, task: Task) -> Dataset:
    """The data set in one archive.

    x : (N, height, width) or (N, height, width, channels) of uint8 are pictures; any other (N, ...) of numbers is rows
    of features. y : whole numbers (N,) or (N, 1); multi-label: (N, K) of 0 and 1; regression: (N,) or (N, K) numbers.

    Raises UnusableError: one line with file, array, row and column, and what is allowed there.
    """
    arrays = _read(path)
    shapes = [arrays[name].shape[1:] for name in ("x_train", "x_test")]
    if shapes[0] != shapes[1]:
        raise UnusableError(
            f"{path}: examples of x_train and x_test are {shapes[0]} and {shapes[1]}; allowed: one shape"
        )
    kinds = [arrays[name].dtype for name in ("x_train", "x_test")]
    if kinds[0] != kinds[1] and np.uint8 in kinds:
        allowed = "uint8 in both or in none, for bytes are divided by 255"
        raise UnusableError(f"{path}: x_train and x_test are of {kinds[0]} and {kinds[1]}; allowed: {allowed}")
    x_train, x_test = (_features(path, name, arrays[name]) for name in ("x_train", "x_test"))
    y_train, y_test, names = TARGETS[task](path, arrays)
    return Dataset(x_train, y_train, x_test, y_test, _image_shape(arrays["x_train"]), names)


def _read(path: Path) -> Arrays:
    try:
        with zipfile.ZipFile(path) as archive:
            check_size(path, sum(_size(archive, path, name) for name in ARRAYS))
        with np.load(path, allow_pickle=False) as held:
            arrays = {name: held[name] for name in ARRAYS}
    except (*OF_ZIP, *OF_HEADER) as error:
        reason = one_line(error, 200)
        raise UnusableError(f"{path}: not a usable .npz file ({reason}); allowed: what numpy.savez writes") from None
    for split in ("train", "test"):
        counts = len(arrays[f"x_{split}"]), len(arrays[f"y_{split}"])
        if counts[0] != counts[1]:
            raise UnusableError(f"{path}: x_{split} has {counts[0]} rows, y_{split} {counts[1]}; allowed: as many")
    return arrays


def _size(archive: zipfile.ZipFile, path: Path, name: str) -> int:
    """Bytes of an array, by its header; refuses a header that promises what the archive cannot hold."""
    if f"{name}.npy" not in archive.namelist():
        held = one_line(", ".join(each.removesuffix(".npy") for each in archive.namelist()), 120) or "nothing"
        raise UnusableError(f"{path}: has no array {name}; it has {held}; allowed: {', '.join(ARRAYS)}")
    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as file:
        version = npy.read_magic(file)
        if version not in READERS:
            raise ValueError(f"{name} has the version {version}")
        shape, _, dtype = READERS[version](file)
        header = file.tell()
    if dtype.kind not in "buif":
        raise UnusableError(f"{path}: {name} has the dtype {dtype}; allowed: numbers")
    if not shape or 0 in shape:
        raise UnusableError(f"{path}: {name} has the shape {shape}; allowed: one row or more of one value or more")
    size = check_size(f"{path}: {name}", *shape, dtype.itemsize)
    most = min(member.compress_size, path.stat().st_size) * MOST_BYTES_PER_GZIP_BYTE
    if header + size != member.file_size or member.file_size > most:
        raise UnusableError(f"{path}: the header of {name} promises {size} bytes, which the file does not hold")
    return size


def _image_shape(x: NDArray[Any]) -> tuple[int, int, int] | None:
    height, width, channels = (*x.shape[1:], 1)[:3] if x.ndim in (3, 4) else (0, 0, 0)
    return (height, width, channels) if x.dtype == np.uint8 and channels in (1, 3) else None


def _features(path: Path, name: str, x: NDArray[Any]) -> Bytes | Numbers:
    """Rows (N, n_0)."""
    if x.ndim == 1:
        raise UnusableError(f"{path}: {name} has the shape {x.shape}; allowed: (N, features) or (N, height, width)")
    rows = x.reshape(len(x), -1)
    if x.dtype == np.uint8:
        return rows
    check_size(f"{path}: {name} as float64", *rows.shape, 8)
    with np.errstate(over="ignore"):
        numbers = rows.astype(np.float64)
    check_numbers(f"{path}: {name}", numbers)
    return numbers


def _classes(path: Path, arrays: Arrays) -> tuple[Labels, Labels, tuple[str, ...]]:
    train, test = (_labels(f"{path}: {name}", arrays[name]) for name in ("y_train", "y_test"))
    classes = int(train.max()) + 1
    wrong = np.flatnonzero(test >= classes)
    if wrong.size:
        allowed = f"0 to {classes - 1}, the labels of y_train"
        raise wrong_cell(f"{path}: y_test", int(wrong[0]), 1, test[wrong[0]], allowed)
    return train, test, tuple(map(str, range(classes)))


def _labels(place: str, y: NDArray[Any]) -> Labels:
    if y.shape not in ((len(y),), (len(y), 1)) or y.dtype.kind not in "bui":
        remedy = 'task = "multi_label" or "regression" for other targets'
        raise UnusableError(f"{place}: shape {y.shape}, dtype {y.dtype}; allowed: whole numbers (N,), or {remedy}")
    labels = y.reshape(-1)
    wrong = np.flatnonzero((labels < 0) | (labels > WIDEST - 1))
    if wrong.size:
        raise wrong_cell(place, int(wrong[0]), 1, labels[wrong[0]], f"0 to {WIDEST - 1}")
    return labels.astype(np.int64)


def _columns(path: Path, arrays: Arrays, binary: bool) -> tuple[Numbers, Numbers, tuple[str, ...]]:
    train, test = (_targets(f"{path}: {name}", arrays[name], binary) for name in ("y_train", "y_test"))
    if train.shape[1] != test.shape[1]:
        counts = f"y_train has {train.shape[1]} columns, y_test {test.shape[1]}"
        raise UnusableError(f"{path}: {counts}; allowed: as many")
    return train, test, tuple(map(str, range(train.shape[1])))


def _targets(place: str, y: NDArray[Any], binary: bool) -> Any:
    if y.ndim > 2 or (binary and (y.ndim != 2 or y.shape[1] < 2)):
        allowed = "(N, K) with K of 2 or more" if binary else "(N,) or (N, K)"
        raise UnusableError(f"{place}: shape {y.shape}; allowed: {allowed}")
    rows = y.reshape(len(y), -1)
    check_numbers(place, rows, binary=binary)
    return rows.astype(np.uint8 if binary else np.float64)


TARGETS: dict[Task, Any] = {
    "classification": _classes,
    "multi_label": lambda path, arrays: _columns(path, arrays, True),
    "regression": lambda path, arrays: _columns(path, arrays, False),
}
