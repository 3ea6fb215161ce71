"""TensorFlow Datasets by name, read in a child process; this process never imports TensorFlow."""

import os
import re
import socket
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

from bench.core.errors import UnusableError
from bench.core.files import expanded, temporary_folder
from bench.core.text import one_line
from bench.data.child import run_child
from bench.data.dataset import Dataset

NAME = re.compile(r"(?P<dataset>\w+)(?:/(?P<config>[\w+-][\w.+-]*))?(?::(?P<version>\d+\.\d+\.\d+))?", re.ASCII)
VERSION = re.compile(r"\d+\.\d+\.\d+", re.ASCII)
PACKAGES = ("tensorflow", "tensorflow_datasets", "importlib_resources")
HOST = ("storage.googleapis.com", 443)
NETWORK_SECONDS = 3.0
# TFDS itself retries for 200 s; a set of which nothing is there takes a second to refuse.
REFUSAL_SECONDS = 30.0
READ_SECONDS = 900.0
DOWNLOAD_SECONDS = 3600.0


def load_tfds(name: str, data_dir: Path | None = None) -> Dataset:
    """The image classification set `NAME`, `NAME/CONFIG` or `NAME:VERSION`, prepared in `data_dir` or downloaded to it.

    Raises UnusableError: when the name is unknown, TFDS is not installed, the set is neither prepared nor within reach,
    or has no images of one size with labels.
    """
    parse_name(name)
    check_installed()
    data_dir = (data_dir or default_data_dir()).absolute()  # the child does not work in the current folder
    download = prepared_folder(name, data_dir) is None and network_reachable()
    if download:
        print(f"tfds:{name}: not prepared in {one_line(data_dir)}, downloading; may take minutes", file=sys.stderr)
    with temporary_folder("tfds") as folder:
        arguments = (name, str(data_dir), str(folder), *(["--download"] if download else []))
        seconds = _time_limit(name, data_dir, download)
        run_child(f"tfds:{name}", "bench.data.tfds_reader", *arguments, seconds=seconds)
        return Dataset.open(folder).in_memory()


def _time_limit(name: str, data_dir: Path, download: bool) -> float:
    if download:
        return DOWNLOAD_SECONDS
    # Without a configuration in the name, only TFDS knows whether its default one is among those prepared here.
    return READ_SECONDS if (data_dir / str(parse_name(name)["dataset"])).is_dir() else REFUSAL_SECONDS


def parse_name(name: str) -> dict[str, str | None]:
    """`dataset`, `config` and `version` of a TFDS name.

    Raises UnusableError: For anything else, a path or an address among it.
    """
    match = NAME.fullmatch(name)
    if match is None:
        raise UnusableError(f"tfds:{one_line(name)}: not a name; allowed: NAME, NAME/CONFIG, each also with :1.2.3")
    return match.groupdict()


def check_installed() -> None:
    """Refuse with the remedy unless TFDS and what it needs are there (it does not declare importlib_resources)."""
    missing = [package for package in PACKAGES if find_spec(package) is None]
    if missing:
        raise UnusableError(f"tfds:NAME needs {', '.join(missing)}; remedy: pip install 'scratchnet[tfds]'")


def default_data_dir() -> Path:
    """`TFDS_DATA_DIR`, or where TFDS keeps its sets by default."""
    return expanded(os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets")


def prepared_folder(name: str, data_dir: Path) -> Path | None:
    """The folder of the newest prepared version, found by its files alone; None when there is none."""
    parts = parse_name(name)
    root = data_dir / str(parts["dataset"]) / (parts["config"] or "")
    folders = [info.parent for info in root.glob("*/dataset_info.json") if VERSION.fullmatch(info.parent.name)]
    fitting = [folder for folder in folders if parts["version"] in (None, folder.name)]
    return max(fitting, key=lambda folder: tuple(map(int, folder.name.split("."))), default=None)


def network_reachable() -> bool:
    """Whether the host that TFDS downloads from answers within `NETWORK_SECONDS`."""
    answers: list[bool] = []
    # In a thread, since the look-up of a name has no time limit of its own.
    probe = threading.Thread(target=lambda: answers.append(_connects()), daemon=True)
    probe.start()
    probe.join(NETWORK_SECONDS)
    return answers == [True]


def _connects() -> bool:
    try:
        with socket.create_connection(HOST, timeout=NETWORK_SECONDS):
            return True
    except OSError:
        return False
