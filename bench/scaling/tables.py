"""The points as tables: one row for each point and backend, the floors among them, and the exponents of the lines."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, NamedTuple

import pandas as pd

from bench.backends import registry
from bench.core.statistics import ratio_interval
from bench.scaling.fits import Fit, fit, upper_half
from bench.scaling.points import FULL_EPOCH
from bench.scaling.records import PointRecord, ScalingRecords

SUBJECT = "scratchnet"
PRODUCTS, ARITHMETIC = "products", "arithmetic"
FLOORS = (PRODUCTS, ARITHMETIC)
QUANTITIES = ("seconds", "peak_memory_bytes")
COLUMNS = (
    *("axis", "value", "backend", "work", "threads", "status", "reason", "examples", "together", "epochs_timed"),
    *("epoch_seconds", "seconds", "samples_per_second", "ratio_to_products", "warm_up_seconds"),
    "peak_memory_bytes",
    *("own_ratio", "own_ratio_low", "own_ratio_high"),
)
LATER_COLUMNS = ("ratio_to_products", "own_ratio", "own_ratio_low", "own_ratio_high")


class CostLine(NamedTuple):
    """One backend along one axis: value → quantity, and the exponent."""

    backend: str
    measured: dict[int, float]
    fit: Fit | None


def points_table(records: ScalingRecords) -> pd.DataFrame:
    """One row for each point and backend.

    `seconds` are the median epoch's: on the axis of examples those of the epoch itself, elsewhere scaled to MNIST's
    60,000 examples, so that points with different numbers of examples compare. `own_ratio` is scratchnet's seconds over
    those of the row's backend, with its 95 % interval over the rounds.
    """
    rows = [_row(record) for record in records.points] + list(_arithmetic(records))
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if name not in LATER_COLUMNS])
    products = table[table["backend"] == PRODUCTS].set_index(["axis", "value"])["epoch_seconds"]
    places = pd.MultiIndex.from_frame(table[["axis", "value"]])
    table["ratio_to_products"] = table["epoch_seconds"].to_numpy() / products.reindex(places).to_numpy()
    own = {(one.axis, one.value): one for one in records.points if one.backend == SUBJECT}
    ratios = [_own_ratio(own.get((one.axis, one.value)), one) for one in records.points]
    own_ratios = pd.DataFrame(ratios, columns=["own_ratio", "own_ratio_low", "own_ratio_high"], dtype=float)
    return table.join(own_ratios)[list(COLUMNS)]


def _own_ratio(own: PointRecord | None, other: PointRecord) -> tuple[float | None, float | None, float | None]:
    """Of the epochs of one round, which drift alike; none where one of the two did not end well."""
    if own is None or own is other or {own.status, other.status} != {"ok"}:
        return None, None, None
    pairs = zip(own.epoch_seconds, other.epoch_seconds, strict=False)  # a slow one takes fewer rounds
    found = ratio_interval(mine / theirs for mine, theirs in pairs)
    return (found.centre, found.low, found.high) if found else (None, None, None)


def _row(record: PointRecord) -> dict[str, Any]:
    """Who did not end well has no figures: it may have stopped because of what made it fast."""
    well = record.status == "ok"
    figures = {"warm_up_seconds": record.warm_up_seconds, "peak_memory_bytes": record.peak_memory_bytes}
    kept = (name for name in COLUMNS if name in PointRecord.model_fields and name not in (*figures, "epoch_seconds"))
    return {
        **{name: getattr(record, name) for name in kept},
        "epochs_timed": len(record.epoch_seconds),
        **(figures if well else {}),
        **(_of_epoch(record, median(record.epoch_seconds)) if well and record.epoch_seconds else {}),
    }


def _of_epoch(record: PointRecord, seconds: float) -> dict[str, float]:
    scale = 1.0 if record.axis == "examples" else FULL_EPOCH / record.examples
    return {
        "epoch_seconds": seconds,
        "seconds": seconds * scale,
        "samples_per_second": record.examples / seconds,
    }


def _arithmetic(records: ScalingRecords) -> Iterator[dict[str, Any]]:
    """The floor that is computed: operations at the best rate of a product; and the bytes of the numbers alone."""
    for record in {(record.axis, record.value): record for record in records.points}.values():
        rate = _best_rate(records, record.threads, record.dtype)
        names = ("axis", "value", "work", "threads", "examples")
        yield {
            **{name: getattr(record, name) for name in names},
            "backend": ARITHMETIC,
            "status": "computed",
            "peak_memory_bytes": record.number_bytes,
            **(_of_epoch(record, record.operations / rate) if rate else {}),
        }


def _best_rate(records: ScalingRecords, threads: int, dtype: str) -> float | None:
    """The best rate of a product in this run, or of an epoch if higher: a busy moment must not raise the floor."""
    measured = [rate for rate in records.rates if (rate.threads, rate.dtype) == (threads, dtype)]
    trained = [one for one in records.points if (one.threads, one.dtype, one.status) == (threads, dtype, "ok")]
    reached = [one.operations / min(one.epoch_seconds) for one in trained if one.epoch_seconds]
    return max([*reached, *(rate.operations_per_second for rate in measured)]) if measured else None


def lines(table: pd.DataFrame, axis: str, quantity: str) -> list[CostLine]:
    """The lines of one axis, the floors last; backends without a single figure have none."""
    rows = table[(table["axis"] == axis) & table[quantity].notna()]
    if quantity == "peak_memory_bytes":
        rows = rows[rows["backend"] != PRODUCTS]  # it holds what scratchnet holds: no floor of memory
    fitted = upper_half(int(value) for value in table.loc[table["axis"] == axis, "value"])
    return [_line(rows[rows["backend"] == name], name, quantity, fitted) for name in ordered(rows["backend"])]


def _line(rows: pd.DataFrame, backend: str, quantity: str, fitted: Sequence[int]) -> CostLine:
    measured = {int(value): float(cost) for value, cost in zip(rows["value"], rows[quantity], strict=True)}
    return CostLine(backend, dict(sorted(measured.items())), fit(measured, fitted))


def ordered(names: Sequence[str] | pd.Series) -> list[str]:
    """Backends as the registry has them, then the floors, then what else there is."""
    known = [*registry.BACKENDS, *FLOORS]
    return sorted(dict.fromkeys(names), key=lambda name: known.index(name) if name in known else len(known))


def exponents_table(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each axis, quantity and line that has an exponent."""
    return pd.DataFrame(
        [
            {
                "axis": axis,
                "quantity": quantity,
                "backend": line.backend,
                "exponent": line.fit.exponent,
                "low": line.fit.low,
                "high": line.fit.high,
                "fitted_over": " ".join(map(str, line.fit.values)),
            }
            for axis in dict.fromkeys(table["axis"])
            for quantity in QUANTITIES
            for line in lines(table, axis, quantity)
            if line.fit is not None
        ],
        columns=["axis", "quantity", "backend", "exponent", "low", "high", "fitted_over"],
    )


