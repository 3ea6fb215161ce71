"""TFDS sets: prepared ones are read, others refused in seconds, and TensorFlow stays out of this process."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest
from covering import weekly

from bench.core.errors import UnusableError
from bench.data import tfds
from bench.data.available import available
from bench.data.mnist import FILES, SHIPPED, load_mnist
from bench.data.prepare import prepare_mnist
from bench.data.tfds import load_tfds, network_reachable, prepared_folder

needs_tfds = pytest.mark.skipif(find_spec("tensorflow_datasets") is None, reason="tensorflow-datasets is not installed")
HERE = Path(__file__).parent


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setattr(tfds, "network_reachable", lambda: False)


@pytest.fixture(scope="session")
def sets(made_once):
    script = [sys.executable, str(HERE / "write_odd_tfds_sets.py")]
    return made_once(
        "tfds", lambda folder: subprocess.run([*script, folder], check=True, capture_output=True, timeout=200)
    )


@pytest.fixture(scope="session")
def prepared(made_once):
    return made_once("tfds of mnist", prepare_mnist)


@needs_tfds
@pytest.mark.weekly
def test_prepared_mnist_holds_the_shipped_examples(prepared):
    there, here = load_tfds("mnist", prepared), load_mnist()
    assert (there.image_shape, there.class_names) == (here.image_shape, here.class_names)
    for split in ("train", "test"):
        sides = [getattr(data, f"x_{split}") for data in (there, here)]
        labels = [getattr(data, f"y_{split}").tolist() for data in (there, here)]
        one, other = (
            Counter((row.tobytes(), label) for row, label in zip(rows, names, strict=True))
            for rows, names in zip(sides, labels, strict=True)
        )
        assert one == other
    # The order of TFDS's own `mnist:3.0.1`, as everybody has it who downloaded it.
    assert there.y_train[:10].tolist() == [4, 1, 0, 7, 8, 1, 2, 7, 1, 6]


@needs_tfds
@pytest.mark.weekly
def test_plain_tfds_reads_prepared_mnist(prepared):
    code = """
import tensorflow_datasets as tfds
assert tfds.builder("mnist").info.splits["train"].num_examples == 60_000
examples = tfds.load("mnist", split="train[:5]", download=False, as_supervised=True).as_numpy_iterator()
assert [int(label) for _, label in examples] == [4, 1, 0, 7, 8]
"""
    run(code, TFDS_DATA_DIR=str(prepared))


def run(code: str, **changes: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1]), "TF_CPP_MIN_LOG_LEVEL": "3"} | changes
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@needs_tfds
@pytest.mark.weekly
def test_a_second_preparation_says_so_and_does_nothing(prepared, capsys, monkeypatch):
    monkeypatch.setattr("bench.data.prepare.run_child", None)
    assert prepare_mnist(prepared) == prepared / "mnist" / "3.0.1"
    assert f"tfds:mnist: already prepared in {prepared}/mnist/3.0.1" in capsys.readouterr().err


@needs_tfds
def test_the_newest_version_read_in_a_process_that_never_imports_tensorflow(sets):
    code = """
