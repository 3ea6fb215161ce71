"""Ratios from the folders of `scratchbench run`: scratchnet's seconds divided by the reference's, one per spec."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from bench.core.errors import UnusableError, refused
from bench.core.text import is_missing
from bench.history.points import Key, Point, finite, in_utc, machine_of
from bench.records.log import value_in
from bench.records.run import Records, RunRecord
from bench.report.tables import aggregate_table, summary_table

METRIC = "time_ratio"
OURS = "scratchnet"
WITHOUT_RATIOS = ("scaling", "gate_validation", "gate_public", "recording")
"""Kinds of records that other commands write: they hold no ratio that has a history."""
NO_WORK = {"name", "seeds", "epochs"}
"""What a spec says that changes neither an epoch's work nor its time."""


def read(path: Path) -> list[Point]:
    """One point a spec, with the interval over its seeds. Nothing of a run that is not of this kind.

    Raises UnusableError: names file and line; where no spec has both scratchnet and the reference, it says so.
    """
    with refused(path, "read"), path.open("rb") as file:
        if value_in(file.readline(), "kind") in WITHOUT_RATIOS:
            return []
    records = Records.read(path.parent)
    points = list(points_of(records, summary_table(records)))
    if not points:
        reason = "other cells ran beside its cells" if records.crowded else "run both with two epochs or more"
        raise UnusableError(f"{path}: no spec has a time ratio of {OURS} to {records.run.reference}; {reason}")
    return points


def points_of(records: Records, summary: pd.DataFrame) -> Iterator[Point]:
    """One a spec and kind of machine that has a ratio."""
    for machine, rows in _by_machine(records, summary):
        yield from points_on(machine, records.run, aggregate_table(records, rows).to_dict("records"))


def points_on(machine: str, run: RunRecord, rows: Iterable[Mapping[Any, Any]]) -> Iterator[Point]:
    """One a spec that has a ratio; `rows` are those of the aggregate of cells that ran on this kind of machine."""
    started = _started(run.started)
    for row in rows:
        if row["backend"] == OURS and not is_missing(row["time_ratio"]):
            yield Point(
                key=Key(METRIC, f"{OURS} / {run.reference}", row["spec"], _work(run, row["spec"]), machine),
                started=started,
                revision=run.environment.get("git_revision"),
                dirty=bool(run.environment.get("git_dirty")),
                value=row["time_ratio"],
                low=finite(row["time_ratio_low"]),
                high=finite(row["time_ratio_high"]),
            )


def _by_machine(records: Records, summary: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The processes of each kind of machine: ratios of two are never put together."""
    cells = zip(summary["spec"], summary["seed"], strict=True)
    machines = [records.machines[str(spec), int(seed)] for spec, seed in cells]
    names = pd.Series([machine_of(each.environment, each.threads) for each in machines], summary.index, dtype=object)
    yield from ((str(name), rows) for name, rows in summary.groupby(names, sort=False))


def _started(text: str) -> datetime:
    try:
        return in_utc(datetime.fromisoformat(text))
    except ValueError:
        raise UnusableError(f"started: {text!r} is no ISO 8601 date") from None


def _work(run: RunRecord, name: str) -> str:
    """A digest of what the spec trains on what data: runs whose specs share no more than a name are not joined."""
    spec = run.spec(name)
    data = run.fingerprint_of(spec.data) or ""
    text = json.dumps([spec.model_dump(mode="json", exclude=NO_WORK), data], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
