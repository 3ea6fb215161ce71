"""`scratchbench noise`: trains every way of the noise floor and writes its table and plot.

Fed by the command line.
"""

from pathlib import Path

from bench.core.errors import EXIT_FAILED_BACKEND, EXIT_OK, EXIT_UNDECIDED
from bench.noise import report
from bench.noise.drift import drifts
from bench.run.runner import new_folder

ACTIVATIONS = ("relu", "tanh")
EXIT_CODES = {"no larger": EXIT_OK, "larger": EXIT_FAILED_BACKEND, "undecided": EXIT_UNDECIDED}


def noise(out: Path | None, seeds: int, examples: int) -> int:
    """Measure, write, say the verdict; the exit code.

    Raises
    ------
    UnusableError
        Where the folder cannot be used.
    """
    folder = new_folder(out, "noise")
    found = drifts(ACTIVATIONS, range(seeds), examples, folder / "workers.log", _say)
    report.write(found, folder)
    print(f"\n{report.verdict(found)}\n\ntable and plot: {folder}")
    return EXIT_CODES[report.finding(found)]


def _say(way: str) -> None:
    print(f"trained: {way}")
