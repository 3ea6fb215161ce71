"""A run from start to report: what `scratchbench run` and `bench.run` do."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.core.progress import progress_on
from bench.report.outputs import check_outputs
from bench.report.results import Results
from bench.report.write import write_report
from bench.run.request import RunRequest, new_run, resumed_run
from bench.run.runner import execute, turns
from bench.spec import Suite


def run_and_report(
    suite: Suite | str | None,
    out: str | os.PathLike[str] | None,
    overrides: Mapping[str, Any],
    resume: bool,
    outputs: Collection[str] = (),
) -> Results:
    """Train what is asked for, then write tables, plots, page and these outputs."""
    check_outputs(outputs)
    make = resumed_run if resume else new_run
    request = make(suite, overrides, None if out is None else Path(out))
    train(request)
    return write_report(request.folder, outputs)


def train(request: RunRequest) -> None:
    """Train, with progress on stdout; every record is on disk as it happens."""
    with progress_on(Console(), turns(request.suite, request.earlier)) as progress:
        execute(request.suite_name, request.suite, request.folder, progress, request.earlier)
