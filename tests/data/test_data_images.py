"""Folders of images, good and bad."""

import os
import shutil
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest

from bench.core.errors import UnusableError
from bench.data import images as images_module
from bench.data.images import load_images

Image = pytest.importorskip("PIL.Image")


def save(path: Path, *pixel: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L" if len(pixel) == 1 else "RGB", (4, 5), pixel).save(path)


@pytest.fixture
def folder(tmp_path):
    """Classes cat (10, 11) and dog (20) to train on, and dog (21) to test on."""
    save(tmp_path / "train" / "dog" / "a.png", 20)
    save(tmp_path / "train" / "cat" / "b.png", 11)
    save(tmp_path / "train" / "cat" / "a.png", 10)
    save(tmp_path / "test" / "dog" / "a.png", 21)
    return tmp_path


def test_classes_labels_and_pixels(folder):
    data = load_images(folder, (2, 3), "grey")
    assert (data.class_names, data.image_shape, data.x_train.dtype) == (("cat", "dog"), (2, 3, 1), np.uint8)
    pairs = zip(data.x_train.tolist(), data.y_train.tolist(), strict=True)
    assert sorted(pairs) == [([10] * 6, 0), ([11] * 6, 0), ([20] * 6, 1)]
    assert (data.x_test.tolist(), data.y_test.tolist()) == ([[21] * 6], [1])


def test_rgb_keeps_the_channels_last(tmp_path):
    for split in ("train", "test"):
        save(tmp_path / split / "red" / "a.png", 200, 30, 1)
    data = load_images(tmp_path, (1, 2), "rgb")
    assert (data.image_shape, data.x_train.tolist()) == ((1, 2, 3), [[200, 30, 1] * 2])


def test_height_comes_before_width(tmp_path):
    tall = np.zeros((4, 2), np.uint8)
    tall[:2] = 100
    for split in ("train", "test"):
        (tmp_path / split / "c").mkdir(parents=True)
        Image.fromarray(tall).save(tmp_path / split / "c" / "a.png")
    assert load_images(tmp_path, (4, 2), "grey").x_train.tolist() == [[100] * 4 + [0] * 4]


def test_jpeg_in_any_case(tmp_path):
    for split in ("train", "test"):
        save(tmp_path / split / "c" / "a.JPG", 90)
        save(tmp_path / split / "c" / "b.jpeg", 90)
    assert load_images(tmp_path, (2, 2), "grey").x_train.tolist() == [[90] * 4] * 2


def test_the_order_does_not_depend_on_who_wrote_first(tmp_path):
    names = [f"{number}.png" for number in range(12)]
    for root, order in (("one", names), ("other", names[::-1])):
        for name in order:
            save(tmp_path / root / "train" / "c" / name, int(name[:-4]))
        save(tmp_path / root / "test" / "c" / "a.png", 0)
    one, other = (load_images(tmp_path / root, (1, 1), "grey") for root in ("one", "other"))
    assert one.fingerprint == other.fingerprint


def test_the_first_examples_are_not_all_of_one_class(tmp_path):
    for number in range(20):
        save(tmp_path / "train" / "abc"[number % 3] / f"{number}.png", number)
    save(tmp_path / "test" / "a" / "a.png", 0)
    data = load_images(tmp_path, (1, 1), "grey")
    assert set(data.y_train[:8]) == set(data.y_train[-8:]) == {0, 1, 2}


def test_hidden_files_and_those_of_the_system_are_skipped(folder):
    for place in ("train", "train/cat"):
        for name in (".DS_Store", "._a.png", "Thumbs.db", "desktop.ini", "Desktop.ini"):
            (folder / place / name).write_bytes(b"\0")
    assert len(load_images(folder, (2, 2), "grey").y_train) == 3


def test_a_palette_with_transparency_warns_of_nothing(tmp_path):
    for split in ("train", "test"):
        (tmp_path / split / "c").mkdir(parents=True)
        image = Image.new("P", (2, 2), 1)
        image.putpalette([0, 0, 0, 60, 60, 60])
        image.save(tmp_path / split / "c" / "a.png", transparency=bytes([100, 255]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_images(tmp_path, (1, 1), "grey").x_train.tolist() == [[60]]


def cut(path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 50), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:-1000])


def bomb(width: int) -> bytes:
    """A PNG of 10,000 rows that holds none of its pixels."""
    chunks = [b"IHDR" + struct.pack(">2I5B", width, 10_000, 8, 0, 0, 0, 0), b"IDAT"]
    whole = [struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(whole)


CAT = "train/cat/b.png"
UNUSABLE = rf"{CAT}: not a usable image "
SPOILT = {
    "a test class that is not trained": (
        lambda folder: save(folder / "test/eel/a.png", 1),
        r"test/eel: not a class; allowed: cat, dog$",
    ),
    **{
        f"unreadable: {content!r}": (
            lambda folder, content=content: (folder / CAT).write_bytes(content),
            UNUSABLE + r"\(.+\); allowed: PNG or JPEG, 8 bits$",
        )
        for content in (b"", b"no image", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0")
    },
    "cut": (lambda folder: cut(folder / CAT), UNUSABLE + r"\(.*truncated"),
    "another format": (
        lambda folder: Image.new("L", (2, 2)).save(folder / CAT, format="GIF"),
        UNUSABLE + ".*allowed: PNG or JPEG",
    ),
    "16 bits": (
        lambda folder: Image.fromarray(np.full((2, 2), 300, np.uint16)).save(folder / CAT),
        r"b\.png: .*16 bits or more, which Pillow would clip to white\); allowed: .*8 bits",
    ),
    "a bomb": (
        lambda folder: (folder / CAT).write_bytes(bomb(10_000)),
        UNUSABLE + r"\(DecompressionBombWarning: Image size \(100000000 pixels\)",
    ),
    "a larger bomb": (
        lambda folder: (folder / CAT).write_bytes(bomb(30_000)),
        UNUSABLE + r"\(DecompressionBombError: Image size \(300000000 pixels\)",
    ),
    "another file": (
        lambda folder: (folder / "train/cat/notes.txt").write_text("x"),
        r"train/cat/notes\.txt: not an image file; allowed in a class: \.png, \.jpg, \.jpeg$",
    ),
    "beside the classes": (
        lambda folder: save(folder / "train/lost.png", 1),
        r"train/lost\.png: not a folder; expected: FOLDER/train/CLASS",
    ),
    "a folder in a class": (
        lambda folder: (folder / "train/cat/more.png").mkdir(),
        r"cat/more\.png: not an image file",
    ),
    "a link in a circle": (
        lambda folder: (folder / "train/cat/loop").symlink_to(folder / "train"),
        r"cat/loop: not an image file",
    ),
    "a link to itself": (lambda folder: (folder / "train/eel").symlink_to("eel"), r"train/eel: not a folder"),
    "a pipe": (lambda folder: os.mkfifo(folder / "train/cat/p.png"), r"cat/p\.png: not an image file"),
    "an empty class": (lambda folder: (folder / "train/ape").mkdir(), r"train/ape: has no image; allowed: \.png"),
    "no classes": (
        lambda folder: shutil.rmtree(folder / "test/dog"),
        r"test: has no class folder; expected: FOLDER/train/CLASS",
    ),
    "no split": (
        lambda folder: shutil.rmtree(folder / "train"),
        r"train: not a folder; expected: FOLDER/train/CLASS/\*\.png and FOLDER/test",
    ),
    "two lines": (lambda folder: (folder / "train/two\nlines").mkdir(), "that cannot be printed; remedy: rename"),
    "no UTF-8": (lambda folder: (folder / "train" / os.fsdecode(b"not-\xff")).mkdir(), "a name that cannot be printed"),
}


def refuse(folder: Path, match: str, size: tuple[int, int] = (2, 2)) -> None:
    with pytest.raises(UnusableError, match=match) as caught:
        load_images(folder, size, "grey")
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore")  # as outside of pytest, where a warning stops nothing
@pytest.mark.parametrize("how", SPOILT)
def test_what_cannot_be_used_is_named(how, folder):
    spoil, message = SPOILT[how]
    spoil(folder)
    refuse(folder, message)


def test_too_many_bytes_are_refused_before_they_are_allocated(folder):
    refuse(folder, r"4 x 65536 x 65536 x 1 = 17179869184 bytes; allowed: at most", (65_536, 65_536))


def test_without_pillow(folder, monkeypatch):
    monkeypatch.setattr(images_module, "find_spec", lambda name: None)
    refuse(folder, r"needs Pillow; remedy: pip install 'scratchnet\[images\]'")