import sys
from bench.data import load_dataset
from bench.spec import DataSpec
data = load_dataset(DataSpec(source="tfds:good"))
assert (data.x_train[:, 0].tolist(), data.y_train.tolist()) == ([0, 10, 20], [0, 1, 0])
assert (data.x_test.tolist(), data.y_test.tolist()) == ([[30] * 6], [1])  # from the split called validation
assert (data.image_shape, data.class_names) == ((2, 3, 1), ("cat", "dog"))
assert type(data.x_train).__name__ == "ndarray"  # not mapped: the file below it is gone
assert not [name for name in sys.modules if name.startswith("tensorflow")]
"""
    run(code, TFDS_DATA_DIR=str(sets))


@needs_tfds
@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("name", "match"),
    [
        (
            "no_such_set",
            r"unknown to tensorflow-datasets [\d.]+, .*; allowed: the names in https://www\.tensorflow\.org",
        ),
        ("mnist:9.9.9", r"Dataset mnist cannot be loaded at version 9\.9\.9, only: 3\.0\.1; allowed: .*catalog/mnist$"),
        *weekly(
            ("hidden_labels", "example 0 of test has the label -1; allowed: 0 to 1"),
            (
                "sizes",
                r"not a set for image classification: it has image \(None, None, 1\), label \(\); allowed: 'image' of",
            ),
            ("without_test", "has the splits train; allowed: train, and test or validation"),
            ("words", r"not a set for image classification: it has text \(\); allowed: 'image' of uint8"),
            ("imdb_reviews", r"not a set for image classification: it has .*text"),
            ("emnist/no_such", r"BuilderConfig no_such not found .*; allowed: .*catalog/emnist$"),
        ),
        (
            "mnist",
            "not prepared in .*, and no network; remedy: `scratchbench data prepare`, or `tfds build mnist` on a",
        ),
    ],
)
def test_what_is_refused(sets, name, match, capfd):
    with pytest.raises(UnusableError, match=f"^tfds:{name}: {match}") as caught:
        load_tfds(name, sets)
    assert str(caught.value).isprintable()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["../x", "a/../b", "gs://x/y", "huggingface:x", "a b", "mnist:3", "-x", "mnist/"])
def test_a_name_that_is_none(tmp_path, name):
    with pytest.raises(UnusableError, match=r"not a name; allowed: NAME, NAME/CONFIG, each also with :1\.2\.3"):
        load_tfds(name, tmp_path)


@needs_tfds
@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("features.json", "UnicodeDecodeError"),
        *weekly(
            ("good-train.tfrecord-00000-of-00001", "FailedPreconditionError|DataLossError"),
            ("dataset_info.json", "UnicodeDecodeError"),
        ),
    ],
)
def test_a_prepared_set_that_is_corrupted(sets, tmp_path, file, reason):
    shutil.copytree(sets / "good", tmp_path / "good")
    path = tmp_path / "good" / "1.0.0" / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = b"\xff" * 9
    path.write_bytes(content)
    match = rf"^tfds:good:1\.0\.0: {path.parent}: cannot be read \(({reason}): .*\); remedy: delete it and prepare it"
    with pytest.raises(UnusableError, match=match):
        load_tfds("good:1.0.0", tmp_path)


@needs_tfds
def test_without_a_network_the_refusal_takes_seconds(tmp_path):
    code = """
from bench.data import load_dataset, tfds
from bench.core.errors import UnusableError
from bench.spec import DataSpec
tfds.HOST = ("192.0.2.1", 443)  # kept free for documentation: nothing answers there
try:
    load_dataset(DataSpec(source="tfds:fashion_mnist"))
except UnusableError as error:
    assert "and no network; remedy: `tfds build fashion_mnist` on a machine" in str(error), error
else:
    raise SystemExit("not refused")
