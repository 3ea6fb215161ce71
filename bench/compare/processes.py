"""What one worker process of a run came to: its figures, curves, predictions and the libraries it used.

Fed by the records of a run; feeds all that is compared.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.records import Records, ResultRecord, WorkerRecord
from bench.tables import epochs_table, summary_table
from bench.text import is_missing

Curve = tuple[float | None, ...]


@dataclass(frozen=True)
class Process:
    """One (spec, backend, seed) of a finished attempt. Seconds in s, accuracies as fractions, None where not finite.

    `costs` and `accuracies` (of the test examples) are by epoch, the first among them; `epoch_seconds` is the median
    of the timed epochs, `time_ratio` that to the run's reference in the same rounds.
    """

    seed: int
    status: str
    reason: str
    accuracy: float | None
    cost: float | None
    epoch_seconds: float | None
    time_ratio: float | None
    result: ResultRecord
    worker: WorkerRecord | None
    costs: Curve = ()
    accuracies: Curve = ()

    @property
    def training(self) -> tuple[Any, ...]:
        """All that training gave: where two processes have the same, they did the same, bit by bit."""
        return self.costs, self.accuracies, self.result.final_epoch, self.result.test_predictions


@dataclass(frozen=True)
class Cell:
    """One (spec, backend) of a run: its processes by seed."""

    processes: Mapping[int, Process]
    ok: Mapping[int, Process] = field(init=False)

    def __post_init__(self) -> None:
        useful = {s: p for s, p in self.processes.items() if p.status == "ok" and p.accuracy is not None}
        object.__setattr__(self, "ok", useful)

    def values(self, name: str) -> dict[int, float]:
        """Seed → that figure, of the processes that ended well and have it."""
        return {seed: value for seed, p in self.ok.items() if (value := getattr(p, name)) is not None}


Cells = dict[tuple[str, str], Cell]


def cells_of(records: Records) -> Cells:
    """(spec, backend) → its processes, of the last finished attempt of each seed."""
    workers = {(w.spec, w.backend, w.seed): w for w in records.workers}
    results = {(r.spec, r.backend, r.seed): r for r in records.results}
    curves = {key: _curves(group) for key, group in epochs_table(records).groupby(["spec", "backend", "seed"])}
    found: dict[tuple[str, str], dict[int, Process]] = {}
    for row in summary_table(records).to_dict("records"):
        key = (str(row["spec"]), str(row["backend"]), int(row["seed"]))
        costs, accuracies = curves.get(key, ((), ()))
        process = _process(row, results[key], workers.get(key), costs, accuracies)
        found.setdefault(key[:2], {})[process.seed] = process
    return {key: Cell(dict(sorted(processes.items()))) for key, processes in found.items()}


def _process(
    row: Mapping[Any, Any], result: ResultRecord, worker: WorkerRecord | None, costs: Curve, accuracies: Curve
) -> Process:
    return Process(
        seed=result.seed,
        status=result.status,
        reason=result.reason,
        accuracy=_number(row["test_accuracy"]),
        cost=_number(row["train_cost"]),
        epoch_seconds=_number(row["epoch_seconds"]),
        time_ratio=_number(row["time_ratio"]),
        result=result,
        worker=worker,
        costs=costs,
        accuracies=accuracies,
    )


def _curves(group: Any) -> tuple[Curve, Curve]:
    costs, accuracies = (tuple(map(_number, group[name])) for name in ("train_cost", "test_accuracy"))
    return costs, accuracies


def _number(value: Any) -> float | None:
    return None if is_missing(value) or not math.isfinite(value) else float(value)
