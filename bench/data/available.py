"""Which data sets there are on this machine, found without importing TensorFlow or Pillow."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.core.errors import UnusableError
from bench.core.text import one_line
from bench.data.dataset import ARRAYS
from bench.data.images import LAYOUT
from bench.data.mnist import SHIPPED, verify_mnist
from bench.data.sklearn_sets import SETS
from bench.data.tfds import VERSION, default_data_dir
from bench.spec.data import DEFAULT_TARGET

Row = tuple[str, str, str]
TABLE = f"a row an example; the column {DEFAULT_TARGET}, or target = COLUMN, is predicted from all others"


def available(shipped: Path = SHIPPED, data_dir: Path | None = None) -> list[Row]:
    """Rows (name, where, state): the shipped set, each prepared TFDS set, and how the others are named."""
    return [
        ("mnist", one_line(shipped), _state_of_shipped(shipped)),
        *_of_tfds(data_dir),
        ("idx:FOLDER", "FOLDER/train-images-idx3-ubyte, and the three others, also .gz", "ok"),
        ("images:FOLDER", LAYOUT, _state_of_package("pillow", "images")),
        ("npz:FILE", f"arrays {', '.join(ARRAYS)}, as in Keras's mnist.npz", "ok"),
        ("csv:FILE", TABLE, "ok"),
        ("parquet:FILE", TABLE, _state_of_package("pyarrow", "parquet")),
        ("sklearn:NAME", f"NAME is {', '.join(SETS)}", _state_of_package("scikit-learn", "sklearn")),
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
    return [*_prepared(folder), ("tfds:NAME", one_line(folder), installed)]


def _prepared(data_dir: Path) -> Iterator[Row]:
    """One row a version; sets with configurations keep them one folder deeper."""
    found = (info.parent for depth in ("*/*", "*/*/*") for info in data_dir.glob(f"{depth}/dataset_info.json"))
    for folder in sorted(folder for folder in found if VERSION.fullmatch(folder.name)):
        name = folder.relative_to(data_dir).parent.as_posix()
        yield one_line(f"tfds:{name}:{folder.name}"), one_line(folder), "prepared"


def _state_of_package(package: str, extra: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} is not installed; pip install 'scratchnet[{extra}]'"
