"""Tables of a run: every epoch, every process, every (spec, backend); and the texts made from them.

Fed by the records of finished attempts; feeds plots, report and terminal. Times count from the second epoch on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from rich.table import Table

from bench import markdown, terminal
from bench.records import EpochRecord, Records, ResultRecord, WorkerRecord
from bench.statistics import Interval, mean_interval, median, ratio_interval, time_ratio
from bench.text import one_line, ratio_text
from bench.verdict import Findings, sentence

# Column → type. "string" and "Int64" hold a missing value without becoming something else.
EPOCHS_COLUMNS: dict[str, str] = {
    "spec": "string",
    "backend": "string",
    "seed": "int64",
    "epoch": "int64",
    "warm_up": "bool",
    "turn": "int64",
    "epoch_seconds": "float64",
    "cpu_seconds": "float64",
    "samples_per_second": "float64",
    "train_cost": "float64",
    "train_accuracy": "float64",
    "validation_accuracy": "float64",
    "test_accuracy": "float64",
    "test_binary_accuracy": "float64",
    "batches_fingerprint": "string",
}
SUMMARY_COLUMNS: dict[str, str] = {
    "spec": "string",
    "backend": "string",
    "seed": "int64",
    "status": "string",
    "test_accuracy": "float64",
    "train_cost": "float64",
    "epoch_seconds": "float64",
    "samples_per_second": "float64",
    "time_ratio": "float64",
    "cpu_seconds": "float64",
    "train_accuracy": "float64",
    "validation_accuracy": "float64",
    "test_binary_accuracy": "float64",
    "test_precision": "float64",
    "test_recall": "float64",
    "startup_seconds": "float64",
    "peak_memory_bytes": "Int64",
    "parameters_fingerprint": "string",
    "reason": "string",
}
AGGREGATE_COLUMNS: dict[str, str] = {
    "spec": "string",
    "backend": "string",
    "seeds_ok": "int64",
    "seeds": "int64",
    "status": "string",
    "test_accuracy": "float64",
    "test_accuracy_half_width": "float64",
    "test_binary_accuracy": "float64",
    "train_cost": "float64",
    "epoch_seconds": "float64",
    "samples_per_second": "float64",
    "time_ratio": "float64",
    "time_ratio_low": "float64",
    "time_ratio_high": "float64",
    "time_ratio_seeds": "int64",
    "peak_memory_bytes": "Int64",
}

FINAL = ("train_cost", "train_accuracy", "validation_accuracy", "test_accuracy", "test_binary_accuracy")
UNSTABLE_ABOVE = 1.5
TIMED = ("epoch_seconds", "cpu_seconds", "samples_per_second")

Key = tuple[str, int, str]
Row = dict[str, Any]
R = TypeVar("R", EpochRecord, ResultRecord, WorkerRecord)


def epochs_table(records: Records) -> pd.DataFrame:
    """One row an epoch of each process, as recorded, warm-ups among them and labelled.

    Units: *_seconds in s, samples_per_second in 1/s, accuracies from 0 to 1; missing where not finite or not measured.
    """
    place = _order(records)
    epochs = sorted(_of_last_attempts(records, records.epochs), key=lambda e: (*place(e), e.epoch))
    return _frame(({name: getattr(epoch, name) for name in EPOCHS_COLUMNS} for epoch in epochs), EPOCHS_COLUMNS)


def summary_table(records: Records) -> pd.DataFrame:
    """One row a process, that is (spec, backend, seed), of every finished attempt, whatever its status.

    epoch_seconds, cpu_seconds (s) and samples_per_second (1/s) are medians over the timed epochs, missing where only
    the warm-up was trained. Cost and accuracies are those of the spec's last epoch, or of the one whose parameters
    early stopping kept; missing where it was not reached.
    time_ratio is `bench.statistics.time_ratio` to the run's reference; missing unless both have status ok.
    """
    processes = _processes(records)
    rows = (process | {"time_ratio": _time_ratio(key, records, processes)} for key, process in processes.items())
    return _frame(rows, SUMMARY_COLUMNS)


def aggregate_table(records: Records) -> pd.DataFrame:
    """One row a (spec, backend), over its seeds with status ok: `seeds_ok` of `seeds`.

    test_accuracy and its half-width are mean and 95 % interval; cost and binary accuracy means; epoch_seconds (s) and
    samples_per_second (1/s) medians of the processes' medians; time_ratio, low and high centre and 95 % interval over
    `time_ratio_seeds` seeds; peak_memory_bytes the largest. Missing where no seed is ok, an interval where one seed is.
    """
    table = summary_table(records)
    rows = (_aggregate(group, records) for _, group in table.groupby(["spec", "backend"], sort=False))
    return _frame(rows, AGGREGATE_COLUMNS)


def verdict(records: Records) -> str:
    """The run in one sentence."""
    return sentence(findings(records))


def findings(records: Records) -> Findings:
    """What the verdict is drawn from."""
    suite = records.run.suite
    cells = {(spec.name, seed) for spec in suite.specs for seed in spec.seeds}
    return Findings(
        summary=summary_table(records),
        aggregate=aggregate_table(records),
        reference=records.run.reference,
        backends=suite.backends,
        specs=tuple(spec.name for spec in suite.specs),
        cells=len(cells),
        cells_finished=len(cells & records.finished_cells),
    )


def summary_markdown(records: Records) -> str:
    """The run as GitHub Markdown: verdict, a table a spec, what did not go well, warnings, how to read it."""
    run = records.run
    return markdown.markdown(
        markdown.Content(
            title=run.suite.title or run.suite_name,
            verdict=verdict(records),
            aggregate=aggregate_table(records),
            summary=summary_table(records),
            warnings=warning_lines(records),
            reference=run.reference,
            both_accuracies=Path(run.suite_name).stem == "founding",
        )
    )


def terminal_table(records: Records) -> Table:
    """The aggregate for a terminal or a pipe of 80 columns."""
    return terminal.table(aggregate_table(records), records.run.reference)


def warning_lines(records: Records) -> list[str]:
    """What to know before the figures are trusted: the machine's warnings, then the time ratios that are unstable."""
    aggregate = aggregate_table(records)
    unstable = aggregate[aggregate["time_ratio_high"] > UNSTABLE_ABOVE * aggregate["time_ratio_low"]]
    every = (one_line(line) for run in records.runs for line in run.environment.get("warnings") or ())
    return [*dict.fromkeys(every), *map(_unstable, unstable.to_dict("records"))]


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


