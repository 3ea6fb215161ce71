"""The child process that reads one TFDS set. Arguments: NAME DATA_DIR OUT_FOLDER [--download]."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from bench.core.errors import UnusableError
from bench.data.checks import check_size, printable
from bench.data.child import report_failure
from bench.data.dataset import Bytes, Dataset, Labels
from bench.data.tfds import parse_name, prepared_folder

BATCH = 1000
CATALOG = "https://www.tensorflow.org/datasets/catalog"


def save_tfds(name: str, data_dir: Path, folder: Path, download: bool) -> None:
    """Save the set to `folder`; `download` it when it is not prepared in `data_dir`.

    Raises UnusableError: one line that does not repeat the name: the parent puts it before.
    """
    prepared = prepared_folder(name, data_dir)
    dataset = _read(_downloaded(name, data_dir, download)) if prepared is None else _read_folder(prepared)
    dataset.save(folder)


def _read_folder(folder: Path) -> Dataset:
    import tensorflow_datasets as tfds

    try:
        return _read(tfds.builder_from_directory(folder))
    except UnusableError:
        raise
    except Exception as error:  # broken files raise anything in TFDS and in TensorFlow
        reason = printable(f"{type(error).__name__}: {error}", longest=200)
        raise UnusableError(f"{folder}: cannot be read ({reason}); remedy: delete it and prepare it again") from None


def _read(builder: Any) -> Dataset:
    shape, names = _image_shape(builder), tuple(builder.info.features["label"].names)
    splits = _splits(builder)
    check_size("its examples", sum(builder.info.splits[split].num_examples for split in splits), *shape)
    (x_train, y_train), (x_test, y_test) = (_read_split(builder, split, shape, len(names)) for split in splits)
    return Dataset(x_train, y_train, x_test, y_test, shape, names)


def _downloaded(name: str, data_dir: Path, download: bool) -> Any:
    builder = _known(name, data_dir)
    _image_shape(builder)  # before a download of something that could not be used
    # A look at the files, since `is_prepared` imports TensorFlow: the refusal would take five seconds.
    if not download and not Path(builder.data_path, "dataset_info.json").is_file():
        raise UnusableError(f"not prepared in {data_dir}, and no network; remedy: {_remedy(name)}")
    builder.download_and_prepare()  # does nothing when it is prepared
    return builder


def _known(name: str, data_dir: Path) -> Any:
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError:
        place = f"unknown to tensorflow-datasets {tfds.__version__}, and not prepared in {data_dir}"
        raise UnusableError(f"{place}; allowed: the names in {CATALOG}") from None
    except (ValueError, AssertionError) as error:  # a version or a configuration that is not there
        reason = (str(error).partition('}": ')[2] or str(error)).partition(". ")[0].rstrip(".")
        raise UnusableError(f"{reason}; allowed: those in {CATALOG}/{parse_name(name)['dataset']}") from None


def _remedy(name: str) -> str:
    elsewhere = f"`tfds build {name}` on a machine with a network, then TFDS_DATA_DIR=its data folder here"
    return f"`scratchbench data prepare`, or {elsewhere}" if parse_name(name)["dataset"] == "mnist" else elsewhere


def _image_shape(builder: Any) -> tuple[int, int, int]:
    """(height, width, channels); refuses what is not images of one size with one label each."""
    features: dict[str, Any] = dict(getattr(builder.info.features, "items", dict)())
    image, label = features.get("image"), features.get("label")
    shape = getattr(image, "shape", ())
    fits = (
        len(shape) == 3 and None not in shape and getattr(image, "dtype", None) == np.uint8 and hasattr(label, "names")
    )
    if not fits:
        found = ", ".join(f"{key} {getattr(feature, 'shape', '')}" for key, feature in sorted(features.items()))
        allowed = "'image' of uint8 with one fixed shape, and 'label' of ClassLabel"
        raise UnusableError(f"not a set for image classification: it has {found}; allowed: {allowed}")
    height, width, channels = map(int, shape)
    return height, width, channels


def _splits(builder: Any) -> tuple[str, str]:
    names = list(builder.info.splits)
    test = next((split for split in ("test", "validation") if split in names), None)
    if "train" not in names or test is None:
        raise UnusableError(f"has the splits {', '.join(names)}; allowed: train, and test or validation")
    return "train", test


def _read_split(builder: Any, split: str, shape: tuple[int, int, int], classes: int) -> tuple[Bytes, Labels]:
    """Images (N, n_0) and labels (N,) in the order of the prepared files."""
    count = builder.info.splits[split].num_examples
    images, labels = np.empty((count, *shape), np.uint8), np.empty(count, np.int64)
    filled = 0
    for batch in builder.as_dataset(split=split, batch_size=BATCH, shuffle_files=False).as_numpy_iterator():
        rows = slice(filled, filled + len(batch["label"]))
        images[rows], labels[rows] = batch["image"], batch["label"]
        filled = rows.stop
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if wrong.size:
        place = f"example {wrong[0]} of {split} has the label {labels[wrong[0]]}"
        raise UnusableError(f"{place}; allowed: 0 to {classes - 1} (some sets hide the labels of their test split)")
    return images.reshape(count, -1), labels


def _main(arguments: list[str]) -> int:
    name, data_dir, folder, *flags = arguments
    return report_failure(lambda: save_tfds(name, Path(data_dir), Path(folder), "--download" in flags))


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
