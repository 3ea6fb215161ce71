"""Folders of PNG and JPEG files, one folder per class, decoded to one size."""

import hashlib
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.core.errors import UnusableError
from bench.core.text import one_line
from bench.data.checks import check_size
from bench.data.dataset import Bytes, Dataset, Labels
from bench.spec import Color

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

SUFFIXES = (".png", ".jpg", ".jpeg")
SYSTEM_FILES = ("thumbs.db", "desktop.ini", "ehthumbs.db")
"""What Windows puts into folders of images. macOS writes hidden files."""
FORMATS = ("PNG", "JPEG")
LAYOUT = "FOLDER/train/CLASS/*.png and FOLDER/test/CLASS/*.png, also .jpg, .jpeg"
# How Pillow calls each colour, and its channels.
MODES: dict[Color, tuple[str, int]] = {"grey": ("L", 1), "rgb": ("RGB", 3)}

ClassFiles = dict[str, list[Path]]


def load_images(folder: Path, image_size: tuple[int, int], color: Color) -> Dataset:
    """The images below `folder`, resized to `image_size` (height, width), grey or RGB without transparency.

    Classes are the sorted folder names of the training split. Examples stand in the order of a digest of `CLASS/FILE`,
    the same on every machine: in plain sorted order the first so many, or the last, would all be of one class.

    Raises UnusableError: one line with the file or folder that cannot be used. Only hidden files and those of
    `SYSTEM_FILES` are skipped.
    """
    if find_spec("PIL") is None:
        raise UnusableError("images:FOLDER needs Pillow; remedy: pip install 'scratchnet[images]'")
    train, test = _class_files(folder / "train"), _class_files(folder / "test")
    unknown = sorted(test.keys() - train.keys())
    if unknown:
        raise UnusableError(f"{folder / 'test' / unknown[0]}: not a class; allowed: {one_line(', '.join(train))}")
    names = tuple(train)
    shape = (*image_size, MODES[color][1])
    check_size(folder, sum(map(len, [*train.values(), *test.values()])), *shape)
    return Dataset(*_read_split(train, names, shape), *_read_split(test, names, shape), shape, names)


def _class_files(split: Path) -> ClassFiles:
    """Class name → its image files, sorted by name."""
    classes = {path.name: _image_files(path) for path in _visible(split)}
    if not classes:
        raise UnusableError(f"{one_line(split)}: has no class folder; expected: {LAYOUT}")
    return classes


def _visible(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UnusableError(f"{one_line(folder)}: not a folder; expected: {LAYOUT}")
    paths = sorted(path for path in folder.iterdir() if not _made_by_the_system(path.name))
    for path in paths:
        if not path.name.isprintable():
            raise UnusableError(f"{one_line(path)}: has a name that cannot be printed; remedy: rename it")
    return paths


def _made_by_the_system(name: str) -> bool:
    return name.startswith(".") or name.lower() in SYSTEM_FILES


def _image_files(folder: Path) -> list[Path]:
    paths = _visible(folder)
    for path in paths:
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            raise UnusableError(f"{path}: not an image file; allowed in a class: {', '.join(SUFFIXES)}")
    if not paths:
        raise UnusableError(f"{folder}: has no image; allowed: {', '.join(SUFFIXES)}, or no such folder")
    return paths


def _read_split(classes: ClassFiles, names: tuple[str, ...], shape: tuple[int, int, int]) -> tuple[Bytes, Labels]:
    labelled = [(path, names.index(name)) for name, paths in classes.items() for path in paths]
    labelled.sort(key=lambda pair: hashlib.sha256("/".join(pair[0].parts[-2:]).encode()).digest())
    images = np.empty((len(labelled), *shape), np.uint8)
    for row, (path, _) in enumerate(labelled):
        images[row] = _read_image(path, shape)
    return images.reshape(len(labelled), -1), np.array([label for _, label in labelled], np.int64)


def _read_image(path: Path, shape: tuple[int, int, int]) -> Bytes:
    """One image (height, width, channels)."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                return _pixels(image, shape)
    except Exception as error:  # a broken file may raise anything in Pillow: struct.error, SyntaxError, ...
        reason = one_line(f"{type(error).__name__}: {error}", limit=200)
        raise UnusableError(f"{path}: not a usable image ({reason}); allowed: PNG or JPEG, 8 bits") from None


def _pixels(image: "PillowImage", shape: tuple[int, int, int]) -> Bytes:
    height, width, channels = shape
    if image.mode.startswith("I"):
        raise ValueError(f"mode {image.mode} has 16 bits or more, which Pillow would clip to white")
    # A palette with transparency converts without a warning only by way of RGBA.
    opaque = image.convert("RGBA") if "transparency" in image.info else image
    mode = next(mode for mode, count in MODES.values() if count == channels)
    return np.asarray(opaque.convert(mode).resize((width, height)), np.uint8).reshape(shape)
