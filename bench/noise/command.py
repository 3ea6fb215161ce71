"""`scratchbench noise`: trains every way of the noise floor and writes its table and plot."""

from pathlib import Path

from rich.console import Console

from bench.core.errors import EXIT_FAILED_BACKEND, EXIT_OK, EXIT_UNDECIDED
from bench.core.progress import progress_on
from bench.noise import report
from bench.noise.drift import drifts
from bench.records.folder import new_folder

ACTIVATIONS = ("relu", "tanh")
EXIT_CODES = {"below": EXIT_OK, "above": EXIT_FAILED_BACKEND, "undecided": EXIT_UNDECIDED}


def noise(out: Path | None, seeds: int, examples: int) -> int:
    """Measure, write, say the verdict; the exit code.

    Raises UnusableError: where the folder cannot be used.
    """
    folder = new_folder(out, "noise")
    with progress_on(Console(), unit="ways") as progress:
        found = drifts(ACTIVATIONS, range(seeds), examples, folder / "workers.log", progress)
    report.write(found, folder)
    print(f"\n{report.verdict(found)}\n\ntable and plot: {folder}")
    return EXIT_CODES[report.finding(found)]
