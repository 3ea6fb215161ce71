"""The command that measures the gate itself.

It imports what it needs when it runs, so that `--help` answers at once.
"""

import signal
from pathlib import Path

import click

from bench.cli.group import main, names_of

EXIT_CODES = """\b
Exit codes: 0 the targets are met; 1 one is missed; 3 too few comparisons to say; 2 input or output that cannot be
used, or a side that was lost; 130 interrupted (what was finished is kept)."""


@main.command("gate-validate", epilog=EXIT_CODES)
@click.option("--quick", is_flag=True, help="Simulated from recorded pairs, in seconds: for CI.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to make.  [default: results/gate-validation-TIME]")
@click.option("--resume", is_flag=True, help="Go on with the run in --out; it may be asked for more.")
@click.option(
    "--scenario",
    callback=names_of,
    metavar="A,B",
    help="Some only: load:slowdown in per cent, with xN for N comparisons. Loads: quiet, busy, changing.",
)
@click.option("--comparisons", type=click.IntRange(1, 1_000_000), help="Of each scenario.  [default: 200, 100 or 50]")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Begin no comparison after so many.")
@click.option("--cell", help="Widths and batch size.  [default: 784-128-10:32]")
@click.option(
    "--recording",
    type=click.Path(path_type=Path),
    help="Folder of pairs that --quick draws from, as a whole run wrote it.",
)
def gate_validate(
    quick: bool,
    out: Path | None,
    resume: bool,
    scenario: tuple[str, ...] | None,
    comparisons: int | None,
    minutes: float | None,
    cell: str | None,
    recording: Path | None,
) -> int:
    """Measure how often the gate is wrong: comparisons whose right answer is known, on a quiet and a loaded machine.

    Identical sides 200 times, planted slowdowns of 2 to 20 % 100 times each, a speed-up; quiet, busy, and with a load
    that changes. A whole run takes many hours: --minutes ends it with some of each, and --resume goes on.

    \b
    Examples:
      scratchbench gate-validate --quick
      scratchbench gate-validate --minutes 60 --out results/mine
      scratchbench gate-validate --minutes 60 --out results/mine --resume
      scratchbench gate-validate --out results/mine --resume --scenario busy:5x40
      scratchbench gate-validate --scenario quiet:0,quiet:3x20,busy:5
    """
    from bench.gate_validation.command import ValidationOptions, gate_validate

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill ends like Ctrl-C: no process is left
    return gate_validate(ValidationOptions(quick, scenario, comparisons, cell, recording), out, resume, minutes)