def beside_fastest(table: pd.DataFrame) -> pd.DataFrame:
    """scratchnet at each measured work beside the peer with which it compares worst: one row a work.

    `peer`; `ratio`, `low`, `high` : scratchnet's seconds over the peer's (above 1: the peer is faster). `decided`:
    "fastest" where the interval of the ratio to every peer lies below 1, "slower" where that to one of them lies above,
    else "undecided".
    """
    others = table["own_ratio"].notna() & ~table["backend"].isin((SUBJECT, *FLOORS))
    peers = table[others].drop_duplicates(["work", "backend"])
    decided = {work: _decided(rows) for work, rows in peers.groupby("work")}
    worst = peers.sort_values("own_ratio", ascending=False, kind="stable").drop_duplicates("work").sort_index()
    names = {"backend": "peer", "own_ratio": "ratio", "own_ratio_low": "low", "own_ratio_high": "high"}
    rows = worst.assign(decided=worst["work"].map(decided)).rename(columns=names)
    return rows[["axis", "value", *names.values(), "decided"]]


def _decided(rows: pd.DataFrame) -> str:
    """Of the rows of all peers at one work; a missing end of an interval decides nothing."""
    if (rows["own_ratio_high"] < 1).all():
        return "fastest"
    return "slower" if (rows["own_ratio_low"] > 1).any() else "undecided"
