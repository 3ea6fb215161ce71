"""Training examples in the layout the step reads: X̃ = [X 1] as rows, targets as columns.

Fed by the arrays a user passes to `fit`; feeds `gather` and the losses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from scratchnet.losses import Loss

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Examples:
    """X_augmented : (N, n_0 + 1), last column 1, or a file's (N, n_0) as it was mapped, see `prepare`;
    given_Y, Y : (n_L, N) targets before and after label smoothing; labels : (N,) classes, for the metrics;
    weights : (N,), or None where each is 1."""

    X_augmented: Array
    given_Y: Array
    Y: Array
    labels: NDArray[np.int64]
    weights: Array | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def prepare(cls, X: ArrayLike, y: ArrayLike, inputs: int, outputs: int, dtype: DTypeLike) -> "Examples":
        """Copy X (N, n_0) and y, which is (N,) integer classes or (N, n_L) targets.

        An `np.memmap` is not copied: it may be larger than memory, and each batch is read from it and cast.

        Raises
        ------
        ValueError
            Where a shape does not fit the network, there is no example, or a class is not in [0, n_L).
        """
        rows = np.asarray(X)
        if rows.ndim != 2 or rows.shape[1] != inputs or not len(rows):
            raise ValueError(f"X has shape {rows.shape}; allowed: (N, {inputs}) with N of 1 or more")
        Y, labels = targets(np.asarray(y), len(rows), outputs, dtype)
        if isinstance(X, np.memmap):
            return cls(X, Y, Y, labels)
        augmented: Array = np.ones((len(rows), inputs + 1), dtype)
        augmented[:, :-1] = rows
        return cls(augmented, Y, Y, labels)

    def smoothed(self, loss: Loss) -> "Examples":
        """The same examples with the targets that the loss compares with: label smoothing is done once, here."""
        return replace(self, Y=loss.smooth(self.given_Y))

    def weighted(self, sample_weight: ArrayLike | None, class_weight: Mapping[int, float] | None) -> "Examples":
        """The same examples, each weighted by its own weight (N,) times that of its class; a class left out has 1.

        Raises
        ------
        ValueError
            Where the shape does not fit, a class does not exist, or a weight is negative or not finite.
        """
        if sample_weight is None and class_weight is None:
            return self
        weights = np.array(sample_weight if sample_weight is not None else np.ones(len(self)), self.Y.dtype)
        check_weights(weights, len(self))
        classes = max(len(self.Y), 2)
        for label, factor in (class_weight or {}).items():
            if label not in range(classes):
                raise ValueError(f"class_weight names class {label}; allowed: 0 to {classes - 1}")
            weights[self.labels == label] *= factor
        check_weights(weights, len(self))
        return replace(self, weights=weights)


def check_weights(weights: Array, count: int) -> None:
    """Refuse weights (N,) of another shape, negative or not finite.

    Raises
    ------
    ValueError
        Names the shape, or what is allowed.
    """
    if weights.shape != (count,):
        raise ValueError(f"sample_weight has shape {weights.shape}; allowed: ({count},)")
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("a weight is negative or not finite; allowed: finite numbers, 0 or greater")


def targets(y: NDArray[Any], count: int, outputs: int, dtype: DTypeLike) -> tuple[Array, NDArray[np.int64]]:
    """Y (n_L, N) and classes (N,) of y: (N,) integer classes, or (N, n_L) targets.

    Raises
    ------
    ValueError
        Where the shape does not fit or a class is not in [0, n_L).
    """
    if y.shape == (count,) and outputs > 1:
        return _one_hot(y, outputs, dtype), y.astype(np.int64)
    if y.shape not in ((count,), (count, outputs)):
        raise ValueError(f"y has shape {y.shape}; allowed: ({count},) or ({count}, {outputs})")
    rows = y.reshape(count, outputs)
    labels = np.argmax(rows, axis=1) if outputs > 1 else (rows[:, 0] > 0.5)
    return np.ascontiguousarray(rows.T, dtype), labels.astype(np.int64)


def _one_hot(labels: NDArray[Any], classes: int, dtype: DTypeLike) -> Array:
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"y of shape (N,) has dtype {labels.dtype}; allowed: integer classes 0 to {classes - 1}")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"y has classes {labels.min()} to {labels.max()}; allowed: 0 to {classes - 1}")
    Y: Array = np.zeros((classes, len(labels)), dtype)
    Y[labels, np.arange(len(labels))] = 1.0
    return Y
