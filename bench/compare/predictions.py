"""Predictions of two runs on the same test examples: McNemar's test, confusion matrices, where only one is right.

McNemar's test takes the test examples as the sample and the two trained networks of one seed as fixed. The interval
over seeds (`bench.compare.equivalence`) covers the choice of the seed.

Sources: McNemar, "Note on the sampling error of the difference between correlated proportions", Psychometrika 12, 1947;
for classifiers on one test set, Dietterich, "Approximate statistical tests", Neural Computation 10(7), 1998.
"""

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray
from statsmodels.stats.contingency_tables import mcnemar

from bench.compare.document import Confusion, McNemar, OnlyOneRight
from bench.compare.match import Match
from bench.compare.processes import ComparedCell
from bench.compare.read import quoted
from bench.data.examples import Examples
from bench.records.predictions import checked
from bench.report import answers
from bench.report.answers import Predicted, summed_confusion

SHOWN_AT_MOST = 60


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
            found[seed] = checked(process.result.test_predictions, place, examples.labels, len(examples.class_names))
    return found


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
    names, labels = examples.class_names, examples.labels
    one, other = (summed_confusion(each, labels, len(names)) for each in (a, b))
    return Confusion(classes=names, a=one, b=other)


def only_one_right(a: Predicted, b: Predicted, labels: NDArray[np.int64]) -> tuple[OnlyOneRight, ...]:
    """At most 60 test examples that one side alone gets right, of the first seed that both have."""
    return tuple(OnlyOneRight(**asdict(each)) for each in answers.only_one_right(a, b, labels, SHOWN_AT_MOST))
