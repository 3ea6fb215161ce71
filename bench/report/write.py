"""Writes everything that is derived from a run's records, beside them. A second call writes the same again."""

import json
from collections.abc import Collection
from os import PathLike
from pathlib import Path
from typing import Any

from bench.core.csv_text import write_csv
from bench.core.files import write_atomically
from bench.records.run import SCHEMA_VERSION, Records
from bench.report.machines import machines_table, several_machines
from bench.report.markdown import summary_markdown
from bench.report.outputs import check_outputs, write_outputs
from bench.report.page import PAGE_NAME
from bench.report.plots import draw_plots
from bench.report.results import Results
from bench.report.tables import Tables, plain_rows

FACTS_NAME = "run.json"


def write_report(folder: str | PathLike[str], outputs: Collection[str] = ()) -> Results:
    """Write run.json, epochs.csv, summary.csv, summary.md, report.html and the plots, each whole or not at all.

    outputs : what is written besides, of `bench.report.outputs.OUTPUTS`.
    A run that was interrupted is reported too: its finished attempts, and that it is not complete.
    Raises UnusableError: where the folder holds no readable records or cannot be written, or a package is missing.
    """
    check_outputs(outputs)
    results = read_report(folder)
    folder, tables = results.folder, results.tables
    write_atomically(folder / FACTS_NAME, json.dumps(run_facts(tables), indent=2) + "\n")
    write_csv(folder / "epochs.csv", tables.epochs)
    write_csv(folder / "summary.csv", tables.summary)
    if several_machines(tables.records):
        write_csv(folder / "machines.csv", machines_table(tables.records, tables.summary))
    write_atomically(folder / "summary.md", summary_markdown(tables))
    write_atomically(folder / PAGE_NAME, results.page())
    draw_plots(tables, folder)
    write_outputs(outputs, tables, folder)
    return results


def read_report(folder: str | PathLike[str]) -> Results:
    """The same without writing anything."""
    return Results(Path(folder), Tables(Records.read(Path(folder))))


def run_facts(tables: Tables) -> dict[str, Any]:
    """What was asked for, where it ran, how far it came: the essentials, the aggregate, the run records."""
    records = tables.records
    run = records.run
    found = tables.findings
    return {
        "schema_version": SCHEMA_VERSION,
        "suite_name": run.suite_name,
        "verdict": tables.verdict,
        "complete": records.complete,
        "cells": found.cells,
        "cells_finished": found.cells_finished,
        "threads": run.threads,
        "reference": run.reference,
        "backends": list(run.suite.backends),
        "seeds": {spec.name: list(spec.seeds) for spec in run.suite.specs},
        "machines": sorted({machine.title for machine in records.machines.values()}),
        "aggregate": plain_rows(tables.aggregate),
        "runs": [each.model_dump(mode="json") for each in records.runs],
    }
