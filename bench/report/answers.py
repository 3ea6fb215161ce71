"""Predictions of a run's networks for the test examples: confusion matrices, and where only one of two is right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.core.text import one_line
from bench.data.examples import Examples, examples_of
from bench.records.predictions import checked
from bench.records.run import Records
from scratchnet.metrics import confusion_matrix

Predicted = Mapping[int, NDArray[np.int64]]
"""Seed → predicted class of each test example, (N,), or its labels, (N, K)."""
Matrix = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class OneRight:
    """A test example that one of two gets right: its place in the test split, its label, both answers."""

    index: int
    label: int
    a: int
    b: int
    seed: int


def summed_confusion(predicted: Predicted, labels: NDArray[np.int64], classes: int) -> Matrix:
    """The confusion matrices of all seeds, one at least, added: rows the true class, columns the predicted."""
    total = sum(confusion_matrix(each, labels, classes) for each in predicted.values())
    return tuple(tuple(map(int, row)) for row in np.asarray(total))


def only_one_right(a: Predicted, b: Predicted, labels: NDArray[np.int64], most: int) -> list[OneRight]:
    """At most so many examples that one alone gets right, of the first seed that both have; none of several labels."""
    shared: Sequence[int] = sorted(a.keys() & b.keys())
    if not shared or labels.ndim > 1:
        return []
    one, other = a[shared[0]], b[shared[0]]
    differing = np.flatnonzero((one == labels) != (other == labels))[:most]
    return [OneRight(int(i), int(labels[i]), int(one[i]), int(other[i]), shared[0]) for i in differing]


@dataclass(frozen=True)
class Answers:
    """Of one spec: the test examples, and what each backend's networks answered, by seed."""

    examples: Examples
    predicted: Mapping[str, Predicted]


def answers_of(records: Records, spec: str) -> Answers | str:
    """The answers of the networks that trained well, or one line that says why they are not at hand."""
    kept = [r for r in records.results if r.spec == spec and r.status == "ok" and r.test_predictions is not None]
    if not kept:
        return f"{one_line(spec, 80)}: the records keep no predictions"
    if not records.run.has(spec):
        return f"{one_line(spec, 80)}: the suite has no such spec"
    data = records.spec(spec).data
    examples = examples_of(data, records.run.fingerprint_of(data), "this run")
    if isinstance(examples, str):
        return examples
    predicted: dict[str, dict[int, NDArray[np.int64]]] = {}
    for result in kept:
        place = f"{one_line(spec, 80)}, {one_line(result.backend, 80)}, seed {result.seed}: test_predictions"
        classes = checked(result.test_predictions or "", place, examples.labels, len(examples.class_names))
        predicted.setdefault(result.backend, {})[result.seed] = classes
    return Answers(examples, predicted)
