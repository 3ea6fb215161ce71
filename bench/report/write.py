"""Everything that is derived from a run's records, written beside them; made again, it is the same.

Fed by the records of a run folder; feeds people, and whatever compares runs.
"""

import json
from pathlib import Path
from typing import Any

from bench.core.csv_text import write_csv
from bench.core.files import write_atomically
from bench.records.run import SCHEMA_VERSION, Records
from bench.report.plots import draw_plots
from bench.report.tables import Tables, summary_markdown, tables_of, verdict


def write_report(folder: Path) -> Tables:
    """Write run.json, epochs.csv, summary.csv, summary.md and the plots to a run folder, each whole or not at all.

    A run that was interrupted is reported too: its finished attempts, and that it is not complete.

    Returns
    -------
    The tables, so that whoever prints them need not make them again.

    Raises
    ------
    UnusableError
        Where the folder holds no readable records or cannot be written.
    """
    tables = tables_of(Records.read(folder))
    write_atomically(folder / "run.json", json.dumps(run_facts(tables), indent=2) + "\n")
    write_csv(folder / "epochs.csv", tables.epochs)
    write_csv(folder / "summary.csv", tables.summary)
    write_atomically(folder / "summary.md", summary_markdown(tables))
    draw_plots(tables, folder)
    return tables


def run_facts(tables: Tables) -> dict[str, Any]:
    """What was asked for, where it ran, how far it came: first the essentials, then the run records themselves."""
    records = tables.records
    run = records.run
    cells = {(spec.name, seed) for spec in run.suite.specs for seed in spec.seeds}
    return {
        "schema_version": SCHEMA_VERSION,
        "suite_name": run.suite_name,
        "verdict": verdict(tables),
        "complete": records.complete,
        "cells": len(cells),
        "cells_finished": len(cells & records.finished_cells),
        "threads": run.threads,
        "reference": run.reference,
        "backends": list(run.suite.backends),
        "seeds": {spec.name: list(spec.seeds) for spec in run.suite.specs},
        "runs": [each.model_dump(mode="json") for each in records.runs],
    }
