"""Archives in the form of Keras's mnist.npz, whole and broken."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from bench.core.errors import UnusableError
from bench.data import load_dataset
from bench.data.checks import LARGEST_BYTES
from bench.data.npz import load_npz
from bench.spec import DataSpec

PICTURES = np.arange(3 * 2 * 4, dtype=np.uint8).reshape(3, 2, 4)


def arrays(**changes):
    whole = {"x_train": PICTURES, "y_train": np.array([0, 2, 1], np.uint8), "x_test": PICTURES[:1], "y_test": [2]}
    return {name: np.asarray(array) for name, array in (whole | changes).items()}


def written(folder, save=np.savez, **changes):
    path = folder / "set.npz"
    save(path, **arrays(**changes))
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_pictures_and_classes(tmp_path, save):
    data = load_dataset(DataSpec(source=f"npz:{written(tmp_path, save)}"))
    assert data.x_train.tolist() == PICTURES.reshape(3, 8).tolist()
    assert (data.y_train.tolist(), data.y_test.tolist()) == ([0, 2, 1], [2])
    assert (data.image_shape, data.class_names) == ((2, 4, 1), ("0", "1", "2"))
    assert (data.x_train.dtype, data.y_train.dtype) == (np.uint8, np.int64)


def test_colours_and_labels_in_a_column_as_in_cifar(tmp_path):
    colours = np.zeros((3, 2, 4, 3), np.uint8)
    labels = {"y_train": [[1], [0], [1]], "y_test": [[0]]}
    data = load_npz(written(tmp_path, x_train=colours, x_test=colours[:1], **labels), "classification")
    assert (data.image_shape, data.y_train.tolist()) == ((2, 4, 3), [1, 0, 1])


def test_numbers_are_features_and_no_picture(tmp_path):
    x = np.array([[0.5, -1], [2, 3], [4, 5]], np.float32)
    data = load_npz(written(tmp_path, x_train=x, x_test=x[:1]), "classification")
    assert (data.x_train.tolist(), data.x_train.dtype, data.image_shape) == (x.tolist(), np.float64, None)


def test_targets_of_a_regression_and_of_several_labels(tmp_path):
    data = load_npz(written(tmp_path, y_train=[1.5, 2, 3], y_test=[4]), "regression")
    assert (data.y_train.tolist(), data.y_test.tolist(), data.class_names) == ([[1.5], [2.0], [3.0]], [[4.0]], ("0",))
    data = load_npz(written(tmp_path, y_train=[[1, 0], [0, 1], [1, 1]], y_test=[[0, 0]]), "multi_label")
    assert (data.y_train.tolist(), data.y_train.dtype) == ([[1, 0], [0, 1], [1, 1]], np.uint8)


NAN = np.array([[0.0, 1.0], [2.0, np.nan], [0.0, 0.0]])


@pytest.mark.parametrize(
    ("task", "changes", "match"),
    [
        (
            "classification",
            {"x_train": NAN, "x_test": NAN[:1]},
            r"x_train: row 2, column 2: nan; allowed: finite numbers$",
        ),
        ("classification", {"y_train": [0, -1, 1]}, r"y_train: row 2, column 1: -1; allowed: 0 to 65535$"),
        ("classification", {"y_train": [0, 70_000, 1]}, r"y_train: row 2, column 1: 70000; allowed: 0 to 65535$"),
        ("classification", {"y_test": [3]}, r"y_test: row 1, column 1: 3; allowed: 0 to 2, the labels of y_train$"),
        ("classification", {"y_train": [0.5, 1, 2]}, r"y_train: shape \(3,\), dtype float64; allowed: whole numbers"),
        (
            "classification",
            {"y_train": [[1, 0]] * 3},
            r"y_train: shape \(3, 2\), dtype int64; allowed: whole .*multi_label",
        ),
        ("classification", {"y_train": [0, 1]}, "x_train has 3 rows, y_train 2; allowed: as many"),
        ("classification", {"x_test": PICTURES[:1, :1]}, r"are \(2, 4\) and \(1, 4\); allowed: one shape"),
        (
            "classification",
            {"x_train": np.zeros(3), "x_test": np.zeros(1)},
            r"x_train has the shape \(3,\); allowed: \(N, f",
        ),
        ("classification", {"x_train": np.zeros((0, 2, 4))}, r"x_train has the shape \(0, 2, 4\); allowed: one row"),
        ("classification", {"y_train": ["a", "b", "c"]}, "y_train has the dtype <U1; allowed: numbers"),
        ("multi_label", {"y_train": [[0, 1], [1, 2], [0, 0]]}, r"y_train: row 2, column 2: 2; allowed: 0 or 1"),
        ("multi_label", {}, r"y_train: shape \(3,\); allowed: \(N, K\) with K of 2 or more"),
        ("regression", {"y_train": [1, np.inf, 2], "y_test": [1.0]}, "y_train: row 2, column 1: inf; allowed: finite"),
        ("regression", {"y_train": np.ones((3, 2))}, "y_train has 2 columns, y_test 1; allowed: as many"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path, task, changes, match):
    with pytest.raises(UnusableError, match=match) as caught:
        load_npz(written(tmp_path, **changes), task)
    assert "\n" not in str(caught.value)


def test_an_object_is_never_unpickled(tmp_path):
    path = tmp_path / "set.npz"
    np.savez(path, allow_pickle=True, **arrays(y_train=np.array([0, None, 1], object)))
    with pytest.raises(UnusableError, match="y_train has the dtype object; allowed: numbers"):
        load_npz(path, "classification")


def test_a_missing_array(tmp_path):
    path = tmp_path / "set.npz"
    np.savez(path, x=PICTURES, y=[0, 1, 2])
    with pytest.raises(
        UnusableError, match="has no array x_train; it has x, y; allowed: x_train, y_train, x_test, y_te"
    ):
        load_npz(path, "classification")


def with_header(path, shape):
    """An archive whose x_train promises that shape and holds ten bytes."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_train.npy", header.getvalue() + b"0123456789")
        for name in ("y_train", "x_test", "y_test"):
            archive.writestr(f"{name}.npy", b"")
    return path


