"""The command of the speed gate."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from bench.cli.group import json_option, main, out_option
from bench.core.errors import UnusableError

if TYPE_CHECKING:
    from bench.gate.commands import Clock, Command
    from bench.spec import TrainingSpec

GATE_EXIT_CODES = """\b
Exit codes: 0 pass; 1 fail: slower than the tolerance; 2 input that cannot be used; 3 not decidable within the time;
4 no verdict of speed: a side is broken or ran other code, the work changed, or the gate itself failed;
130 interrupted (what was measured is kept)."""

THREADS_HELP = "Of each side: both share as many cores.  [default: 1; with --command, any core]"
COMMAND_HELP = "Time this instead; {tree} is a side's folder, {env} one for its environment. Several need names."
CLOCK_HELP = "Of a command; cpu: user and system time, not waiting."
CELL = "784-128-10:32"


def _fraction(context: click.Context, parameter: click.Parameter, value: str) -> float:
    """3 %, 3% and 0.03 are the same."""
    text = value.strip()
    try:
        fraction = float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        fraction = -1.0
    if not 0 < fraction < 1:
        raise click.BadParameter(f"{value!r}; allowed: above 0 and below 100 %, such as 3% or 0.03")
    return fraction


def _cells(context: click.Context, parameter: click.Parameter, value: str) -> "list[TrainingSpec]":
    from bench.gate.plan_files import cell_of

    try:
        return list({spec.name: spec for spec in map(cell_of, value.split(","))}.values())
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@main.command(epilog=GATE_EXIT_CODES)
@click.option("--against", required=True, metavar="REV", help="Git revision that the work tree is compared with.")
@click.option("--tolerance", default="3%", show_default=True, callback=_fraction, help="A slowdown up to it passes.")
@click.option("--cells", default=CELL, show_default=True, callback=_cells, help="Networks, with commas between.")
@click.option("--command", "texts", metavar="[NAME=]CMD", multiple=True, help=COMMAND_HELP)
@click.option("--clock", type=click.Choice(["wall", "cpu"]), default="wall", show_default=True, help=CLOCK_HELP)
@click.option("--own-clock", is_flag=True, help="The command prints the seconds to compare as its last line.")
@click.option("--same-output", is_flag=True, help="No verdict where both sides do not print the same.")
@click.option("--prepare", default="", metavar="CMD", help="Run once in each side's folder first, such as a build.")
@click.option("--minutes", type=click.FloatRange(0.1, 600), default=5.0, show_default=True, help="Budget of time.")
@click.option("--time-limit", type=click.FloatRange(0.1), default=600.0, show_default=True, help="Seconds a command.")
@click.option("--alpha", default="1%", show_default=True, callback=_fraction, help="Probability of a wrong verdict.")
@click.option("--threads", type=click.IntRange(1, 256), help=THREADS_HELP)
@json_option
@out_option("gate")
def gate(
    against: str,
    tolerance: float,
    cells: "list[TrainingSpec]",
    texts: tuple[str, ...],
    clock: "Clock",
    own_clock: bool,
    same_output: bool,
    prepare: str,
    minutes: float,
    time_limit: float,
    alpha: float,
    threads: int | None,
    as_json: bool,
    out: Path | None,
) -> int:
    """Fail where the work tree trains slower than another revision, and only there.

    Both sides train the same plan in fresh processes that take turns; a pair of processes is one observation. The gate
    measures pairs until the verdict is known. Its error is valid however often one looks. It never touches the
    checkout, branches or stash.

    \b
    Examples:
      scratchbench gate --against main
      scratchbench gate --against v0.1.0 --tolerance 5% --cells 784-128-10:32,784-512-512-10:128
      scratchbench gate --against main --command 'python {tree}/benchmark.py' --prepare 'make'
      scratchbench gate --against main --command 'fit=make -C {tree} fit' --command 'load=make -C {tree} load'
    """
    from bench.gate.command import GateOptions, gate

    commands = _commands(texts, time_limit, own_clock, same_output, threads, clock)
    options = GateOptions(against, cells, commands, prepare, tolerance, alpha, 60 * minutes, threads)
    return gate(options, as_json, out)


def _commands(
    texts: tuple[str, ...], limit: float, own_clock: bool, same_output: bool, threads: int | None, clock: "Clock"
) -> "list[Command]":
    from bench.gate.commands import Command, named

    if not texts and (own_clock or same_output or clock != "wall"):
        raise UnusableError("--clock, --own-clock and --same-output are of --command, which is missing")
    if texts and click.get_current_context().get_parameter_source("cells") is ParameterSource.COMMANDLINE:
        raise UnusableError("--cells and --command: choose one; --cells are networks of this project")
    return [Command(text, limit, own_clock, same_output, threads, name, clock) for name, text in named(texts).items()]
