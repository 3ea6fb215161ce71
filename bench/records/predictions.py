"""Predicted classes as a result record keeps them: read back, and checked against the test examples."""

import base64
import binascii
import zlib

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UnusableError

LARGEST_BYTES = 200_000_000


def decode(text: str) -> NDArray[np.int64]:
    """Predicted classes (N,) of a record: two bytes each, little-endian, compressed (zlib), base64.

    Raises ValueError: where the text is not that, or holds more than 200 MB.
    """
    try:
        unpacking = zlib.decompressobj()
        raw = unpacking.decompress(base64.b64decode(text, validate=True), LARGEST_BYTES)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(str(error)) from None
    if not unpacking.eof or len(raw) % 2:
        raise ValueError("cut short, or too long")
    return np.frombuffer(raw, "<u2").astype(np.int64)


def checked(text: str, place: str, examples: int, classes: int) -> NDArray[np.int64]:
    """The same, of so many test examples and classes.

    Raises UnusableError: names the place, where they cannot be read or are of other examples.
    """
    try:
        predicted = decode(text)
    except ValueError as error:
        raise UnusableError(f"{place} cannot be read ({error}); the record was changed after the run") from None
    if len(predicted) != examples or (examples and predicted.max() >= classes):
        highest = max(predicted, default=0)
        raise UnusableError(f"{place} are {len(predicted)} of classes up to {highest}; {examples} of {classes}")
    return predicted
