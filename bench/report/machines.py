"""For a run on several machines: time ratios by machine, whether the machines differ, and lost attempts."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd
from scipy.special import fdtrc

from bench.core.statistics import ratio_interval
from bench.core.text import first_of, one_line, significant
from bench.records.machines import KIND
from bench.records.run import Records

COLUMNS = {
    **dict.fromkeys(("spec", "backend", "machine"), "string"),
    "cells": "int64",
    **dict.fromkeys(("time_ratio", "time_ratio_low", "time_ratio_high"), "float64"),
}
SIGNIFICANCE = 0.01
MOST_NAMED, MOST_LOST = 3, 10


def several_machines(records: Records) -> bool:
    """Whether the finished cells are from more than one machine."""
    return len({machine.title for machine in records.machines.values()}) > 1


def machines_table(records: Records, summary: pd.DataFrame) -> pd.DataFrame:
    """One row a (spec, backend, machine): over its cells, centre and 95 % interval of the time ratio, no unit."""
    ratios = _ratios(records, summary)
    groups = ratios.groupby(["spec", "backend", "machine"], sort=False)
    rows = [(*_key(key), *_figures(group["time_ratio"].tolist())) for key, group in groups]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def machine_lines(records: Records, summary: pd.DataFrame) -> list[str]:
    """What to know of where cells ran: how machines differ in kind, whether their ratios do, whose times count."""
    lines = [*_kinds(records), *_differences(_ratios(records, summary))] if several_machines(records) else []
    crowded, finished = len(records.crowded), len(records.finished_cells)
    some = [f"other cells ran beside {crowded} of {finished} cells: their times do not count"]
    return [*lines, *(some if 0 < crowded < finished else [])]


def lost_lines(records: Records) -> list[str]:
    """Attempts that were lost with their node; first those of cells that have no result."""
    lost = sorted(records.lost, key=lambda each: (each.spec, each.seed) in records.finished_cells)
    lines = [
        f"{one_line(each.spec, 120)} seed {each.seed}: attempt {each.attempt} on {one_line(each.host, 80)} was lost: "
        f"{one_line(each.reason, 300)}"
        for each in lost[:MOST_LOST]
    ]
    more = len(lost) - MOST_LOST
    return [*lines, *([f"{more} more attempts were lost; records.jsonl names them"] if more > 0 else [])]


def _kinds(records: Records) -> Iterator[str]:
    kinds = [machine.kind for machine in {m.digest: m for m in records.machines.values()}.values()]
    for name in KIND:
        values = sorted({kind[name] for kind in kinds})
        if len(values) > 1:
            named = first_of((one_line(value, 60) for value in values), MOST_NAMED)
            yield f"the cells ran on machines that differ in {name}: {named}"


def _differences(ratios: pd.DataFrame) -> Iterator[str]:
    for backend, group in ratios.groupby("backend", sort=False):
        found = machine_effect(group)
        if found is not None and found[1] < SIGNIFICANCE:
            largest, p = found
            percent = significant(100 * (largest - 1), 2)
            yield f"{one_line(backend, 60)}: its time ratio differs between machines by up to {percent} % (p = {p:.1g})"


def machine_effect(ratios: pd.DataFrame) -> tuple[float, float] | None:
    """The largest factor between two machines' ratios, and the p-value of the F test that all are equal.

    Of the logarithms each spec's mean is taken away first. Where the specs are not spread evenly over the machines,
    this makes the test miss differences, never find one that is not there. None where there are too few cells.
    """
    logs = ratios["time_ratio"].map(math.log)
    rest = logs - logs.groupby(ratios["spec"]).transform("mean")
    by_machine = rest.groupby(ratios["machine"])
    effects, within = by_machine.mean(), float(((rest - by_machine.transform("mean")) ** 2).sum())
    between = float((by_machine.size() * effects**2).sum())
    free, left = len(effects) - 1, len(rest) - ratios["spec"].nunique() - len(effects) + 1
    if free < 1 or left < 1 or within <= 0:
        return None
    p = float(fdtrc(free, left, (between / free) / (within / left)))
    return math.exp(effects.max() - effects.min()), p


def _ratios(records: Records, summary: pd.DataFrame) -> pd.DataFrame:
    """The processes that have a time ratio, without the reference's, and their machines."""
    table = summary[summary["time_ratio"].notna() & (summary["backend"] != records.run.reference)]
    names = [
        records.machines[str(spec), int(seed)].title for spec, seed in zip(table["spec"], table["seed"], strict=True)
    ]
    return table.assign(machine=names)[["spec", "backend", "seed", "machine", "time_ratio"]]


def _key(key: Any) -> tuple[str, ...]:
    return tuple(map(str, key))


def _figures(ratios: list[float]) -> tuple[Any, ...]:
    found = ratio_interval(ratios)
    return (len(ratios), *((found.centre, found.low, found.high) if found else (None,) * 3))
