"""What the experiments on MNIST share: the digits, one BLAS thread, and where numbers and figures go.

Fed by the shipped MNIST; feeds the scripts beside it, and through them docs/images and docs/experiments/results.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bench.data import load_dataset
from bench.report.style import plot_settings
from bench.spec import DataSpec

DOCS = Path(__file__).parents[1]
WIDTH = 5.0
"""Inches: shown on a phone the figure shrinks by a quarter, and its labels can still be read."""

Array = NDArray[np.floating[Any]]
Labels = NDArray[np.int64]


class Digits(NamedTuple):
    """x (N, 784) float32 in [0, 1] and labels (N,)."""

    x: Array
    labels: Labels


def mnist() -> tuple[Digits, Digits]:
    """Training and test digits."""
    data = load_dataset(DataSpec())
    return (
        Digits(np.divide(data.x_train, 255, dtype=np.float32), data.y_train),
        Digits(np.divide(data.x_test, 255, dtype=np.float32), data.y_test),
    )


@contextmanager
def experiment() -> Iterator[None]:
    """One BLAS thread, faster for layers as small as these, and the style of the project's plots."""
    more = {"text.parse_math": True, "savefig.facecolor": "white", "axes.titlelocation": "left"}
    with threadpool_limits(1), plot_settings(more):
        yield


def write(name: str, result: dict[str, Any]) -> None:
    """The numbers that a page quotes. JSON has no NaN and no infinity: they must come as text."""
    path = DOCS / f"experiments/results/{name}.json"
    path.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", "utf-8")
    print(f"wrote {path}", flush=True)


def save(figure: Figure, name: str) -> None:
    """A figure that a page shows, the same bytes for the same numbers."""
    path = DOCS / f"images/{name}.svg"
    figure.savefig(path, metadata={"Date": None})
    print(f"wrote {path}", flush=True)
