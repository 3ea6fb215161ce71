"""The shipped MNIST is the real one, and says so when it is not."""

import gzip
import hashlib
import shutil

import numpy as np
import pytest

from bench.core.errors import UnusableError
from bench.data.mnist import FILES, SHIPPED, load_mnist, verify_mnist

# The digests of the original uncompressed files, which public loaders check.
MD5 = {
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
}


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(SHIPPED, tmp_path / "mnist")


@pytest.mark.parametrize("name", FILES)
def test_the_uncompressed_files_are_the_original_ones(name):
    content = gzip.decompress((SHIPPED / name).read_bytes())
    assert hashlib.md5(content).hexdigest() == MD5[name.removesuffix(".gz")]


def test_the_examples_are_those_that_everybody_knows():
    data = load_mnist()
    assert (data.x_train.shape, data.x_test.shape) == ((60_000, 784), (10_000, 784))
    assert data.y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert data.y_test[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(data.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert (data.image_shape, data.class_names) == ((28, 28, 1), tuple("0123456789"))


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_is_found(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[4] ^= 1  # the time stamp in the gzip header: the data would be the same
    (copy / name).write_bytes(content)
    with pytest.raises(UnusableError, match=rf"{name}: SHA-256 is [0-9a-f]{{64}}, not [0-9a-f]{{64}}; remedy: install"):
        load_mnist(copy)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (FILES[2], None, rf"{FILES[2]}: is missing; remedy: install the project again"),
        ("SHA256SUMS", None, r"SHA256SUMS: cannot be read .*; remedy: install the project again"),
        ("SHA256SUMS", b"\xff\xfe", r"SHA256SUMS: cannot be read .*ascii"),
        ("SHA256SUMS", b"", r"SHA-256 is [0-9a-f]{64}, not None"),
        ("SHA256SUMS", b"no digests here\n", r"SHA-256 is [0-9a-f]{64}, not None"),
    ],
)
def test_a_missing_or_odd_file_is_no_pass(copy, name, content, said):
    (copy / name).unlink()
    if content is not None:
        (copy / name).write_bytes(content)
    with pytest.raises(UnusableError, match=said):
        verify_mnist(copy)
