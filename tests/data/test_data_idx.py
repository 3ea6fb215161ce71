"""IDX files, whole and broken in every way a download breaks them."""

import gzip
import os
import struct
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.core.errors import UnusableError
from bench.data.dataset import Dataset
from bench.data.idx import load_idx, read_idx


def equal(one: Dataset, other: Dataset) -> bool:
    return (one.fingerprint, one.image_shape, one.class_names) == (
        other.fingerprint,
        other.image_shape,
        other.class_names,
    )


def peak_bytes_of_refusal(folder: Path, match: str) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(UnusableError, match=match):
            load_idx(folder)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_reads_rows_labels_shape_and_class_names(tmp_path, write_idx):
    data = load_idx(write_idx(tmp_path))
    assert data.x_train.tolist() == [list(range(12)), list(range(12, 24))]
    assert data.x_test.tolist() == [list(range(100, 112))]
    assert (data.y_train.tolist(), data.y_test.tolist()) == ([0, 1], [1])
    assert (data.image_shape, data.class_names) == ((3, 4, 1), ("0", "1"))
    assert (data.x_train.dtype, data.y_train.dtype) == (np.uint8, np.int64)


@settings(deadline=None, max_examples=60)
@given(
    images=arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6))),
    label=st.integers(0, 255),
    zipped=st.booleans(),
    joint=st.sampled_from("-."),
)
def test_what_is_written_is_read(write_idx, to_idx_bytes, images, label, zipped, joint):
    labels = np.full(len(images), label, np.uint8)
    files = {"train_images": images, "train_labels": labels, "t10k_images": images[:1], "t10k_labels": labels[:1]}
    with tempfile.TemporaryDirectory() as folder:
        contents = {name: to_idx_bytes(array) for name, array in files.items()}
        data = load_idx(write_idx(Path(folder), zipped, joint, **contents))
    assert np.array_equal(data.x_train, images.reshape(len(images), -1))
    assert np.array_equal(data.x_test, data.x_train[:1])
    assert data.y_train.tolist() == [label] * len(images)
    assert data.image_shape == (*images.shape[1:], 1)


FILES = st.sampled_from(["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"])


@pytest.mark.parametrize("zipped", [False, True])
@settings(deadline=None, max_examples=300)
@given(file=FILES, position=st.integers(0, 10_000), mask=st.integers(1, 255), cut=st.booleans())
def test_a_corrupted_file_gives_data_or_one_clear_error(write_idx, file, position, mask, cut, zipped):
    """The same data from a gzip. A plain file has no checksum: a changed pixel or label is another data set."""
    with tempfile.TemporaryDirectory() as name:
        folder = write_idx(Path(name), zipped)
        whole = load_idx(folder)
        corrupt(folder / f"{file}-ubyte{'.gz' if zipped else ''}", position, mask, cut)
        found = data_or_refusal(folder)
        if isinstance(found, str):
            assert is_one_clear_line(found, folder)
        else:
            assert [found.x_train.shape, found.x_test.shape] == [whole.x_train.shape, whole.x_test.shape]
            assert not zipped or equal(found, whole)


def corrupt(path: Path, position: int, mask: int, cut: bool) -> None:
    content = bytearray(path.read_bytes())
    position %= len(content)
    content[position] ^= mask
    path.write_bytes(content[:position] if cut else content)


def data_or_refusal(folder: Path) -> Dataset | str:
    try:
        return load_idx(folder)
    except UnusableError as error:
        return str(error)


def is_one_clear_line(message: str, folder: Path) -> bool:
    return message.startswith(f"{folder}") and "; " in message and message.isprintable()


HEADER = struct.pack(">4B3I", 0, 0, 8, 3, 2, 3, 4)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", r"byte 0: nothing; allowed: 00 00 \(IDX\) or 1f 8b \(gzip\)"),
        (b"\x89PNG" + bytes(40), r"byte 0: 89 50; allowed: 00 00"),
        (b"\0\0\x0d\x03" + HEADER[4:] + bytes(24), r"byte 2: type and dimensions are 0d 03; allowed: 08 03"),
        (b"\0\0\x08\x01" + HEADER[4:] + bytes(24), r"byte 2: type and dimensions are 08 01; allowed: 08 03"),
        (HEADER[:2], r"byte 2: type and dimensions are nothing"),
        (HEADER[:9], r"byte 9: ends inside the header"),
        (HEADER[:8] + bytes(4) + HEADER[12:], r"byte 8: the size is 0; allowed: 1 or more"),
        (HEADER + bytes(23), r"header promises 24 bytes, the file holds 23; allowed: as many"),
        (HEADER + bytes(25), r"header promises 24 bytes, the file holds more; allowed: as many"),
        (HEADER[:4] + b"\xff" * 12, r"4294967295 x 4294967295 x 4294967295 = \d+ bytes; allowed: at most 2147483648"),
    ],
)
def test_a_wrong_header_names_file_and_byte(tmp_path, write_idx, content, match, zipped):
    folder = write_idx(tmp_path, zipped, train_images=content)
    with pytest.raises(UnusableError, match=r"train-images-idx3-ubyte(\.gz)?: " + match):
        load_idx(folder)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_promise_of_a_gigabyte_allocates_nothing(tmp_path, write_idx, zipped):
    promise = struct.pack(">4B3I", 0, 0, 8, 3, 1_000_000, 28, 28) + bytes(1000)
    folder = write_idx(tmp_path, zipped, train_images=promise)
    assert peak_bytes_of_refusal(folder, "promises 784000000 bytes, the file holds less; is it truncated") < 2_000_000


