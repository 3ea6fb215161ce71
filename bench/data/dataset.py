"""One data set in memory: examples as rows of bytes or numbers, and what is to be predicted for each."""

import hashlib
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Labels = NDArray[np.int64]
Numbers = NDArray[np.float64]
ARRAYS = ("x_train", "y_train", "x_test", "y_test")


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write a `.npy` file. Where the disk is full, NumPy's `save` gives a count of bytes instead of the reason."""
    array = np.ascontiguousarray(array)
    with path.open("wb") as file:
        npy.write_array_header_1_0(file, npy.header_data_from_array_1_0(array))
        file.write(array.data)


@dataclass(frozen=True)
class Dataset:
    """Training and test examples of one source.

    x_train, x_test : (N, n_0), one example a row: uint8, or float64 where the features are no bytes;
    y_train, y_test : by the task. Classification: (N,) int64 in [0, classes). Multi-label: (N, K) uint8, 0 or 1.
        Regression: (N, K) float64.
    image_shape : (height, width, channels) with product n_0; None where the examples are no pictures.
    class_names : one a class; of other tasks, one a column of y.
    """

    x_train: NDArray[Any]
    y_train: NDArray[Any]
    x_test: NDArray[Any]
    y_test: NDArray[Any]
    image_shape: tuple[int, int, int] | None
    class_names: tuple[str, ...]

    @property
    def features(self) -> int:
        """n_0, the number of input features."""
        return int(self.x_train.shape[1])

    @property
    def classes(self) -> int:
        """Number of classes; of other tasks, of columns to predict."""
        return len(self.class_names)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all examples and labels."""
        digest = hashlib.sha256()
        for field in ARRAYS:
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
            value = getattr(self, field.name)
            save_array(folder / f"{field.name}.npy", np.asarray(() if value is None else value))

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Map what `save` wrote, read-only."""
        arrays = {
            field.name: np.load(folder / f"{field.name}.npy", mmap_mode="r", allow_pickle=False)
            for field in fields(cls)
        }
        sides, names = arrays.pop("image_shape").tolist(), arrays.pop("class_names")
        shape = (int(sides[0]), int(sides[1]), int(sides[2])) if sides else None
        return cls(**arrays, image_shape=shape, class_names=tuple(map(str, names)))

    def in_memory(self) -> Self:
        """The same, independent of the files that it was mapped from."""
        copies: dict[str, Any] = {name: np.array(getattr(self, name)) for name in ARRAYS}
        return replace(self, **copies)
