"""The commands around a run: train a suite, report a run again, merge runs, list what a suite and its data may be.

Each command imports what it needs when it runs, so that `--help` answers at once.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bench.cli.group import EXIT_CODES, PATH, Command, main, names_option, out_option, resume_option
from bench.core.errors import EXIT_FAILED_BACKEND, EXIT_INTERRUPTED, EXIT_OK, UnusableError
from bench.core.text import one_line

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bench.report.results import Results
    from bench.run.request import RunRequest
    from bench.run.runner import Trainer

Numbers = TypeVar("Numbers", int, tuple[int, ...])


def _epochs(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    return _numbers("epochs", value, int)


def _seeds(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    return _numbers("seeds", value, lambda text: tuple(int(part) for part in text.split(",")))


def _numbers(option: str, value: str | None, read: Callable[[str], Numbers]) -> Numbers | None:
    """What `read` makes of the text; the suite says whether it is allowed."""
    try:
        return read(value) if value is not None else None
    except ValueError:
        from bench.run.request import ALLOWED

        raise UnusableError(f"--{option}: {one_line(value, 120)!r}; allowed: {ALLOWED[option]}") from None


OUTPUTS = {
    "pdf": "Write every plot as PDF too.",
    "parquet": "Write epochs.parquet and summary.parquet too.",
    "tensorboard": "Write the scalars of every process for TensorBoard too.",
}


def output_options(command: Command) -> Command:
    """A flag for each of `OUTPUTS`."""
    for name, text in reversed(OUTPUTS.items()):
        command = click.option(f"--{name}", is_flag=True, help=text)(command)
    return command


def _asked(flags: Mapping[str, bool]) -> tuple[str, ...]:
    return tuple(name for name, asked in flags.items() if asked)


@main.command(epilog=EXIT_CODES)
@click.argument("suite", required=False)
@names_option("--backends", "Train these backends only.")
@click.option("--epochs", callback=_epochs, metavar="N", help="Epochs of every spec; the first is a warm-up.")
@click.option("--seeds", callback=_seeds, metavar="0,1,2", help="Seeds of every spec.")
@out_option("SUITE")
@resume_option
@click.option(
    "--on",
    metavar="CLUSTER",
    help="Spread the cells over machines: local, a scheduler's address, its scheduler.json, or a cluster.toml.",
)
@click.option("--accuracy-only", is_flag=True, help="With --on: several cells at once per node; times do not count.")
@output_options
def run(
    suite: str | None,
    backends: tuple[str, ...] | None,
    epochs: int | None,
    seeds: tuple[int, ...] | None,
    out: Path | None,
    resume: bool,
    on: str | None,
    accuracy_only: bool,
    **outputs: bool,
) -> int:
    """Train every spec of SUITE with every backend, and write records, tables, plots and a page to a run folder.

    SUITE is a shipped name (quick, standard, founding; default quick) or a TOML file.

    \b
    Examples:
      scratchbench run
      scratchbench run standard --backends scratchnet,keras-fit --seeds 0,1,2,3,4
      scratchbench run standard --out results/mine
      scratchbench run --out results/mine --resume
      scratchbench run standard --on cluster.toml
    """
    from bench.cluster.trainer import trainer_of
    from bench.report.outputs import check_outputs
    from bench.run import request

    check_outputs(_asked(outputs))
    trainer = trainer_of(on, accuracy_only)
    overrides = {"backends": backends, "epochs": epochs, "seeds": seeds}
    make = request.resumed_run if resume else request.new_run
    return _train(make(suite, overrides, out), trainer, _asked(outputs))


def _train(request: "RunRequest", trainer: "AbstractContextManager[Trainer] | None", outputs: tuple[str, ...]) -> int:
    """Train and report, the report also where the run was interrupted; the exit code."""
    from bench.run.session import train

    try:
        train(request, trainer)
    except KeyboardInterrupt:
        if not request.folder.exists():
            click.echo("interrupted before anything was trained", err=True)
            return EXIT_INTERRUPTED
        _print_report(request.folder, outputs)
        click.echo(f"interrupted; go on with: scratchbench run --out {request.folder} --resume", err=True)
        return EXIT_INTERRUPTED
    results = _print_report(request.folder, outputs)
    if results.ok:
        return EXIT_OK
    if results.complete:
        click.echo("a backend has no result; --resume does not train it again: start a new run", err=True)
    else:
        click.echo(
            f"cells were given up; try them again with: scratchbench run --out {request.folder} --resume", err=True
        )
    return EXIT_FAILED_BACKEND


def _print_report(folder: Path, outputs: tuple[str, ...] = ()) -> "Results":
    """Write tables, plots and page; print the verdict, the table and the warnings.

    A terminal gets lines that wrap between words. A pipe or a file gets each sentence on one line, so that `grep`
    finds it whole.
    """
    from rich.console import Console

    from bench.report.page import PAGE_NAME
    from bench.report.terminal import terminal_table
    from bench.report.write import write_report

    results, console = write_report(folder, outputs), Console()
    say = partial(console.print, markup=False, highlight=False, soft_wrap=not console.is_terminal)
    say(f"\n{results.verdict}\n")
    console.print(terminal_table(results.tables))
    for line in results.warnings:
        say(f"warning: {line}")
    where = f"\ntables, plots and records: {folder}\npage: {folder / PAGE_NAME}"
    console.print(where, markup=False, highlight=False, soft_wrap=True)
    return results


@main.command()
@click.argument("folder", type=PATH)
@output_options
def report(folder: Path, **outputs: bool) -> None:
    """Make the tables, the plots and the page of the run in FOLDER again, from its records.

    \b
    Examples:
      scratchbench report results/reference/standard
      scratchbench report results/mine --pdf --parquet --tensorboard
    """
    _print_report(folder, _asked(outputs))


@main.command()
@click.argument("folders", nargs=-1, required=True, type=PATH)
@click.option("--out", type=PATH, help="Folder to create.  [default: results/SUITE-merged-TIME]")
def merge(folders: tuple[Path, ...], out: Path | None) -> None:
    """Put the finished cells of the runs in FOLDERS into one run, and report it.

    A cell that several runs hold with the same records counts once. Runs that do not fit together are refused:
    the message names what differs.

    \b
    Example:
      scratchbench merge results/monday results/tuesday --out results/both
    """
    from bench.run.merge import merge

    folder, repeated = merge(folders, out)
    _print_report(folder)
    if repeated:
        print(f"{repeated} equal cells were in more than one run; each counts once")


@main.command()
def schema() -> None:
    """Print the JSON Schema of suite files, for completion in an editor.

    \b
    Example:
      scratchbench schema > suite.schema.json
    """
    import json

    from bench.spec import suite_schema

    print(json.dumps(suite_schema(), indent=2))


@main.group(invoke_without_command=True)
@click.pass_context
def data(context: click.Context) -> None:
    """List the data that a spec can name, or prepare a TFDS set.

    \b
    Examples:
      scratchbench data
      scratchbench data prepare
    """
    if context.invoked_subcommand is None:
        from bench.data.available import available

        for name, where, state in available():
            print(f"{name:24} {state}\n{'':24} {where}")


@data.command()
@click.option("--data-dir", type=PATH, help="Folder where TFDS keeps its data sets.  [default: TFDS's own]")
def prepare(data_dir: Path | None) -> None:
    """Build the TFDS form of MNIST from the shipped files, without a download. Then `tfds:mnist` can be read."""
    from bench.data.prepare import prepare_mnist

    print(f"tfds:mnist is prepared in {prepare_mnist(data_dir)}")
