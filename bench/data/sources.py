"""Table of data sources: the scheme before the colon of `data.source` → its loader."""

from collections.abc import Callable

from bench.core.errors import UnusableError
from bench.core.files import expanded
from bench.core.text import one_line
from bench.data.dataset import Dataset
from bench.data.idx import load_idx
from bench.data.images import load_images
from bench.data.mnist import load_mnist
from bench.data.npz import load_npz
from bench.data.sklearn_sets import load_sklearn
from bench.data.tfds import load_tfds
from bench.spec import DataSpec


def _load_images(folder: str, data: DataSpec) -> Dataset:
    if data.image_size is None:
        raise UnusableError(f"{data.source}: needs image_size = [height, width]")
    return load_images(expanded(folder), data.image_size, data.color)


def _load_csv(file: str, data: DataSpec) -> Dataset:
    from bench.data.csv_file import open_csv  # with it pandas, which a worker process does without
    from bench.data.tables import load_table

    return load_table(open_csv, expanded(file), data)


def _load_parquet(file: str, data: DataSpec) -> Dataset:
    from bench.data.parquet_file import open_parquet
    from bench.data.tables import load_table

    return load_table(open_parquet, expanded(file), data)


LOADERS: dict[str, Callable[[str, DataSpec], Dataset]] = {
    "mnist": lambda _, data: load_mnist(),
    "tfds": lambda name, data: load_tfds(name),
    "idx": lambda folder, data: load_idx(expanded(folder)),
    "images": _load_images,
    "npz": lambda file, data: load_npz(expanded(file), data.task),
    "csv": _load_csv,
    "parquet": _load_parquet,
    "sklearn": load_sklearn,
}


def load_dataset(data: DataSpec) -> Dataset:
    """The examples that `data` names, all or the first so many of each split.

    Raises UnusableError: one line with source, file, place, what is wrong and what is allowed.
    """
    scheme, _, rest = data.source.partition(":")
    try:
        dataset = LOADERS[scheme](rest, data)
    except OSError as error:
        place = one_line(error.filename or data.source)
        raise UnusableError(f"{place}: cannot be read ({error.strerror or error})") from None
    except MemoryError:
        raise UnusableError(f"{data.source}: does not fit in this machine's memory") from None
    _check_count(data.source, "train", len(dataset.y_train), data.train_examples)
    _check_count(data.source, "test", len(dataset.y_test), data.test_examples)
    return dataset.first(data.train_examples, data.test_examples)


def _check_count(source: str, split: str, held: int, wanted: int | None) -> None:
    if held == 0:
        raise UnusableError(f"{source}: its {split} split is empty; allowed: 1 example or more")
    if wanted is not None and wanted > held:
        raise UnusableError(f"{source}: {split}_examples = {wanted}; allowed: 1 to {held}, as many as it holds")