def _of_last_attempts(records: Records, some: list[R]) -> Iterator[R]:
    last = {(result.spec, result.seed): result.attempt for result in records.results}
    return (record for record in some if last.get((record.spec, record.seed)) == record.attempt)


def _by_process(records: Records, some: list[R]) -> dict[Key, list[R]]:
    groups: dict[Key, list[R]] = {}
    for record in _of_last_attempts(records, some):
        groups.setdefault((record.spec, record.seed, record.backend), []).append(record)
    return groups


def _processes(records: Records) -> dict[Key, Row]:
    workers, epochs = _by_process(records, records.workers), _by_process(records, records.epochs)
    results = sorted(_of_last_attempts(records, records.results), key=_order(records))
    last_epochs = {spec.name: spec.epochs for spec in records.run.suite.specs}
    rows = {}
    for result in results:
        key = (result.spec, result.seed, result.backend)
        rows[key] = _process(result, workers.get(key, []), epochs.get(key, []), last_epochs.get(result.spec))
    return rows


def _process(
    result: ResultRecord, workers: list[WorkerRecord], trained: list[EpochRecord], last_epoch: int | None
) -> Row:
    timed = [epoch for epoch in trained if not epoch.warm_up]
    final = [epoch for epoch in trained if epoch.epoch == (result.final_epoch or last_epoch)]
    row = result.model_dump(exclude={"kind", "attempt", "final_epoch", "test_predictions"})
    row |= {name: median(getattr(epoch, name) for epoch in timed) for name in TIMED}
    row |= {name: getattr(epoch, name) for epoch in final for name in FINAL}
    for worker in workers:
        row |= {"startup_seconds": worker.startup_seconds, "parameters_fingerprint": worker.parameters_fingerprint}
    return row | {"rounds": {epoch.epoch: epoch.epoch_seconds for epoch in timed}}


def _time_ratio(key: Key, records: Records, processes: dict[Key, Row]) -> float | None:
    spec, seed, _ = key
    one, reference = processes[key], processes.get((spec, seed, records.run.reference))
    if reference is None or one["status"] != "ok" or reference["status"] != "ok":
        return None
    return time_ratio(one["rounds"], reference["rounds"])


def _aggregate(group: pd.DataFrame, records: Records) -> Row:
    ok = group[group["status"] == "ok"]
    first = group.iloc[0]
    asked = {spec.name: len(spec.seeds) for spec in records.run.suite.specs}
    accuracy = mean_interval(ok["test_accuracy"])
    lost = dict.fromkeys(group.loc[group["status"] != "ok", "status"])
    return {
        "spec": first["spec"],
        "backend": first["backend"],
        "seeds_ok": len(ok),
        "seeds": asked.get(first["spec"], len(group)),
        "status": ", ".join(lost) or "ok",
        "test_accuracy": accuracy and accuracy.centre,
        "test_accuracy_half_width": accuracy and accuracy.half_width,
        "test_binary_accuracy": ok["test_binary_accuracy"].mean(),
        "train_cost": ok["train_cost"].mean(),
        "epoch_seconds": median(ok["epoch_seconds"]),
        "samples_per_second": median(ok["samples_per_second"]),
        "peak_memory_bytes": ok["peak_memory_bytes"].max(),
        **_ratio_columns(ratio_interval(ok["time_ratio"])),
    }


def _ratio_columns(ratio: Interval | None) -> Row:
    if ratio is None:
        return {"time_ratio_seeds": 0}
    return {
        "time_ratio": ratio.centre,
        "time_ratio_low": ratio.low,
        "time_ratio_high": ratio.high,
        "time_ratio_seeds": ratio.count,
    }
