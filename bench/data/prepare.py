"""Builds the TFDS form of MNIST from the shipped files, so that `tfds.load("mnist")` works without a download.

The result is whole or absent.
"""

import os
import sys
from pathlib import Path

from bench.core.errors import UnusableError
from bench.core.files import temporary_folder
from bench.core.text import one_line
from bench.data.child import run_child
from bench.data.mnist import verify_mnist
from bench.data.tfds import check_installed, default_data_dir, prepared_folder

VERSION = "3.0.1"
NAME = f"mnist:{VERSION}"
PREPARE_SECONDS = 900.0


def prepare_mnist(data_dir: Path | None = None) -> Path:
    """The folder of TFDS's `mnist:3.0.1` in `data_dir` (by default where TFDS looks), built unless it is there already.

    Raises UnusableError: when TFDS is not installed, a shipped file is corrupted, or `data_dir` cannot be written.
    """
    data_dir = (data_dir or default_data_dir()).absolute()  # the child does not work in the current folder
    folder = prepared_folder(NAME, data_dir)
    if folder is not None:
        print(f"tfds:mnist: already prepared in {one_line(folder)}", file=sys.stderr)
        return folder
    check_installed()
    verify_mnist()
    try:
        return _build(data_dir)
    except OSError as error:
        place = one_line(error.filename2 or error.filename or data_dir)
        reason = error.strerror or error
        raise UnusableError(f"{place}: cannot be written ({reason}); remedy: TFDS_DATA_DIR=another folder") from None


def _build(data_dir: Path) -> Path:
    target = data_dir / "mnist" / VERSION
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside its goal, so that it arrives there by one rename.
    with temporary_folder("mnist", data_dir) as temporary:
        run_child("tfds:mnist", "bench.data.tfds_writer", str(temporary), seconds=PREPARE_SECONDS)
        try:
            os.rename(temporary / "mnist" / VERSION, target)
        except OSError:
            if prepared_folder(NAME, data_dir) is None:  # otherwise another process was faster, with the same result
                raise
    return target
