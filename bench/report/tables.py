"""Tables of a run: every epoch, every process, every (spec, backend). Times count from the second epoch on."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.core.statistics import Interval, mean_interval, median, ratio_interval, time_ratio
from bench.core.text import is_missing, one_line, ratio_text
from bench.records.epochs import KEPT, Process, by_process, of_attempts
from bench.records.run import Records, ResultRecord, WorkerRecord
from bench.records.scores import ACCURACIES, ERRORS, POSITIVES
from bench.report.machines import lost_lines, machine_lines
from bench.report.scores import ACCURACY, R2, SCORES, Score, score_of
from bench.report.verdict import Findings, sentence

SCORE_COLUMNS = tuple(score.column for score in SCORES.values())
MEANS = ("test_binary_accuracy", *R2.errors.values(), *POSITIVES, "train_cost")

# Column → type; a run has those of its `Records.kinds`. "string" and "Int64" hold a missing value without becoming
# something else.
EPOCHS_COLUMNS: dict[str, str] = {name: kind for name, kind in KEPT.items() if name not in ("attempt", "stopped")}
SUMMARY_COLUMNS: dict[str, str] = {
    "spec": "string",
    "backend": "string",
    "seed": "int64",
    "status": "string",
    **dict.fromkeys((*SCORE_COLUMNS, "train_cost", "epoch_seconds", "samples_per_second", "time_ratio"), "float64"),
    **dict.fromkeys(("cpu_seconds", "train_accuracy", "train_r2_score"), "float64"),
    **dict.fromkeys(("validation_accuracy", "validation_r2_score", "test_binary_accuracy"), "float64"),
    **dict.fromkeys(R2.errors.values(), "float64"),
    **dict.fromkeys(("test_precision", "test_recall", *POSITIVES, "startup_seconds"), "float64"),
    "peak_memory_bytes": "Int64",
    "parameters_fingerprint": "string",
    "reason": "string",
}
AGGREGATE_COLUMNS: dict[str, str] = {
    "spec": "string",
    "backend": "string",
    **dict.fromkeys(("seeds_ok", "seeds"), "int64"),
    "status": "string",
    **dict.fromkeys((name for score in SCORE_COLUMNS for name in (score, f"{score}_half_width")), "float64"),
    **dict.fromkeys(MEANS, "float64"),
    **dict.fromkeys(("epoch_seconds", "samples_per_second"), "float64"),
    **dict.fromkeys(("time_ratio", "time_ratio_low", "time_ratio_high"), "float64"),
    "time_ratio_seeds": "int64",
    "peak_memory_bytes": "Int64",
}

FINAL = {"train_cost", *ACCURACIES, *ERRORS}
UNSTABLE_ABOVE = 1.5
OF_WORKER = {"startup_seconds", "parameters_fingerprint"}
TIMED = ("epoch_seconds", "cpu_seconds", "samples_per_second")

Row = dict[str, Any]
Columns = Mapping[str, NDArray[Any]]
R = TypeVar("R", ResultRecord, WorkerRecord)


def epochs_table(records: Records) -> pd.DataFrame:
    """One row an epoch of each process, as recorded, warm-ups among them and labelled.

    Units: *_seconds in s, samples_per_second in 1/s, accuracies from 0 to 1, errors in the units of the targets;
    missing where not finite or not measured.
    """
    last = {(*cell, attempt) for cell, attempt in _last_attempts(records).items()}
    return of_attempts(records.epochs, last)[list(records.kinds.columns(EPOCHS_COLUMNS))]


def summary_table(records: Records, epochs: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row a process, that is (spec, backend, seed), of every finished attempt, whatever its status.

    epoch_seconds, cpu_seconds (s) and samples_per_second (1/s) are medians over the timed epochs, missing where only
    the warm-up was trained, or where other cells ran beside it. Cost, accuracies and errors are those of the spec's
    last epoch, or of the one whose parameters early stopping kept; missing where it was not reached.
    time_ratio is `bench.core.statistics.time_ratio` to the run's reference; missing unless both have status ok.
    """
    trained = by_process(epochs_table(records) if epochs is None else epochs)
    rows = _processes(records, trained)
    for (spec, seed, backend), row in rows.items():
        reference = (spec, seed, records.run.reference)
        if (
            (spec, seed) not in records.crowded
            and row["status"] == "ok"
            and rows.get(reference, {}).get("status") == "ok"
        ):
            row["time_ratio"] = time_ratio(_rounds(trained, (spec, seed, backend)), _rounds(trained, reference))
    return _frame(rows.values(), records.kinds.columns(SUMMARY_COLUMNS))