"""
    run(code, TFDS_DATA_DIR=str(tmp_path))


def test_with_a_network_the_child_downloads_and_the_user_is_told(tmp_path, monkeypatch, capsys):
    started = []

    def stop(*arguments, seconds):
        started.append((arguments, seconds))
        raise UnusableError("tfds:mnist: stopped here")

    monkeypatch.setattr(tfds, "check_installed", lambda: None)
    monkeypatch.setattr(tfds, "network_reachable", lambda: True)
    monkeypatch.setattr(tfds, "run_child", stop)
    with pytest.raises(UnusableError, match="stopped here"):
        load_tfds("mnist", tmp_path)
    assert started[0][0][-1] == "--download"
    assert started[0][1] == tfds.DOWNLOAD_SECONDS
    assert f"tfds:mnist: not prepared in {tmp_path}, downloading" in capsys.readouterr().err


def test_tfds_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds, "find_spec", lambda name: None if name != "tensorflow" else object())
    with pytest.raises(
        UnusableError, match=r"needs tensorflow_datasets, importlib_resources; remedy: pip install 'scratchn"
    ):
        load_tfds("mnist", tmp_path)


def test_a_host_that_answers_and_one_that_refuses(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(tfds, "HOST", server.getsockname())
        assert network_reachable()
    assert not network_reachable()


def test_a_look_up_that_hangs_counts_as_no_network(monkeypatch):
    ends = threading.Event()
    monkeypatch.setattr(tfds, "NETWORK_SECONDS", 0.1)
    monkeypatch.setattr(tfds, "_connects", lambda: ends.wait(60))
    assert not network_reachable()
    ends.set()


def test_the_data_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/x")
    monkeypatch.setenv("TFDS_DATA_DIR", "~/sets")
    assert tfds.default_data_dir() == Path("/home/x/sets")
    monkeypatch.setenv("TFDS_DATA_DIR", "")
    assert tfds.default_data_dir() == Path("/home/x/tensorflow_datasets")


def prepare_by_hand(data_dir: Path, *folders: str) -> None:
    for folder in folders:
        (data_dir / folder).mkdir(parents=True)
        (data_dir / folder / "dataset_info.json").write_text("{}")


def test_prepared_sets_are_found_by_their_files(tmp_path):
    prepare_by_hand(tmp_path, "a/1.9.0", "a/1.10.0", "a/incomplete.x_2.0.0", "b/c/1.0.0")
    (tmp_path / "a" / "3.0.0").mkdir()
    assert prepared_folder("a", tmp_path) == tmp_path / "a" / "1.10.0"
    assert prepared_folder("a:1.9.0", tmp_path) == tmp_path / "a" / "1.9.0"
    assert prepared_folder("b/c", tmp_path) == tmp_path / "b" / "c" / "1.0.0"
    assert [prepared_folder(name, tmp_path) for name in ("a:3.0.0", "b", "d")] == [None, None, None]


def test_available_lists_what_is_there(tmp_path):
    prepare_by_hand(tmp_path, "b/c/1.0.0", "a/1.9.0", "a/incomplete.x_2.0.0")
    rows = available(data_dir=tmp_path)
    names = ["mnist", "tfds:a:1.9.0", "tfds:b/c:1.0.0", "tfds:NAME", "idx:FOLDER", "images:FOLDER"]
    names += ["npz:FILE", "csv:FILE", "parquet:FILE", "sklearn:NAME"]
    assert [name for name, _, _ in rows] == names
    assert rows[0] == ("mnist", str(SHIPPED), "ok")
    assert rows[2] == ("tfds:b/c:1.0.0", str(tmp_path / "b/c/1.0.0"), "prepared")


def test_available_says_what_is_corrupted_or_not_installed(tmp_path, monkeypatch):
    shutil.copytree(SHIPPED, tmp_path / "mnist")
    (tmp_path / "mnist" / FILES[0]).write_bytes(b"")
    monkeypatch.setattr("importlib.metadata.Distribution.discover", lambda **kwargs: iter(()))
    states = {name: state for name, _, state in available(tmp_path / "mnist", tmp_path)}
    assert states["mnist"].startswith(f"corrupted: {tmp_path / 'mnist' / FILES[0]}: SHA-256 is")
    assert states["tfds:NAME"] == "tensorflow-datasets is not installed; pip install 'scratchnet[tfds]'"
    assert states["images:FOLDER"] == "pillow is not installed; pip install 'scratchnet[images]'"
    assert states["parquet:FILE"] == "pyarrow is not installed; pip install 'scratchnet[parquet]'"
    assert states["sklearn:NAME"] == "scikit-learn is not installed; pip install 'scratchnet[sklearn]'"


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr("bench.data.prepare.check_installed", lambda: None)


@pytest.mark.usefixtures("installed")
def test_a_preparation_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def fail(what, module, folder, seconds):
        prepare_by_hand(Path(folder), "mnist/3.0.1")
        raise UnusableError("disk full")

    monkeypatch.setattr("bench.data.prepare.run_child", fail)
    with pytest.raises(UnusableError, match="disk full"):
        prepare_mnist(tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.usefixtures("installed")
def test_two_preparations_at_once_both_succeed(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "bench.data.prepare.run_child",
        lambda what, module, folder, seconds: [
            prepare_by_hand(Path(root), "mnist/3.0.1") for root in (folder, tmp_path)
        ],
    )
    assert prepare_mnist(tmp_path) == tmp_path / "mnist" / "3.0.1"
    assert [path.name for path in tmp_path.iterdir()] == ["mnist"]


@pytest.mark.usefixtures("installed")
def test_half_a_set_in_the_way_is_named(tmp_path, monkeypatch):
    (tmp_path / "mnist" / "3.0.1" / "half").mkdir(parents=True)
    monkeypatch.setattr(
        "bench.data.prepare.run_child",
        lambda what, module, folder, seconds: prepare_by_hand(Path(folder), "mnist/3.0.1"),
    )
    with pytest.raises(
        UnusableError, match=r"mnist/3\.0\.1: cannot be written \(Directory not empty\); remedy: TFDS_DATA_DIR"
    ):
        prepare_mnist(tmp_path)


@pytest.mark.usefixtures("installed")
def test_a_data_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        UnusableError, match=r"file/mnist: cannot be written \(Not a directory\); remedy: TFDS_DATA_DIR="
    ):
        prepare_mnist(tmp_path / "file")
