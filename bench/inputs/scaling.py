"""Scaling of columns, learnt from the training split alone and then applied to every split."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

Numbers = NDArray[np.float64]
Floats = NDArray[np.floating[Any]]
NUMBERS_AT_ONCE = 4_000_000
"""What is made float64 at the same time: the bytes of a large data set are not, as a whole."""


@dataclass(frozen=True)
class Scaler:
    """x → (x − shift) / unit of each column, both (n,). A column that never changes is shifted alone."""

    shift: Numbers
    unit: Numbers

    @classmethod
    def standard(cls, x: NDArray[Any]) -> Self:
        """To mean 0 and standard deviation 1 of x (N, n)."""
        mean = sum(np.sum(part, axis=0, dtype=np.float64) for part in _parts(x)) / len(x)
        variance = sum(np.sum(np.square(part - mean), axis=0) for part in _parts(x)) / len(x)
        return cls(np.asarray(mean), _not_zero(np.sqrt(variance)))

    @classmethod
    def min_max(cls, x: NDArray[Any]) -> Self:
        """To smallest value 0 and largest value 1 of x (N, n)."""
        low, high = (np.asarray(ends(x, axis=0), np.float64) for ends in (np.min, np.max))
        return cls(low, _not_zero(high - low))

    def scaled(self, x: NDArray[Any], dtype: DTypeLike) -> Floats:
        """The columns of x (N, n) scaled in float64, then rounded once."""
        out: Floats = np.empty(x.shape, dtype)
        for part, target in zip(_parts(x), _parts(out), strict=True):
            np.divide(part - self.shift, self.unit, out=target, casting="same_kind")
        return out

    def restored(self, x: Floats) -> Numbers:
        """The inverse: what was scaled in the units that it had."""
        return x * self.unit + self.shift


SCALERS: dict[str, Callable[[NDArray[Any]], Scaler]] = {"standard": Scaler.standard, "min_max": Scaler.min_max}


def _parts(x: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Views of some rows each."""
    rows = max(1, NUMBERS_AT_ONCE // max(1, x.shape[1]))
    return (x[start : start + rows] for start in range(0, len(x), rows))


def _not_zero(unit: Any) -> Numbers:
    return np.where(unit > 0.0, unit, 1.0)
