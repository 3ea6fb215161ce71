"""Time to accuracy as a table, by the rule of MLPerf: convergence is checked before speed is believed.

Source: MLPerf's training rules, "Reference Convergence Points": a submission whose epochs to the target quality differ
from the reference's is not admitted, however fast it was.
"""

from collections.abc import Sequence
from statistics import mean, median
from typing import Any

import pandas as pd

from bench.core.statistics import ratio_interval
from bench.scaling.records import AccuracyRecord
from bench.scaling.tables import SUBJECT
from bench.scaling.time_to_accuracy import TARGETS

REFERENCES = ("keras-fit", "scratchnet")
"""The first of them that was trained is the reference."""
TIME_RATIO = ("time_ratio", "time_ratio_low", "time_ratio_high")
TOLERANCE = 1.0
"""Epochs by which a backend's mean over the seeds may part from the reference's."""


def table(records: Sequence[AccuracyRecord]) -> pd.DataFrame:
    """One row for each network, backend and target: epochs, and seconds where convergence matches."""
    rows = []
    for network in dict.fromkeys(record.network for record in records):
        of_network = [record for record in records if record.network == network]
        rows += _rows_of_network(network, of_network)
    return pd.DataFrame(rows)


def _rows_of_network(network: str, records: Sequence[AccuracyRecord]) -> list[dict[str, Any]]:
    reference, own = reference_of(records), _of(records, SUBJECT)
    names = list(dict.fromkeys(record.backend for record in records))
    return [
        {"network": network, "target": target, "backend": name, "reference": reference}
        | _row(_of(records, name), _of(records, reference), target)
        | (_time_ratio(own, _of(records, name), target) if name != SUBJECT else {})
        for target in TARGETS
        for name in names
    ]


def reference_of(records: Sequence[AccuracyRecord]) -> str:
    """The backend whose convergence the others must match; empty where none of `REFERENCES` was trained."""
    trained = {record.backend for record in records if record.status == "ok"}
    return next((name for name in REFERENCES if name in trained), "")


def _of(records: Sequence[AccuracyRecord], backend: str) -> list[AccuracyRecord]:
    return [record for record in records if record.backend == backend]


def _row(runs: Sequence[AccuracyRecord], reference: Sequence[AccuracyRecord], target: float) -> dict[str, Any]:
    epochs, expected = mean_epochs(runs, target), mean_epochs(reference, target)
    finding = _finding(runs, reference, epochs, expected)
    row = {"seeds": len(runs), "epochs": epochs, "reference_epochs": expected, "finding": finding}
    return row | (_seconds(runs, target) if finding == "converges" else {})


def _finding(
    runs: Sequence[AccuracyRecord], reference: Sequence[AccuracyRecord], epochs: float | None, expected: float | None
) -> str:
    lost = next((run for run in runs if run.status != "ok"), None)
    if lost is not None:
        return f"{lost.status}: {lost.reason}"
    if not reference:
        return f"no reference: {' and '.join(REFERENCES)} were not trained"
    if epochs is None and expected is None:
        return "not reached"
    if epochs is None or expected is None or abs(epochs - expected) > TOLERANCE:
        return "convergence differs"
    return "converges"


def mean_epochs(runs: Sequence[AccuracyRecord], target: float) -> float | None:
    """Mean over the seeds of the first epoch after which the target is reached; None where a seed never does."""
    reached = [first_epoch(run, target) for run in runs]
    found = [epoch for epoch in reached if epoch is not None]
    return mean(found) if found and len(found) == len(reached) else None


def first_epoch(run: AccuracyRecord, target: float) -> int | None:
    """Number of the first epoch after which the target is reached, from 1."""
    return next((number for number, one in enumerate(run.test_accuracies, 1) if one >= target), None)


def _seconds(runs: Sequence[AccuracyRecord], target: float) -> dict[str, float]:
    """Medians over the seeds; the first epoch's extra is what it took longer than a later one: tracing, compiling."""
    return {
        "seconds": median(seconds_to(runs, target).values()),
        "first_epoch_extra": median(_extra(run) for run in runs),
        "startup_seconds": median(run.startup_seconds or 0.0 for run in runs),
    }


def _time_ratio(
    own: Sequence[AccuracyRecord], runs: Sequence[AccuracyRecord], target: float
) -> dict[str, float | None]:
    """scratchnet's seconds to the target over the backend's, of the seeds that reached it with both."""
    ours, theirs = (seconds_to(some, target) for some in (own, runs))
    found = ratio_interval(ours[seed] / theirs[seed] for seed in ours.keys() & theirs.keys())
    values = (found.centre, found.low, found.high) if found else (None, None, None)
    return dict(zip(TIME_RATIO, values, strict=True))


def seconds_to(runs: Sequence[AccuracyRecord], target: float) -> dict[int, float]:
    """Seed → seconds of training until the target is reached; a seed that never reaches it is left out."""
    reached = {run.seed: (run, first_epoch(run, target)) for run in runs if run.status == "ok"}
    return {seed: sum(run.epoch_seconds[:epoch]) for seed, (run, epoch) in reached.items() if epoch is not None}


def _extra(run: AccuracyRecord) -> float:
    first, *later = run.epoch_seconds
    return max(0.0, first - median(later)) if later else 0.0
