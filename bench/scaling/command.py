"""`scratchbench scaling`: runs the measurements in a folder, writes the report, returns the exit code."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from bench.core import environment
from bench.core.errors import EXIT_FAILED_BACKEND, EXIT_INTERRUPTED, EXIT_OK, UnusableError
from bench.core.progress import progress_on
from bench.records.folder import new_folder, resumed_folder
from bench.records.log import RECORDS_NAME, has_records
from bench.records.run import WELL
from bench.scaling import report
from bench.scaling.measure import measure
from bench.scaling.options import ScalingOptions
from bench.scaling.records import ScalingRecords

Names = Sequence[str] | None


def scaling(quick: bool, out: Path | None, resume: bool, backends: Names, axes: Names) -> int:
    """Measure, report, say the finding; the exit code.

    Raises UnusableError: where options or folder cannot be used.
    """
    options = ScalingOptions.new(quick, axes, backends, environment.usable_cores())
    folder, earlier = _resumed(out) if resume else (new_folder(out, "scaling"), None)
    if earlier is not None:
        given = quick or axes is not None or backends is not None
        begun = ScalingOptions.of_run(earlier.run)
        if given and (options.quick, options.parts, options.backends) != (begun.quick, begun.parts, begun.backends):
            raise UnusableError(f"{folder}: was begun with other options; resume it without options, or start anew")
        options = begun
    try:
        with progress_on(Console(), unit="parts") as progress:
            measure(options, folder, progress, earlier)
    except KeyboardInterrupt:
        _report(folder)
        click.echo(f"interrupted; go on with: scratchbench scaling --out {folder} --resume", err=True)
        return EXIT_INTERRUPTED
    return EXIT_OK if _report(folder) else EXIT_FAILED_BACKEND


def _resumed(out: Path | None) -> tuple[Path, ScalingRecords | None]:
    """The folder, and what it holds: nothing where the run was killed before its first record."""
    folder = resumed_folder(out)
    return folder, ScalingRecords.read(folder) if has_records(folder) else None


def _report(folder: Path) -> bool:
    """Write and print the report; whether all went well."""
    if not (folder / RECORDS_NAME).exists():
        print("nothing was measured")
        return True
    records = ScalingRecords.read(folder)
    print(f"\n{report.write(records, folder)}\n\ntables and plots: {folder}")
    statuses = [record.status for kind in (records.points, records.accuracies, records.memmaps) for record in kind]
    return all(status in WELL for status in statuses)