@pytest.mark.parametrize(
    ("shape", "match"),
    [
        ((LARGEST_BYTES,), f"promises {LARGEST_BYTES} bytes, which the file does not hold"),
        ((2**40, 2**20), f"allowed: at most {LARGEST_BYTES} bytes"),
    ],
)
def test_a_header_that_promises_too_much_costs_no_memory(tmp_path, shape, match):
    path = with_header(tmp_path / "set.npz", shape)
    tracemalloc.start()
    try:
        with pytest.raises(UnusableError, match=match):
            load_npz(path, "classification")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kept", [0, 1, 50, 300, -30])
def test_a_file_that_was_cut_short(tmp_path, kept):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UnusableError, match=r"not a usable \.npz file"):
        load_npz(path, "classification")


def test_a_changed_byte_is_found(tmp_path):
    path = written(tmp_path)
    content = bytearray(path.read_bytes())
    place = content.index(PICTURES.tobytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(UnusableError, match=r"not a usable \.npz file \(Bad CRC-32"):
        load_npz(path, "classification")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UnusableError, match=r"none\.npz: cannot be read \(No such file or directory\)"):
        load_dataset(DataSpec(source=f"npz:{tmp_path / 'none.npz'}"))


def test_bytes_beside_numbers(tmp_path):
    """Bytes are divided by 255 and numbers are not: the two splits would have different scales."""
    with pytest.raises(UnusableError, match="x_train and x_test are of uint8 and float64; allowed: uint8 in both or"):
        load_npz(written(tmp_path, x_test=PICTURES[:1] / 255), "classification")


@pytest.mark.parametrize("header", [b"(" * 500, b"{'descr': '<f8', 'fortran_order': False, 'shape': (True, 4)}"])
def test_a_header_that_is_no_header(tmp_path, header):
    path = written(tmp_path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    body = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(32)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (members | {"x_train.npy": body}).items():
            archive.writestr(name, content)
    with pytest.raises(UnusableError, match=r"not a usable \.npz file \(.*\); allowed: what numpy.savez writes"):
        load_npz(path, "classification")
