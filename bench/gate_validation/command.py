"""`scratchbench gate-validate`: compares, writes the report, says how to end.

Fed by the command line.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench.core import environment
from bench.core.errors import EXIT_FAILED_BACKEND, EXIT_INTERRUPTED, EXIT_OK, EXIT_UNDECIDED, UnusableError
from bench.core.text import one_line
from bench.gate.decision import Rule
from bench.gate.plan_files import cell_of
from bench.gate.tree_pairs import planted_pairs
from bench.gate_validation import report
from bench.gate_validation.comparison import BUDGET_SECONDS
from bench.gate_validation.machine import RealMachine
from bench.gate_validation.measure import Limit, Machine, Measurement
from bench.gate_validation.progress import watch_on
from bench.gate_validation.recording import REFERENCE, Recording
from bench.gate_validation.records import MOST_COMPARISONS, Records, RunRecord, planned
from bench.gate_validation.scenarios import SCENARIOS, Scenario, asked_for
from bench.gate_validation.simulated import SimulatedMachine
from bench.gate_validation.targets import State
from bench.records.log import RECORDS_NAME, RecordLog
from bench.run.runner import new_folder

SEED = 0
CELL = "784-128-10:32"
SIMULATED_LINES = 250
EXIT_CODES: dict[State, int] = {
    "holds": EXIT_OK,
    "met": EXIT_OK,
    "missed": EXIT_FAILED_BACKEND,
    "too few": EXIT_UNDECIDED,
}


@dataclass(frozen=True)
class ValidationOptions:
    """What the command line asks for; None where nothing was said."""

    quick: bool = False
    scenarios: Sequence[str] | None = None
    comparisons: int | None = None
    cell: str | None = None
    recording: Path | None = None

    @property
    def something_else(self) -> bool:
        """Whether an option was given that only a new run takes."""
        return self.quick or self.cell is not None or self.recording is not None


def gate_validate(asked: ValidationOptions, out: Path | None, resume: bool, minutes: float | None) -> int:
    """Compare, report, say the verdict; the exit code.

    Raises
    ------
    UnusableError
        Where options, recording or folder cannot be used, or a side is lost; whatever was finished is kept.
    """
    earlier = _resumed(out, asked) if resume else None
    run, machine, setup = _begin(asked) if earlier is None else _go_on(earlier.run, asked)
    folder = new_folder(out, report.NAME) if earlier is None or out is None else out
    interrupted = False
    try:
        with RecordLog(folder) as log, watch_on(Console(), SIMULATED_LINES if run.simulated else 1) as watch:
            log.write(run)
            if isinstance(machine, RealMachine):
                watch.note("measuring what planted work costs")
                machine.prepare()
            measurement = Measurement(Records.read(folder), machine, setup, watch)
            measurement.go_on(log.write, Limit(None if minutes is None else 60 * minutes))
    except KeyboardInterrupt:
        interrupted = True
    return _finish(folder, interrupted)


def _finish(folder: Path, interrupted: bool) -> int:
    found = report.write(Records.read(folder), folder)
    print(f"\n{found.verdict}\n\ntables, plot and comparisons: {folder}")
    if interrupted:
        click.echo(f"interrupted; go on with: scratchbench gate-validate --out {folder} --resume", err=True)
        return EXIT_INTERRUPTED
    return EXIT_CODES[found.state]


def _resumed(out: Path | None, asked: ValidationOptions) -> Records:
    if out is None or not (out / RECORDS_NAME).is_file():
        raise UnusableError("--resume needs --out DIR, the folder of the run to go on with")
    if asked.something_else:
        allowed = "--minutes, --scenario and --comparisons"
        raise UnusableError(f"{out}: a run is resumed as it was begun; allowed beside --resume: {allowed}")
    return Records.read(out)


def _begin(asked: ValidationOptions) -> tuple[RunRecord, Machine, float | None]:
    """The first record, where pairs come from, and the seconds before the first pair where those are not measured."""
    recording = _recording(asked)
    cell = _cell(asked, recording)
    run = RunRecord(
        cell=cell,
        simulated=recording is not None,
        recording="" if recording is None else str(asked.recording or REFERENCE),
        recorded_on="" if recording is None else str(recording.origin.environment.get("cpu_model", "")),
        plan=planned(_counts(asked)),
        tolerance=Rule().tolerance,
        alpha=Rule().alpha,
        budget_seconds=BUDGET_SECONDS,
        seed=SEED,
        **_here_and_now(),
    )
    return run, *_machine(run, recording)


def _go_on(run: RunRecord, asked: ValidationOptions) -> tuple[RunRecord, Machine, float | None]:
    """What the run was begun with or, where some was asked for, with that besides."""
    counts = run.counts if asked.scenarios is None and asked.comparisons is None else _counts(asked, run.counts)
    session = run.with_counts(counts).model_copy(update=_here_and_now())
    return session, *_machine(run, Recording.read(Path(run.recording)) if run.simulated else None)


def _here_and_now() -> dict[str, Any]:
    return {"started": datetime.now(UTC).isoformat(timespec="seconds"), "environment": environment.describe()}


def _machine(run: RunRecord, recording: Recording | None) -> tuple[Machine, float | None]:
    if recording is None:
        return RealMachine(planted_pairs, run.cell), None
    return SimulatedMachine(recording), recording.origin.setup_seconds


def _recording(asked: ValidationOptions) -> Recording | None:
    if not asked.quick:
        if asked.recording is not None:
            raise UnusableError("--recording is what --quick draws from; give both, or none")
        return None
    recording = Recording.read(asked.recording or REFERENCE)
    for state in ("quiet", "busy"):
        if state == "quiet" or any(scenario.load != "quiet" for scenario in _counts(asked)):
            recording.of_state(state)
    return recording


def _cell(asked: ValidationOptions, recording: Recording | None) -> str:
    """The cell asked for; a recording has its own."""
    if recording is not None:
        if asked.cell not in (None, recording.origin.cell):
            raise UnusableError(f"--cell {asked.cell}: the recording is of {recording.origin.cell}")
        return recording.origin.cell
    cell = asked.cell or CELL
    try:
        cell_of(cell)
    except ValueError as error:
        raise UnusableError(f"--cell {error}") from None
    return cell


def _counts(asked: ValidationOptions, otherwise: Iterable[Scenario] = SCENARIOS) -> dict[Scenario, int]:
    """Scenario → comparisons: its own number, `quiet:3x20`, or that for all, or what the proof asks for.

    otherwise : the scenarios where none is named.
    """
    texts = map(str, otherwise) if asked.scenarios is None else asked.scenarios
    counts = {}
    for text in texts:
        name, times, own = text.partition("x")
        scenario = Scenario.parse(name)
        counts[scenario] = _count(own, text) if times else asked.comparisons or asked_for(scenario.percent)
    return counts


def _count(number: str, text: str) -> int:
    count = int(number) if number.isascii() and number.isdigit() else 0
    if not 1 <= count <= MOST_COMPARISONS:
        allowed = f"a number of comparisons from 1 to {MOST_COMPARISONS:,} after the x, such as quiet:3x20"
        raise UnusableError(f"scenario {one_line(text, 60)!r}; allowed: {allowed}")
    return count
