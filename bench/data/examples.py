"""The test examples of a run: labels and pixels, used only if their fingerprint is that of the run.

If the data are not available, it says why.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UnusableError
from bench.core.text import one_line
from bench.data.dataset import Dataset
from bench.data.sources import load_dataset
from bench.data.tfds import default_data_dir, prepared_folder
from bench.spec import DataSpec


@dataclass(frozen=True)
class Examples:
    """Labels (N,) or (N, K) of the test split, class names, features (N, n_0); `shape` is (height, width, channels)
    where the features are the bytes of pictures, else None."""

    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    pixels: NDArray[Any]
    shape: tuple[int, int, int] | None


def examples_of(data: DataSpec, recorded: str | None, whose: str) -> Examples | str:
    """The test examples that `data` describes, or one line that says why they are not at hand.

    recorded : the fingerprint that the run `whose` has of them; None where it has none.
    """
    source = one_line(data.source, 60)
    if recorded is None:
        return f"{source}: no fingerprint of these examples in {whose}, so labels cannot be believed"
    dataset = _load(data)
    if isinstance(dataset, str):
        return dataset
    if dataset.fingerprint != recorded:
        return f"{source}: the examples on this machine are not those of {whose} (another fingerprint)"
    labels = np.asarray(dataset.y_test, np.int64)
    return Examples(labels, dataset.class_names, dataset.x_test, dataset.image_shape)


@lru_cache(maxsize=4)
def _load(data: DataSpec) -> Dataset | str:
    scheme, _, name = data.source.partition(":")
    try:
        if scheme == "tfds" and prepared_folder(name, default_data_dir()) is None:  # a report downloads nothing
            return f"{one_line(data.source, 60)}: not prepared on this machine"
        return load_dataset(data)
    except UnusableError as error:
        return one_line(error, 200)
