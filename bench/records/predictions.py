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


def checked(text: str, place: str, labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """The same, in the shape of the labels: (N,) of so many classes, or several labels (N, K), each 0 or 1.

    Raises UnusableError: names the place, where they cannot be read or are of other examples.
    """
    try:
        predicted = decode(text)
    except ValueError as error:
        raise UnusableError(f"{place} cannot be read ({error}); the record was changed after the run") from None
    known = classes if labels.ndim == 1 else 2
    if len(predicted) != labels.size or (labels.size and predicted.max() >= known):
        highest = max(predicted, default=0)
        raise UnusableError(f"{place} are {len(predicted)} of classes up to {highest}; {labels.size} of {known}")
    return predicted.reshape(labels.shape)