def aggregate_table(records: Records, summary: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row a (spec, backend), over its seeds with status ok: `seeds_ok` of `seeds`.

    test_accuracy (or test_r2_score) and its half-width are mean and 95 % interval; cost and all else that is about
    predictions are means; epoch_seconds (s) and samples_per_second (1/s) medians of the processes' medians;
    time_ratio, low and high centre and 95 % interval over `time_ratio_seeds` seeds; peak_memory_bytes the largest.
    Missing where no seed is ok, an interval where one seed is.
    """
    summary = summary_table(records) if summary is None else summary
    expected = {spec.name: len(spec.seeds) for spec in records.run.suite.specs}
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in summary.to_dict("records"):
        groups.setdefault((row["spec"], row["backend"]), []).append({str(name): value for name, value in row.items()})
    return _frame((_aggregate(group, expected) for group in groups.values()), records.kinds.columns(AGGREGATE_COLUMNS))


@dataclass(frozen=True)
class Tables:
    """All tables of a run and what they come to; each is made once, when it is first asked for."""

    records: Records

    @cached_property
    def epochs(self) -> pd.DataFrame:
        """See `epochs_table`."""
        return epochs_table(self.records)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """See `summary_table`."""
        return summary_table(self.records, self.epochs)

    @cached_property
    def aggregate(self) -> pd.DataFrame:
        """See `aggregate_table`."""
        return aggregate_table(self.records, self.summary)

    @property
    def reference(self) -> str:
        """The backend that the others are held against."""
        return self.records.run.reference

    @cached_property
    def findings(self) -> Findings:
        """What the verdict is drawn from."""
        suite = self.records.run.suite
        cells = {(spec.name, seed) for spec in suite.specs for seed in spec.seeds}
        return Findings(
            summary=self.summary,
            aggregate=self.aggregate,
            reference=self.reference,
            backends=suite.backends,
            specs=tuple(spec.name for spec in suite.specs),
            cells=len(cells),
            cells_finished=len(cells & self.records.finished_cells),
            scores=self.scores,
            crowded=bool(self.records.crowded),
        )

    @cached_property
    def scores(self) -> dict[str, Score]:
        """Spec → the figure that stands for how well its networks predict."""
        return {spec.name: score_of(spec.data.task) for spec in self.records.run.suite.specs}

    def score_of(self, spec: object) -> Score:
        """That of a spec; accuracy of one that the suite does not have."""
        return self.scores.get(str(spec), ACCURACY)

    @cached_property
    def verdict(self) -> str:
        """The run in one sentence."""
        return sentence(self.findings)

    @cached_property
    def warnings(self) -> list[str]:
        """What to know before the numbers are trusted: of the machines, of lost attempts, of unstable time ratios."""
        table = self.aggregate
        unstable = table[table["time_ratio_high"] > UNSTABLE_ABOVE * table["time_ratio_low"]]
        runs, machines = self.records.runs, self.records.machines.values()
        environments = [*(run.environment for run in runs), *(machine.environment for machine in machines)]
        every = (one_line(line) for each in environments for line in each.get("warnings") or ())
        lines = [*lost_lines(self.records), *machine_lines(self.records, self.summary)]
        return [*dict.fromkeys(every), *lines, *map(_unstable, unstable.to_dict("records"))]


def plain_rows(table: pd.DataFrame) -> list[Row]:
    """The rows as JSON has them: None for what is missing or not finite."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    return None if is_missing(value) or value in (math.inf, -math.inf) else value


def _unstable(row: Mapping[Any, Any]) -> str:
    place = f"{one_line(row['spec'], 120)}, {one_line(row['backend'], 60)}"
    return f"{place}: the time ratio is unstable, {ratio_text(row)}; more seeds or a quieter machine would tell"


def _frame(rows: Iterable[Mapping[str, Any]], columns: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(columns)).astype(columns)


def _order(records: Records) -> Callable[[Any], tuple[int, int, int]]:
    """Sort key: the suite's order of specs, its order of backends, then the seed."""
    suite = records.run.suite
    specs = {spec.name: index for index, spec in enumerate(suite.specs)}
    backends = {name: index for index, name in enumerate(suite.backends)}
    return lambda r: (specs.get(r.spec, len(specs)), backends.get(r.backend, len(backends)), r.seed)


def _last_attempts(records: Records) -> dict[tuple[str, int], int]:
    """(spec, seed) → the attempt that counts."""
    return {(result.spec, result.seed): result.attempt for result in records.results}


def _of_last_attempts(records: Records, some: list[R]) -> Iterator[R]:
    last = _last_attempts(records)
    return (record for record in some if last.get((record.spec, record.seed)) == record.attempt)


def _processes(records: Records, trained: Mapping[Process, Columns]) -> dict[Process, Row]:
    workers = {(w.spec, w.seed, w.backend): w for w in _of_last_attempts(records, records.workers)}
    last_epochs = {spec.name: spec.epochs for spec in records.run.suite.specs}
    rows = {}
    for result in sorted(_of_last_attempts(records, records.results), key=_order(records)):
        key = (result.spec, result.seed, result.backend)
        final = result.final_epoch or last_epochs.get(result.spec, 0)
        ended = result.model_dump(exclude={"kind", "attempt", "final_epoch", "test_predictions"})
        started = workers[key].model_dump(include=OF_WORKER) if key in workers else {}
        row = ended | started | _of_epochs(trained.get(key), final)
        crowded = (result.spec, result.seed) in records.crowded
        rows[key] = row | (dict.fromkeys((*TIMED, "startup_seconds")) if crowded else {})
    return rows


def _of_epochs(trained: Columns | None, final_epoch: int) -> Row:
    if trained is None:
        return {}
    timed = ~trained["warm_up"]
    row: Row = {name: median(trained[name][timed]) for name in TIMED}
    final = np.flatnonzero(trained["epoch"] == final_epoch)
    return row | {name: float(trained[name][place]) for place in final for name in trained if name in FINAL}


def _rounds(trained: Mapping[Process, Columns], process: Process) -> dict[int, float]:
    """Round → seconds, of the timed epochs."""
    if process not in trained:
        return {}
    timed = ~trained[process]["warm_up"]
    rounds, seconds = (trained[process][name][timed].tolist() for name in ("epoch", "epoch_seconds"))
    return dict(zip(rounds, seconds, strict=True))


def _aggregate(group: list[Row], expected: Mapping[str, int]) -> Row:
    ok = [row for row in group if row["status"] == "ok"]
    of: dict[str, list[Any]] = {name: [row[name] for row in ok if not is_missing(row[name])] for name in group[0]}
    return {
        "spec": group[0]["spec"],
        "backend": group[0]["backend"],
        "seeds_ok": len(ok),
        "seeds": expected.get(group[0]["spec"], len(group)),
        "status": ", ".join(dict.fromkeys(row["status"] for row in group if row["status"] != "ok")) or "ok",
        **{name: value for score in SCORE_COLUMNS for name, value in _score_columns(score, of.get(score, [])).items()},
        **{name: _mean(of.get(name, [])) for name in MEANS},
        "epoch_seconds": median(of["epoch_seconds"]),
        "samples_per_second": median(of["samples_per_second"]),
        "peak_memory_bytes": max(of["peak_memory_bytes"], default=None),
        **_ratio_columns(ratio_interval(of["time_ratio"])),
    }


def _score_columns(name: str, values: list[float]) -> Row:
    score = mean_interval(values)
    return {name: score and score.centre, f"{name}_half_width": score and score.half_width}


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _ratio_columns(ratio: Interval | None) -> Row:
    if ratio is None:
        return {"time_ratio_seeds": 0}
    return {
        "time_ratio": ratio.centre,
        "time_ratio_low": ratio.low,
        "time_ratio_high": ratio.high,
        "time_ratio_seeds": ratio.count,
    }
