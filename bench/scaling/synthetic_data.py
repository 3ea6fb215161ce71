"""MNIST repeated with noise, up to any number of examples. It is written piece by piece, so that memory stays small."""

import shutil
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from bench.core.errors import refused
from bench.data import Dataset
from bench.data.dataset import save_array

NOISE = 16.0
"""Standard deviation of what is added to a pixel of 0 to 255."""
ROWS = 10_000
"""Rows of a piece; each piece has a generator of its own, so that row i is the same however many rows there are."""


class MadeData:
    """Folders of examples under `root`, one at a time: the next replaces the last."""

    def __init__(self, dataset: Dataset, root: Path) -> None:
        self._dataset, self._root = dataset, root
        self.close()  # left by a run that was killed

    def folder(self, examples: int, test_examples: int) -> Path:
        """The folder with so many training and test examples, made if it is not there.

        Raises UnusableError: where the disk is full or the folder cannot be written.
        """
        folder = self._root / f"{examples}-{test_examples}"
        if not folder.exists():
            self.close()
            with refused(folder, "written"):
                folder.mkdir(parents=True)
                write(self._dataset.first(None, test_examples), examples, folder)
        return folder.absolute()

    def close(self) -> None:
        """Leave nothing."""
        shutil.rmtree(self._root, ignore_errors=True)


def write(dataset: Dataset, examples: int, folder: Path) -> None:
    """Write a data set whose training row i is row i mod N of `dataset`; from row N on with noise."""
    held = len(dataset.y_train)
    dataset.first(1, None).save(folder)
    save_array(folder / "y_train.npy", np.resize(dataset.y_train, examples))
    x = open_memmap(folder / "x_train.npy", "w+", np.uint8, (examples, dataset.features))
    for start in range(0, examples, ROWS):
        rows = np.arange(start, min(start + ROWS, examples))
        x[rows] = _noisy(dataset.x_train[rows % held], start, np.sum(rows < held))
    x.flush()


def _noisy(pixels: NDArray[np.uint8], start: int, unchanged: np.intp) -> NDArray[np.uint8]:
    """The rows of the piece that begins at `start`, but for the first `unchanged` with noise; clipped to 0 to 255."""
    if unchanged == len(pixels):
        return pixels
    noise = np.random.default_rng([start]).standard_normal(pixels.shape, dtype=np.float32)
    noise[:unchanged] = 0
    noise *= NOISE
    noise += pixels
    return np.clip(np.rint(noise, out=noise), 0, 255, out=noise).astype(np.uint8)
