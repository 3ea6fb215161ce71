"""The results of one worker process of a run: its numbers, curves, predictions and the libraries it used."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.text import is_missing
from bench.records.epochs import by_process
from bench.records.run import Records, ResultRecord, WorkerRecord
from bench.report.scores import R2, Score
from bench.report.tables import Tables

Curve = NDArray[np.float64]
NO_EPOCH: Curve = np.array([])


@dataclass(frozen=True, eq=False)
class Process:
    """One (spec, backend, seed) of a finished attempt. Seconds in s, accuracies as fractions, None where not finite.

    `score` is accuracy or R², `mae` and `rmse` are errors of a regression, all of the test examples. `costs` and
    `scores` are by epoch, the first among them, NaN where not finite; `epoch_seconds` is the median of the timed
    epochs, `time_ratio` that to the run's reference in the same rounds.
    """

    seed: int
    status: str
    reason: str
    score: float | None
    mae: float | None
    rmse: float | None
    cost: float | None
    epoch_seconds: float | None
    time_ratio: float | None
    result: ResultRecord
    worker: WorkerRecord | None
    costs: Curve
    scores: Curve

    def did_the_same(self, other: "Process") -> bool:
        """Whether training gave the same, bit by bit: every epoch, which one was kept, and every prediction."""
        one, two = (each.result for each in (self, other))
        return (
            np.array_equal(self.costs, other.costs, equal_nan=True)
            and np.array_equal(self.scores, other.scores, equal_nan=True)
            and (self.mae, self.rmse) == (other.mae, other.rmse)
            and (one.final_epoch, one.test_predictions) == (two.final_epoch, two.test_predictions)
        )


@dataclass(frozen=True)
class ComparedCell:
    """One (spec, backend) of a run: its processes by seed."""

    processes: Mapping[int, Process]
    ok: Mapping[int, Process] = field(init=False)

    def __post_init__(self) -> None:
        useful = {s: p for s, p in self.processes.items() if p.status == "ok" and p.score is not None}
        object.__setattr__(self, "ok", useful)

    def values(self, name: str) -> dict[int, float]:
        """Seed → that figure, of the processes that ended well and have it."""
        return {seed: value for seed, p in self.ok.items() if (value := getattr(p, name)) is not None}


Cells = dict[tuple[str, str], ComparedCell]


def cells_of(records: Records) -> Cells:
    """(spec, backend) → its processes, of the last finished attempt of each seed."""
    workers = {(w.spec, w.backend, w.seed): w for w in records.workers}
    results = {(r.spec, r.backend, r.seed): r for r in records.results}
    tables = Tables(records)
    trained = by_process(tables.epochs)
    found: dict[tuple[str, str], dict[int, Process]] = {}
    for row in tables.summary.to_dict("records"):
        key = (str(row["spec"]), str(row["backend"]), int(row["seed"]))
        columns = trained.get((key[0], key[2], key[1]), {})
        process = _process(row, results[key], workers.get(key), columns, tables.score_of(key[0]))
        found.setdefault(key[:2], {})[process.seed] = process
    return {key: ComparedCell(dict(sorted(processes.items()))) for key, processes in found.items()}


def _process(
    row: Mapping[Any, Any],
    result: ResultRecord,
    worker: WorkerRecord | None,
    columns: Mapping[str, Curve],
    score: Score,
) -> Process:
    return Process(
        seed=result.seed,
        status=result.status,
        reason=result.reason,
        score=_number(row[score.column]),
        **{name: _number(row.get(column)) for name, column in R2.errors.items()},
        cost=_number(row["train_cost"]),
        epoch_seconds=_number(row["epoch_seconds"]),
        time_ratio=_number(row["time_ratio"]),
        result=result,
        worker=worker,
        costs=_finite(columns.get("train_cost", NO_EPOCH)),
        scores=_finite(columns.get(score.column, NO_EPOCH)),
    )


def _finite(values: Curve) -> Curve:
    return np.where(np.isfinite(values), values, np.nan)


def _number(value: Any) -> float | None:
    return None if is_missing(value) or not math.isfinite(value) else float(value)