def test_a_promise_that_a_gzip_could_hold_allocates_only_what_is_there(tmp_path, write_idx):
    noise = np.random.default_rng(0).bytes(1_000_000)
    promise = struct.pack(">4B3I", 0, 0, 8, 3, 1_000_000, 28, 28) + noise
    folder = write_idx(tmp_path, zipped=True, train_images=promise)
    assert peak_bytes_of_refusal(folder, "promises 784000000 bytes, the file holds 1000000;") < 8_000_000


def test_a_gzip_bomb_is_not_unpacked(tmp_path, write_idx):
    bomb = struct.pack(">4B3I", 0, 0, 8, 3, 1, 28, 28) + bytes(200_000_000)
    folder = write_idx(tmp_path, zipped=True, train_images=bomb)
    assert peak_bytes_of_refusal(folder, "promises 784 bytes, the file holds more; allowed: as many") < 4_000_000


def test_gzip_is_known_by_its_bytes_not_by_its_name(tmp_path, write_idx, to_idx_bytes):
    images = np.ones((2, 3, 4), np.uint8)
    folder = write_idx(tmp_path, train_images=gzip.compress(to_idx_bytes(images)))
    assert (load_idx(folder).x_train == 1).all()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        # The CRC-32 stands in the last 8 bytes, before the size.
        (lambda zipped: zipped[:-8] + bytes([zipped[-8] ^ 1]) + zipped[-7:], "CRC check failed.*fetch the file again"),
        (lambda zipped: zipped[:-9], "Compressed file ended"),
    ],
)
def test_a_corrupted_gzip_is_named(spoil, message, tmp_path, to_idx_bytes):
    (tmp_path / "labels").write_bytes(spoil(gzip.compress(to_idx_bytes(np.zeros(5, np.uint8)))))
    with pytest.raises(UnusableError, match=rf"labels: corrupted gzip \({message}"):
        read_idx(tmp_path / "labels", 1)


def test_of_both_forms_the_plain_file_is_read(tmp_path, write_idx):
    write_idx(tmp_path, zipped=True, train_labels=b"broken")
    assert load_idx(write_idx(tmp_path)).y_train.tolist() == [0, 1]


def without_labels(folder: Path) -> Path:
    path = folder / "t10k-labels-idx1-ubyte"
    path.unlink()
    return path


MISFITS = {
    "as many labels": ({"train_labels": np.array([0, 1, 1])}, "train has 2 images and 3 labels; allowed: as many"),
    "one size": ({"t10k_images": np.zeros((1, 4, 3))}, "training and test images are 3x4 and 4x3; allowed: one size"),
    "a label of no training example": (
        {"t10k_labels": np.array([7])},
        "t10k-labels: example 0 has the label 7; allowed: 0 to 1",
    ),
}


@pytest.mark.parametrize("how", MISFITS)
def test_files_that_do_not_fit_each_other(how, tmp_path, write_idx, to_idx_bytes):
    arrays, message = MISFITS[how]
    folder = write_idx(tmp_path, **{name: to_idx_bytes(array) for name, array in arrays.items()})
    with pytest.raises(UnusableError, match=message):
        load_idx(folder)


@pytest.mark.parametrize("spoil", [without_labels, lambda folder: os.mkfifo(without_labels(folder))])
def test_a_missing_file_or_a_pipe_is_named_with_all_allowed_names(spoil, tmp_path, write_idx):
    spoil(write_idx(tmp_path))
    with pytest.raises(UnusableError, match=r"no file t10k-labels-idx1-ubyte; .*t10k-labels\.idx1-ubyte\.gz$"):
        load_idx(tmp_path)


def test_no_folder(tmp_path):
    with pytest.raises(UnusableError, match="nowhere: not a folder; allowed: a folder with the four IDX files"):
        load_idx(tmp_path / "nowhere")
