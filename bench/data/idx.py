"""Reader of IDX, the format MNIST is distributed in: a header of sizes, then bytes.

Headers are not trusted: memory grows only with bytes that exist.
"""

import gzip
import os
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from bench.core.errors import UnusableError
from bench.data.checks import check_size
from bench.data.dataset import Bytes, Dataset, Labels

GZIP_MAGIC = b"\x1f\x8b"
# Deflate's best case is 258 bytes for 2 bits: no gzip file can hold more than this times its own size.
MOST_BYTES_PER_GZIP_BYTE = 1032
UNSIGNED_BYTE = 8
CHUNK_BYTES = 1 << 20


def load_idx(folder: Path) -> Dataset:
    """The data set in the four canonical files of `folder`, each gzipped or not; of both forms, the plain one.

    Class names are the labels as text, `"0"` to the largest in the training set.

    Raises UnusableError: one line with file, byte or example, and what is allowed there.
    """
    if not folder.is_dir():
        raise UnusableError(f"{folder}: not a folder; allowed: a folder with the four IDX files of a data set")
    x_train, y_train = _read_split(folder, "train")
    x_test, y_test = _read_split(folder, "t10k")
    if x_train.shape[1:] != x_test.shape[1:]:
        sizes = " and ".join("{}x{}".format(*images.shape[1:]) for images in (x_train, x_test))
        raise UnusableError(f"{folder}: training and test images are {sizes}; allowed: one size")
    classes = _classes(folder, y_train, y_test)
    _, height, width = x_train.shape
    features = height * width
    return Dataset(
        x_train.reshape(-1, features),
        y_train,
        x_test.reshape(-1, features),
        y_test,
        (height, width, 1),
        tuple(map(str, range(classes))),
    )


def _classes(folder: Path, y_train: Labels, y_test: Labels) -> int:
    classes = int(y_train.max()) + 1
    unknown = np.flatnonzero(y_test >= classes)
    if unknown.size:
        place = f"{folder}: t10k-labels: example {unknown[0]} has the label {y_test[unknown[0]]}"
        raise UnusableError(f"{place}; allowed: 0 to {classes - 1}, the labels of the training set")
    return classes


def _read_split(folder: Path, split: str) -> tuple[Bytes, Labels]:
    """Images (N, height, width) and labels (N,) of one split."""
    images = read_idx(_find(folder, f"{split}-images", 3), 3)
    labels = read_idx(_find(folder, f"{split}-labels", 1), 1)
    if len(images) != len(labels):
        raise UnusableError(f"{folder}: {split} has {len(images)} images and {len(labels)} labels; allowed: as many")
    return images, labels.astype(np.int64)


def _find(folder: Path, stem: str, dimensions: int) -> Path:
    kind = f"idx{dimensions}-ubyte"
    names = [f"{stem}{joint}{kind}{suffix}" for joint in "-." for suffix in ("", ".gz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise UnusableError(f"{folder}: has no file {names[0]}; allowed names: {', '.join(names)}")


def read_idx(path: Path, dimensions: int) -> Bytes:
    """The unsigned bytes of one IDX file, gzipped or not by its first bytes, as an array of so many `dimensions`.

    Raises UnusableError: when the header is not of that kind, or promises more or less than the file holds, or the gzip
    is corrupted.
    """
    try:
        with path.open("rb") as file:
            return _read_checked(file, path, dimensions)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnusableError(f"{path}: corrupted gzip ({error}); remedy: fetch the file again") from None


def _read_checked(file: BinaryIO, path: Path, dimensions: int) -> Bytes:
    zipped = file.read(2) == GZIP_MAGIC
    file.seek(0)
    most = os.fstat(file.fileno()).st_size * (MOST_BYTES_PER_GZIP_BYTE if zipped else 1)
    stream = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if zipped else file
    shape = _read_shape(stream, path, dimensions)
    promised = check_size(path, *shape)
    if promised > most:
        raise UnusableError(f"{path}: header promises {promised} bytes, the file holds less; is it truncated?")
    # One byte beyond the promise finds a file that is too long, and makes gzip compare its checksum.
    data = _read_at_most(stream, promised + 1)
    if len(data) != promised:
        held = len(data) if len(data) < promised else "more"
        raise UnusableError(f"{path}: header promises {promised} bytes, the file holds {held}; allowed: as many")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _read_shape(stream: BinaryIO, path: Path, dimensions: int) -> tuple[int, ...]:
    """The sizes in the header, big-endian after the magic number 0, 0, type, dimensions."""
    header = stream.read(4 + 4 * dimensions)
    if header[:2] != b"\0\0":
        found = header[:2].hex(" ") or "nothing"
        raise UnusableError(f"{path}: byte 0: {found}; allowed: 00 00 (IDX) or 1f 8b (gzip)")
    if header[2:4] != bytes((UNSIGNED_BYTE, dimensions)):
        found = header[2:4].hex(" ") or "nothing"
        allowed = f"08 {dimensions:02x} (unsigned bytes, dimensions: {dimensions})"
        raise UnusableError(f"{path}: byte 2: type and dimensions are {found}; allowed: {allowed}")
    if len(header) < 4 + 4 * dimensions:
        raise UnusableError(f"{path}: byte {len(header)}: ends inside the header; remedy: fetch the file again")
    shape = tuple(int(size) for size in np.frombuffer(header, ">u4", offset=4))
    if 0 in shape:
        raise UnusableError(f"{path}: byte {4 + 4 * shape.index(0)}: the size is 0; allowed: 1 or more")
    return shape


def _read_at_most(stream: BinaryIO, limit: int) -> bytearray:
    data = bytearray()
    while len(data) < limit and (chunk := stream.read(min(CHUNK_BYTES, limit - len(data)))):
        data += chunk
    return data
