"""Inputs of one spec: scaled features and targets, split into training, validation and test examples."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UnusableError
from bench.core.text import one_line
from bench.data import Dataset
from bench.data.checks import LARGEST_BYTES
from bench.inputs.plan import Floats
from bench.inputs.scaling import SCALERS, Scaler
from bench.spec import TrainingSpec

TOO_LARGE = 'remedy: dtype = "float64", or a scaling'


class Split(NamedTuple):
    """x (N, n_0) in the spec's dtype; labels: classes (N,), several labels (N, K), or numbers (N, K) in their units."""

    x: Floats
    labels: NDArray[Any]


class Inputs:
    """The three splits of one spec. The validation split is the last part of the training examples, as in Keras."""

    def __init__(self, dataset: Dataset, spec: TrainingSpec) -> None:
        check_fit(dataset, spec)
        kept = _training_examples(dataset, spec)
        self.outputs, self.dtype = spec.architecture.widths[-1], np.dtype(spec.dtype)
        self.task, self._place = spec.data.task, _place(spec)
        self._scaler = _scaler(spec.scaling, dataset.x_train[:kept], f"{self._place} has features")
        self.train = self._split(dataset.x_train[:kept], dataset.y_train[:kept])
        self.validation = self._split(dataset.x_train[kept:], dataset.y_train[kept:])
        self.test = self._split(dataset.x_test, dataset.y_test)
        self._target_scaler = _scaler(spec.target_scaling, self.train.labels, f"{self._place} has targets")

    def _split(self, x: NDArray[Any], labels: NDArray[Any]) -> Split:
        return Split(self._features(x), np.asarray(labels))

    def _features(self, x: NDArray[Any]) -> Floats:
        """By the spec's scaling. Without one, bytes are divided by 255, and numbers stay as they are."""
        if self._scaler is None and x.dtype == np.uint8:
            scaled: Floats = np.divide(x, 255, dtype=self.dtype)
            return scaled
        return self._scaled(x, self._scaler, "features")

    @cached_property
    def train_targets(self) -> Floats:
        """Y as rows (N, n_L): classes one-hot, or as they are where there is one output; numbers scaled by the spec."""
        if self.task != "classification":
            return self._scaled(self.train.labels, self._target_scaler, "targets")
        labels = self.train.labels[:, None]
        targets = labels if self.outputs == 1 else labels == np.arange(self.outputs)
        return targets.astype(self.dtype)

    def _scaled(self, values: NDArray[Any], scaler: Scaler | None, what: str) -> Floats:
        """In the spec's dtype; as they are where there is no scaler."""
        with np.errstate(over="ignore"):
            made = values.astype(self.dtype) if scaler is None else scaler.scaled(values, self.dtype)
        if not np.isfinite(made).all():
            raise UnusableError(f"{self._place} has {what} too large for {self.dtype}; {TOO_LARGE}")
        return made

    def in_units(self, outputs: Floats) -> Floats:
        """Outputs (N, K) of a regression in the units of its targets."""
        return outputs if self._target_scaler is None else self._target_scaler.restored(outputs)


def _place(spec: TrainingSpec) -> str:
    return f"spec {spec.name!r}: data {spec.data.source}"


def _training_examples(dataset: Dataset, spec: TrainingSpec) -> int:
    """How many examples the validation split leaves."""
    return len(dataset.y_train) - round(spec.validation_fraction * len(dataset.y_train))


def _scaler(kind: str | None, values: NDArray[Any], what: str) -> Scaler | None:
    """Learnt from the training split: neither validation nor test examples have a say."""
    if kind is None:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        made = SCALERS[kind](values)
    if not (np.isfinite(made.shift) & np.isfinite(made.unit)).all():
        raise UnusableError(f"{what} too large to be scaled; remedy: divide that column in the file")
    return made


def check_fit(dataset: Dataset, spec: TrainingSpec) -> None:
    """Refuse a spec whose first or last width or validation split does not fit the data.

    Raises UnusableError: names the spec, the width and the width that fits.
    """
    inputs, *_, outputs = spec.architecture.widths
    place = _place(spec)
    if inputs != dataset.features:
        raise UnusableError(f"{place} has {dataset.features} features; architecture.inputs is {inputs}")
    if _training_examples(dataset, spec) < 1:
        leaves = f"validation_fraction {spec.validation_fraction} leaves none of {len(dataset.y_train)} examples"
        raise UnusableError(f"{place}: {leaves}")
    is_binary = spec.data.task == "classification" and dataset.classes == 2
    allowed = {dataset.classes, 1} if is_binary else {dataset.classes}
    if outputs not in allowed:
        what = "classes" if spec.data.task == "classification" else "columns to predict"
        held = f"{dataset.classes} {what}; the output layer has {outputs} units"
        raise UnusableError(f"{place} has {held}; the data have {_some(dataset.class_names)}")
    _check_memory(dataset, spec, place)


def _some(names: Sequence[str]) -> str:
    """The first ones and the last: a class that only a typing error makes is often there."""
    shown = [repr(one_line(name, 40)) for name in (*names[:3], *names[3:][-2:])]
    return ", ".join([*shown[:3], "…", *shown[3:]] if len(names) > 5 else shown)


def _check_memory(dataset: Dataset, spec: TrainingSpec, place: str) -> None:
    """Count one output of the network for each example and class together with the pixels."""
    examples, outputs = len(dataset.y_train) + len(dataset.y_test), spec.architecture.widths[-1]
    width = np.dtype(spec.dtype).itemsize
    of_feature = dataset.x_train.itemsize
    size = examples * (dataset.features * of_feature + outputs * width)
    if size > LARGEST_BYTES:
        features = f"{dataset.features} pixels" if of_feature == 1 else f"{dataset.features} features x {of_feature}"
        parts = f"{examples} examples x ({features} + {outputs} outputs x {width} bytes)"
        remedy = "use fewer classes, or set train_examples and test_examples"
        raise UnusableError(f"{place}: {parts} = {size} bytes; allowed: at most {LARGEST_BYTES}; {remedy}")
