"""Examples as pictures that are embedded in a page."""

import base64
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.image import imsave

from bench.data.dataset import Bytes

GREY = 1
LOOK: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 255, "origin": "upper", "dpi": 100}
"""All of it, so that no file `matplotlibrc` has a say."""


def pictures(rows: Bytes, image_shape: tuple[int, int, int], indices: Iterable[int]) -> dict[str, str]:
    """The chosen examples as data URIs of PNG files, by their index as text, as JSON has it.

    Parameters
    ----------
    rows : (N, n_0) uint8, an example a row, 0 black to 255 full.
    image_shape : (height, width, channels), with 1 channel (grey) or 3 (red, green, blue); its product is n_0.
    indices : of rows; each must be below N.
    """
    return {str(index): data_uri(np.reshape(rows[index], image_shape)) for index in indices}


def data_uri(pixels: Bytes) -> str:
    """One picture, (height, width, channels) uint8, as the data URI of a PNG file."""
    file = BytesIO()
    shown = pixels[:, :, 0] if pixels.shape[2] == GREY else pixels
    imsave(file, shown, format="png", metadata={"Software": "scratchnet"}, **LOOK)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
