"""One data set in memory: byte images as rows, labels as integers."""

import hashlib
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Labels = NDArray[np.int64]


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write a `.npy` file. Where the disk is full, NumPy's `save` gives a count of bytes instead of the reason."""
    array = np.ascontiguousarray(array)
    with path.open("wb") as file:
        npy.write_array_header_1_0(file, npy.header_data_from_array_1_0(array))
        file.write(array.data)


@dataclass(frozen=True)
class Dataset:
    """Training and test examples of one source.

    x_train, x_test : (N, n_0) uint8, one example a row; y_train, y_test : (N,) int64 in [0, classes);
    image_shape : (height, width, channels) with product n_0; class_names : one a class.
    """

    x_train: Bytes
    y_train: Labels
    x_test: Bytes
    y_test: Labels
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]

    @property
    def features(self) -> int:
        """n_0, the number of input features."""
        return int(self.x_train.shape[1])

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all examples and labels."""
        digest = hashlib.sha256()
        for field in ("x_train", "y_train", "x_test", "y_test"):
            array = np.ascontiguousarray(getattr(self, field))
            digest.update(f"{field} {array.dtype.str} {array.shape}".encode())
            digest.update(array.data)
        return digest.hexdigest()

    def first(self, train_examples: int | None, test_examples: int | None) -> Self:
        """The first so many examples of each split; None means all."""
        return type(self)(
            self.x_train[:train_examples],
            self.y_train[:train_examples],
            self.x_test[:test_examples],
            self.y_test[:test_examples],
            self.image_shape,
            self.class_names,
        )

    def save(self, folder: Path) -> None:
        """Write one `.npy` file a field, so that many processes can map the same decoded data."""
        for field in fields(self):
            save_array(folder / f"{field.name}.npy", np.asarray(getattr(self, field.name)))

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Map what `save` wrote, read-only."""
        arrays = {
            field.name: np.load(folder / f"{field.name}.npy", mmap_mode="r", allow_pickle=False)
            for field in fields(cls)
        }
        shape, names = arrays.pop("image_shape"), arrays.pop("class_names")
        height, width, channels = (int(side) for side in shape)
        return cls(**arrays, image_shape=(height, width, channels), class_names=tuple(map(str, names)))
