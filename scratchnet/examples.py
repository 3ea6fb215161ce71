"""Training examples in the layout that a step reads: X̃ = [X 1] as rows, targets as columns.

What does not fit the network is refused with a TypeError or ValueError that names it and its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from scratchnet.arrays import Array, cast, check_finite, numbers
from scratchnet.arrays import rows as checked_rows
from scratchnet.checks import instance, not_negative, shown
from scratchnet.losses import Loss

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Examples:
    """X_augmented : (N, n_0 + 1), last column 1, or a file's (N, n_0) as it was mapped, see `prepare`;
    given_Y, Y : (n_L, N) targets before and after label smoothing; labels : (N,) classes, for the metrics;
    weights : (N,), or None where each is 1."""

    X_augmented: Array
    given_Y: Array
    Y: Array
    labels: Labels
    weights: Array | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def prepare(cls, X: ArrayLike, y: ArrayLike, inputs: int, outputs: int, dtype: DTypeLike) -> "Examples":
        """Copy X (N, n_0) and y, which is (N,) or (N, 1) integer classes, or (N, n_L) targets.

        An `np.memmap` is not copied: it may be larger than memory, and each batch is read from it and cast. A map of
        floats is read through once here, a block at a time, to find `nan`; a map of bytes cannot hold any.
        """
        rows = checked_rows(X, inputs)
        Y, labels = targets(y, len(rows), outputs, dtype)
        if isinstance(X, np.memmap):
            check_finite("X", X, dtype)
            return cls(X, Y, Y, labels)
        augmented: Array = np.ones((len(rows), inputs + 1), dtype)
        with np.errstate(over="ignore"):
            augmented[:, :-1] = rows
        check_finite("X", augmented, dtype, given=rows)
        return cls(augmented, Y, Y, labels)

    def part(self, rows: NDArray[np.integer[Any]], dtype: DTypeLike) -> "Examples":
        """Copies of those examples, in that order and dtype."""
        weights = self.weights[rows] if self.weights is not None else None
        Y, given = self.Y[:, rows], self.given_Y[:, rows]
        X = np.asarray(self.X_augmented[rows], dtype)
        return replace(self, X_augmented=X, Y=Y, given_Y=given, labels=self.labels[rows], weights=weights)

    def check_fit(self, inputs: int, outputs: int) -> None:
        """Refuse to be trained by a network of other widths than they were prepared for."""
        features = self.X_augmented.shape[1] - (not isinstance(self.X_augmented, np.memmap))
        if (features, len(self.Y)) != (inputs, outputs):
            given = f"{features} features and {len(self.Y)} targets"
            raise ValueError(f"examples have {given}; allowed: {inputs} and {outputs}, as this network's prepare makes")

    def smoothed(self, loss: Loss) -> "Examples":
        """The same examples with the targets that the loss compares with: label smoothing is done once, here."""
        return replace(self, Y=loss.smooth(self.given_Y))

    def weighted(self, sample_weight: ArrayLike | None, class_weight: Mapping[int, float] | None) -> "Examples":
        """The same examples, each weighted by its own weight (N,) times that of its class; a class left out has 1."""
        if sample_weight is None and class_weight is None:
            return self
        weights = weights_of(sample_weight, len(self), self.Y.dtype)
        for label, factor in self._factors(class_weight).items():
            weights[self.labels == label] *= factor
        return replace(self, weights=weights)

    def _factors(self, class_weight: Mapping[int, float] | None) -> dict[int, float]:
        """The factor of each class that is named."""
        if class_weight is None:
            return {}
        instance("class_weight", class_weight, Mapping, "a dict of class and factor, such as {0: 1.0, 1: 5.0}")
        between = self.given_Y[~np.isin(self.given_Y, (0.0, 1.0))]
        if len(self.given_Y) == 1 and len(between):
            given = f"class_weight with a target of {between[0]:g}"
            raise ValueError(f"{given}; allowed: targets 0 and 1, or sample_weight")
        classes = range(max(len(self.Y), 2))
        for label in class_weight:
            if isinstance(label, bool) or label not in classes:
                raise ValueError(f"class_weight names class {shown(label)}; allowed: 0 to {len(classes) - 1}")
        return {int(label): not_negative(f"class_weight[{label}]", factor) for label, factor in class_weight.items()}


def weights_of(sample_weight: ArrayLike | None, count: int, dtype: DTypeLike) -> Array:
    """A copy of the weights (N,), finite and 0 or greater, in that dtype; left out: ones."""
    if sample_weight is None:
        return np.ones(count, dtype)
    given = numbers("sample_weight", sample_weight)
    if given.shape != (count,):
        raise ValueError(f"sample_weight has shape {given.shape}; allowed: ({count},)")
    weights = cast("sample_weight", given, dtype)
    if (weights < 0).any():
        row = int(np.argmax(weights < 0))
        raise ValueError(f"sample_weight is {given[row]} in row {row}; allowed: finite numbers, 0 or greater")
    return weights


def targets(y: ArrayLike, count: int, outputs: int, dtype: DTypeLike) -> tuple[Array, Labels]:
    """Y (n_L, N) and classes (N,) of y: (N,) or (N, 1) classes in [0, n_L), or (N, n_L) finite targets."""
    given = numbers("y", y)
    if given.shape not in ((count,), (count, 1), (count, outputs)):
        raise ValueError(f"y has shape {given.shape}; allowed: ({count},) or ({count}, {outputs})")
    if outputs > 1 and given.size == count:
        labels = _classes(given.reshape(count), outputs)
        one_hot: Array = np.zeros((count, outputs), dtype)
        one_hot[np.arange(count), labels] = 1.0
        return one_hot.T, labels
    rows = cast("y", given.reshape(count, outputs), dtype)
    classes = np.argmax(rows, axis=1) if outputs > 1 else rows[:, 0] > 0.5
    return rows.T, classes.astype(np.int64)


def _classes(labels: NDArray[Any], classes: int) -> Labels:
    if labels.dtype.kind == "f":
        check_finite("y", labels, labels.dtype)
        raise ValueError(
            f"y has a class of {labels[0]} (dtype {labels.dtype}; allowed: integer classes 0 to {classes - 1}, "
            f"such as y.astype(int), or targets of shape (N, {classes}))"
        )
    if labels.min() < 0 or labels.max() >= classes:
        remedy = "; y - 1 counts from 0" if labels.min() == 1 and labels.max() == classes else ""
        raise ValueError(f"y has classes {labels.min()} to {labels.max()}; allowed: 0 to {classes - 1}{remedy}")
    return labels.astype(np.int64)
