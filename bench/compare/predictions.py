"""Predictions of two runs on the same test examples: McNemar's test, confusion matrices, where only one is right.

McNemar's test takes the test examples as the sample and the two trained networks of one seed as fixed. The interval
over seeds (`bench.compare.equivalence`) covers the choice of the seed.

Sources: McNemar, "Note on the sampling error of the difference between correlated proportions", Psychometrika 12, 1947;
for classifiers on one test set, Dietterich, "Approximate statistical tests", Neural Computation 10(7), 1998.
"""

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from statsmodels.stats.contingency_tables import mcnemar

from bench.compare.document import Confusion, McNemar, OnlyOneRight
from bench.compare.labels import Examples
from bench.compare.match import Match
from bench.compare.processes import ComparedCell
from bench.compare.read import quoted
from bench.core.errors import UnusableError
from scratchnet.metrics import confusion_matrix

SHOWN_AT_MOST = 60
LARGEST_BYTES = 200_000_000

Predicted = Mapping[int, NDArray[np.int64]]
"""Seed → predicted class of each test example, (N,), or its labels, (N, K)."""


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


def predicted_of(match: Match, examples: Examples) -> tuple[Predicted, Predicted]:
    """The predictions of both sides, of the processes that ended well and have them.

    Raises UnusableError: where a record's predictions cannot be read or are of other examples: names side, spec,
    backend and seed.
    """
    return _predicted(match, match.a, "A", examples), _predicted(match, match.b, "B", examples)


def _predicted(match: Match, cell: ComparedCell, label: str, examples: Examples) -> Predicted:
    found = {}
    for seed, process in cell.ok.items():
        if process.result.test_predictions is not None:
            place = f"{label}, {quoted(match.spec.name)}, {quoted(match.backend)}, seed {seed}: test_predictions"
            found[seed] = _checked(process.result.test_predictions, place, examples)
    return found


def _checked(text: str, place: str, examples: Examples) -> NDArray[np.int64]:
    try:
        classes = decode(text)
    except ValueError as error:
        raise UnusableError(f"{place} cannot be read ({error}); the record was changed after the run") from None
    count, known = examples.labels.size, len(examples.class_names) if examples.labels.ndim == 1 else 2
    if len(classes) != count or (count and classes.max() >= known):
        raise UnusableError(
            f"{place} are {len(classes)} of classes up to {max(classes, default=0)}; {count} of {known}"
        )
    return classes.reshape(examples.labels.shape)


def mcnemar_tests(a: Predicted, b: Predicted, labels: NDArray[np.int64]) -> tuple[McNemar, ...]:
    """The exact test of each seed that both sides have."""
    return tuple(_mcnemar(s, _right(a[s], labels), _right(b[s], labels)) for s in sorted(a.keys() & b.keys()))


def _right(predicted: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Of each example (N,); of several labels, all must be right."""
    right: NDArray[np.bool_] = np.logical_and.reduce((predicted == labels).reshape(len(labels), -1), axis=1)
    return right


def _mcnemar(seed: int, right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> McNemar:
    table = [[int(np.sum((right_a == x) & (right_b == y))) for y in (True, False)] for x in (True, False)]
    p = float(mcnemar(table, exact=True).pvalue)
    return McNemar(seed=seed, only_a=table[0][1], only_b=table[1][0], p=p)


def confusion(a: Predicted, b: Predicted, examples: Examples) -> Confusion | None:
    """Both matrices, each summed over its seeds; None where a side has no predictions, or there are several labels."""
    if not a or not b or examples.labels.ndim > 1:
        return None
    names = examples.class_names
    return Confusion(
        classes=names, a=_summed(a, examples.labels, len(names)), b=_summed(b, examples.labels, len(names))
    )


def _summed(predicted: Predicted, labels: NDArray[np.int64], classes: int) -> tuple[tuple[int, ...], ...]:
    total = sum(confusion_matrix(each, labels, classes) for each in predicted.values())
    return tuple(tuple(map(int, row)) for row in np.asarray(total))


def only_one_right(a: Predicted, b: Predicted, labels: NDArray[np.int64]) -> tuple[OnlyOneRight, ...]:
    """At most 60 examples that one side alone gets right, of the first seed that both have; none of several labels."""
    shared: Sequence[int] = sorted(a.keys() & b.keys())
    if not shared or labels.ndim > 1:
        return ()
    one, other = a[shared[0]], b[shared[0]]
    differing = np.flatnonzero((one == labels) != (other == labels))[:SHOWN_AT_MOST]
    return tuple(
        OnlyOneRight(index=int(i), label=int(labels[i]), a=int(one[i]), b=int(other[i]), seed=shared[0])
        for i in differing
    )
