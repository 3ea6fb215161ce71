"""The MNIST that comes with the project: four IDX files and their SHA-256 digests."""

import hashlib
import re
from importlib import resources
from pathlib import Path

from bench.core.errors import UnusableError
from bench.data.dataset import Dataset
from bench.data.idx import load_idx

SHIPPED = Path(str(resources.files("bench") / "data" / "mnist"))
FILES = (
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
)
REMEDY = "remedy: install the project again, or `git checkout bench/data/mnist`"


def load_mnist(folder: Path = SHIPPED) -> Dataset:
    """60,000 training and 10,000 test digits, 28 x 28, labels 0 to 9; each file is checked against its digest.

    Raises UnusableError: when a file is missing or not the shipped one.
    """
    verify_mnist(folder)
    return load_idx(folder)


def verify_mnist(folder: Path = SHIPPED) -> None:
    """Compare the four files with `SHA256SUMS`.

    Raises UnusableError: names the first file that is missing or differs.
    """
    digests = _digests(folder / "SHA256SUMS")
    for name in FILES:
        if not (folder / name).is_file():
            raise UnusableError(f"{folder / name}: is missing; {REMEDY}")
        with (folder / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != digests.get(name):
            raise UnusableError(f"{folder / name}: SHA-256 is {digest}, not {digests.get(name)}; {REMEDY}")


def _digests(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableError(f"{path}: cannot be read ({error}); {REMEDY}") from None
    matches = [re.fullmatch(r"([0-9a-f]{64}) [ *](\S+)", line) for line in lines]
    return {match[2]: match[1] for match in matches if match}
