"""`scratchbench speed`: rounds of fresh processes until the ratios are known to 3 %, and the tables."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench.backends import registry
from bench.backends.floors import Rate, product_rate
from bench.core import environment
from bench.core.errors import EXIT_FAILED_BACKEND, EXIT_INTERRUPTED, EXIT_OK, EXIT_UNDECIDED
from bench.core.files import temporary_folder
from bench.core.progress import Progress
from bench.data import load_dataset
from bench.inputs.splits import Inputs
from bench.records.folder import new_folder
from bench.records.run import WELL
from bench.speed import report
from bench.speed.grid import Grid, GridCell
from bench.speed.observations import Observation, Observed
from bench.speed.outcome import OURS, ROUNDS_OF_ALL, SpeedOutcome
from bench.speed.rounds import Setting, round_of

MOST_ROUNDS = 16
QUICK_ROUNDS = 2


def speed(grid: Grid, names: Sequence[str] | None, quick: bool, as_json: bool, out: Path | None) -> int:
    """Measure, write, print; the exit code.

    Raises UnusableError: where a backend is not known or the folder cannot be used.
    """
    chosen = [OURS, *(name for name in names or registry.BACKENDS if name != OURS)]
    skipped = [f"{name}: {reason}" for name in chosen if (reason := registry.missing(name))]
    usable = [name for name in chosen if not registry.missing(name)]
    folder = new_folder(out, "speed")
    interrupted, progress = False, Progress(Console(stderr=True))
    with temporary_folder("speed") as data:
        run = _Run(grid, [*usable, *registry.FLOORS], folder, data, progress)
        for line in skipped:
            progress.note(f"skipped: {line}")
        try:
            run.go_on(QUICK_ROUNDS if quick else MOST_ROUNDS)
        except KeyboardInterrupt:
            interrupted = True
    outcome = run.outcome
    if not outcome.cells:
        progress.note("interrupted before a round was finished")
        return EXIT_INTERRUPTED
    report.write(outcome, skipped, folder)
    _print(outcome, folder, as_json)
    return EXIT_INTERRUPTED if interrupted else _exit_code(outcome, quick)


def _exit_code(outcome: SpeedOutcome, quick: bool) -> int:
    lost = any(o.status not in WELL for o in outcome.observed.observations)
    if lost:
        return EXIT_FAILED_BACKEND
    return EXIT_OK if quick or all(cell.is_decided for cell in outcome.cells) else EXIT_UNDECIDED


class _Run:
    """Rounds, and what was observed in those that were finished."""

    def __init__(self, grid: Grid, names: Sequence[str], folder: Path, data: Path, progress: Progress) -> None:
        self._grid, self._names, self._folder = grid, names, folder
        dataset = load_dataset(grid.spec(grid.cells[0]).data)
        dataset.save(data)
        threads = environment.usable_cores()
        inputs = Inputs(dataset, grid.spec(grid.cells[0]))
        self._examples = len(inputs.train.labels)
        self._setting = Setting(grid, threads, data, inputs, folder, progress)
        self._started = datetime.now(UTC).isoformat(timespec="seconds")
        self._environment, self._rates = environment.describe(), dict[int, Rate]()
        self._seen: list[Observation] = []

    @property
    def outcome(self) -> SpeedOutcome:
        """What the finished rounds come to."""
        observed = Observed(
            started=self._started,
            optimizer=self._grid.optimizer,
            dtype=self._grid.dtype,
            threads=self._setting.threads,
            environment=self._environment,
            gemm_rates={number: rate.operations_per_second for number, rate in self._rates.items()},
            rate_products={number: rate.product for number, rate in self._rates.items()},
            observations=tuple(self._seen),
        )
        return SpeedOutcome(observed, self._examples)

    def go_on(self, most: int) -> None:
        """Rounds until every ratio is known well enough, or so many."""
        for number in range(1, most + 1):
            names = self._still_needed(number)
            if not names:
                return
            rate = product_rate(self._grid.dtype, self._setting.threads)
            seen = list(round_of(self._setting, number, names))
            self._rates[number] = rate
            self._seen += seen
            self.outcome.observed.save(self._folder)

    def _still_needed(self, number: int) -> dict[GridCell, Sequence[str]]:
        """The cells whose ratio is not known well enough, with the backends that may be the fastest there."""
        if number <= ROUNDS_OF_ALL:
            return dict.fromkeys(self._grid.cells, self._names)
        cells = [cell for cell in self.outcome.cells if not cell.is_decided]
        return {cell.cell: cell.contenders(self._names) for cell in cells}


def _print(outcome: SpeedOutcome, folder: Path, as_json: bool) -> None:
    if as_json:
        print(json.dumps(report.as_json(outcome), indent=1))
        return
    console = Console()
    console.print(outcome.sentence, markup=False, highlight=False, soft_wrap=True)
    for table in report.terminal_tables(outcome):
        console.print()
        console.print(table)
    for line in report.reasons(outcome):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(f"\ntables, plot and observations: {folder}", markup=False, highlight=False, soft_wrap=True)
