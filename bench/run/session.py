"""A run from start to report: what `scratchbench run` and `bench.run` do."""

import os
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.core.progress import progress_on
from bench.report.outputs import check_outputs
from bench.report.results import Results
from bench.report.write import write_report
from bench.run.request import RunRequest, new_run, resumed_run
from bench.run.runner import Trainer, execute, tasks, turns
from bench.spec import Suite


def run_and_report(
    suite: Suite | str | None,
    out: str | os.PathLike[str] | None,
    overrides: Mapping[str, Any],
    resume: bool,
    outputs: Collection[str] = (),
    trainer: AbstractContextManager[Trainer] | None = None,
) -> Results:
    """Train what is asked for, here or with that trainer, then write tables, plots, page and these outputs."""
    check_outputs(outputs)
    make = resumed_run if resume else new_run
    request = make(suite, overrides, None if out is None else Path(out))
    train(request, trainer)
    return write_report(request.folder, outputs)


def train(request: RunRequest, trainer: AbstractContextManager[Trainer] | None = None) -> None:
    """Train here, or with that trainer, with progress on stdout; every record is on disk as it happens."""
    suite, earlier = request.suite, request.earlier
    total, unit = (len(tasks(suite, earlier)), "cells") if trainer else (turns(suite, earlier), "turns")
    with progress_on(Console(), total, unit) as progress:
        execute(request.suite_name, suite, request.folder, progress, earlier, trainer)
