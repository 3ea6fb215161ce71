"""Which data sets there are on this machine, found without importing TensorFlow or Pillow."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.core.errors import UnusableError
from bench.data.checks import printable
from bench.data.images import LAYOUT
from bench.data.mnist import SHIPPED, verify_mnist
from bench.data.tfds import VERSION, default_data_dir

Row = tuple[str, str, str]


def available(shipped: Path = SHIPPED, data_dir: Path | None = None) -> list[Row]:
    """Rows (name, where, state): the shipped set, each prepared TFDS set, and how the others are named."""
    return [
        ("mnist", printable(shipped), _state_of_shipped(shipped)),
        *_of_tfds(data_dir),
        ("idx:FOLDER", "FOLDER/train-images-idx3-ubyte, and the three others, also .gz", "ok"),
        ("images:FOLDER", LAYOUT, _state_of_package("pillow", "images")),
    ]


def _state_of_shipped(folder: Path) -> str:
    try:
        verify_mnist(folder)
    except UnusableError as error:
        return f"corrupted: {error}"
    return "ok"


def _of_tfds(data_dir: Path | None) -> list[Row]:
    try:
        folder = data_dir or default_data_dir()
    except UnusableError as error:
        return [("tfds:NAME", "~/tensorflow_datasets", str(error))]
    installed = _state_of_package("tensorflow-datasets", "tfds")
    return [*_prepared(folder), ("tfds:NAME", printable(folder), installed)]


def _prepared(data_dir: Path) -> Iterator[Row]:
    """One row a version; sets with configurations keep them one folder deeper."""
    found = (info.parent for depth in ("*/*", "*/*/*") for info in data_dir.glob(f"{depth}/dataset_info.json"))
    for folder in sorted(folder for folder in found if VERSION.fullmatch(folder.name)):
        name = folder.relative_to(data_dir).parent.as_posix()
        yield printable(f"tfds:{name}:{folder.name}"), printable(folder), "prepared"


def _state_of_package(package: str, extra: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} is not installed; pip install 'scratchnet[{extra}]'"
