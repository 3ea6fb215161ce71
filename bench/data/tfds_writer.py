"""The child process that builds TFDS's `mnist` from the shipped files: `python -m bench.data.tfds_writer DATA_DIR`.

TFDS's own builder does the work, so examples stand in the same order as after a download.
"""

import gzip
import sys
from pathlib import Path, PurePosixPath
from typing import Any

from bench.core.files import temporary_folder
from bench.data.child import report_failure
from bench.data.mnist import FILES, SHIPPED


class _ShippedFiles:
    """Stands in for TFDS's download manager: the file at an address is the unpacked shipped file of that name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def download_and_extract(self, addresses: dict[str, str]) -> dict[str, str]:
        return {key: str(self.folder / PurePosixPath(address).stem) for key, address in addresses.items()}


def write_mnist(data_dir: Path) -> None:
    """Prepare `mnist` below `data_dir`, without a network."""
    import tensorflow_datasets as tfds

    class ShippedMnist(tfds.image_classification.MNIST, skip_registration=True):  # type: ignore[misc, call-arg]
        name = "mnist"
        __module__ = (
            tfds.image_classification.MNIST.__module__
        )  # goes into dataset_info.json: who reads it must find the builder

        def _split_generators(self, dl_manager: Any) -> Any:
            return super()._split_generators(_ShippedFiles(unpacked))

    tfds.disable_progress_bar()
    with temporary_folder("mnist") as unpacked:
        for name in FILES:
            (unpacked / Path(name).stem).write_bytes(gzip.decompress((SHIPPED / name).read_bytes()))
        ShippedMnist(data_dir=data_dir).download_and_prepare()


def _main(arguments: list[str]) -> int:
    return report_failure(lambda: write_mnist(Path(arguments[0])))


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
