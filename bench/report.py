"""Everything that is derived from a run's records, written beside them; made again, it is the same.

Fed by the records of a run folder; feeds people, and whatever compares runs.
"""

import json
from pathlib import Path
from typing import Any

from bench.csv_text import csv_text
from bench.files import write_atomically
from bench.plots import draw_plots
from bench.records import SCHEMA_VERSION, Records
from bench.tables import epochs_table, summary_markdown, summary_table, verdict


def write_report(folder: Path) -> Records:
    """Write run.json, epochs.csv, summary.csv, summary.md and the plots to a run folder, each whole or not at all.

    A run that was interrupted is reported too: its finished attempts, and that it is not complete.

    Returns
    -------
    The records that all this was made from.

    Raises
    ------
    UnusableError
        Where the folder holds no readable records or cannot be written.
    """
    records = Records.read(folder)
    texts = {
        "run.json": json.dumps(run_facts(records), indent=2) + "\n",
        "epochs.csv": csv_text(epochs_table(records)),
        "summary.csv": csv_text(summary_table(records)),
        "summary.md": summary_markdown(records),
    }
    for name, text in texts.items():
        write_atomically(folder / name, text)
    draw_plots(records, folder)
    return records


def run_facts(records: Records) -> dict[str, Any]:
    """What was asked for, where it ran, how far it came: first the essentials, then the run records themselves."""
    run = records.run
    cells = {(spec.name, seed) for spec in run.suite.specs for seed in spec.seeds}
    return {
        "schema_version": SCHEMA_VERSION,
        "suite_name": run.suite_name,
        "verdict": verdict(records),
        "complete": records.complete,
        "cells": len(cells),
        "cells_finished": len(cells & records.finished_cells),
        "threads": run.threads,
        "reference": run.reference,
        "backends": list(run.suite.backends),
        "seeds": {spec.name: list(spec.seeds) for spec in run.suite.specs},
        "runs": [each.model_dump(mode="json") for each in records.runs],
    }
