"""The command line: reads arguments, calls one function of the project, prints what it returns.

Fed by a person or a CI job. Each command imports what it needs when it runs, so that `--help` answers at once.
"""

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.errors import EXIT_FAILED_BACKEND, EXIT_INTERRUPTED, EXIT_OK, EXIT_UNUSABLE, UnusableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.records import Records
    from bench.request import RunRequest

EXIT_CODES = """\b
Exit codes: 0 all went well; 1 a backend failed, was killed, timed out, diverged or is not comparable;
2 input or output that cannot be used; 130 interrupted (what was finished is kept)."""


class _OneLineErrors(click.Group):
    """Every complaint is one line on stderr."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
        except (UnusableError, click.ClickException) as error:
            message = error.format_message() if isinstance(error, click.ClickException) else str(error)
            click.echo(f"error: {' '.join(message.split())}", err=True)
            code = EXIT_UNUSABLE
        except (KeyboardInterrupt, click.Abort):
            code = EXIT_INTERRUPTED
        except BrokenPipeError:  # `| head`: nobody reads on, and Python would complain once more when it flushes
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = EXIT_UNUSABLE
        except OSError as error:  # a full disk or a folder that went away, wherever nothing nearer said it better
            click.echo(f"error: {error.filename or 'input or output'}: {error.strerror or error}", err=True)
            code = EXIT_UNUSABLE
        sys.exit(code or EXIT_OK)


@click.group(cls=_OneLineErrors, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="scratchnet")
def main() -> None:
    """Train a network written from scratch in NumPy and the same network in Keras, and compare them honestly.

    \b
    Examples:
      python -m bench run                       the default suite, under two minutes
      python -m bench run standard              nine cells, three seeds each
      python -m bench run my.toml --out mine    a suite of your own
      python -m bench report results/quick-...  tables and plots again, from the records
    """


def _names(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    return tuple(part.strip() for part in value.split(",")) if value is not None else None


def _seeds(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    try:
        return tuple(int(part) for part in value.split(",")) if value is not None else None
    except ValueError:
        raise click.BadParameter(f"{value!r}; allowed: whole numbers with commas between, such as 0,1,2") from None


@main.command(epilog=EXIT_CODES)
@click.argument("suite", required=False)
@click.option("--backends", callback=_names, metavar="A,B", help="Train these backends only.")
@click.option("--epochs", type=int, help="Epochs of every spec; the first is a warm-up.")
@click.option("--seeds", callback=_seeds, metavar="0,1,2", help="Seeds of every spec.")
@click.option("--out", type=click.Path(path_type=Path), help="Run folder to make.  [default: results/SUITE-TIME]")
@click.option("--resume", is_flag=True, help="Go on with the run in --out: only what has not finished is trained.")
def run(
    suite: str | None,
    backends: tuple[str, ...] | None,
    epochs: int | None,
    seeds: tuple[int, ...] | None,
    out: Path | None,
    resume: bool,
) -> None:
    """Train every spec of SUITE with every backend, and write records, tables and plots to a run folder.

    SUITE is a shipped name (quick, standard, founding; default quick) or a TOML file.

    \b
    Examples:
      python -m bench run
      python -m bench run standard --backends scratchnet,keras-fit --seeds 0,1,2,3,4
      python -m bench run standard --out results/mine
      python -m bench run --out results/mine --resume
    """
    from bench import request

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill ends like Ctrl-C: no worker is left
    overrides = {"backends": backends, "epochs": epochs, "seeds": seeds}
    make = request.resumed_run if resume else request.new_run
    sys.exit(_train(make(suite, overrides, out)))


def _train(asked: "RunRequest") -> int:
    """Train and report, the report also where the run was interrupted; the exit code."""
    from rich.console import Console

    from bench import runner
    from bench.progress import progress_for

    try:
        with progress_for(Console(), runner.turns(asked.suite, asked.earlier)) as progress:
            runner.execute(asked.suite_name, asked.suite, asked.folder, progress, asked.earlier)
    except KeyboardInterrupt:
        if not asked.folder.exists():
            click.echo("interrupted before anything was trained", err=True)
            return EXIT_INTERRUPTED
        _print_report(asked.folder)
        click.echo(f"interrupted; go on with: python -m bench run --out {asked.folder} --resume", err=True)
        return EXIT_INTERRUPTED
    records = _print_report(asked.folder)
    well = all(result.status in ("ok", "skipped") for result in records.results)
    return EXIT_OK if well else EXIT_FAILED_BACKEND


def _print_report(folder: Path) -> "Records":
    """Write tables and plots, print the verdict and the table."""
    from rich.console import Console

    from bench.report import write_report
    from bench.tables import terminal_table, verdict

    records, console = write_report(folder), Console()
    console.print(f"\n{verdict(records)}\n", markup=False, highlight=False, soft_wrap=True)
    console.print(terminal_table(records))
    console.print(f"\ntables, plots and records: {folder}", markup=False, highlight=False, soft_wrap=True)
    return records


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def report(folder: Path) -> None:
    """Make the tables and plots of the run in FOLDER again, from its records.

    \b
    Example:
      python -m bench report results/reference/standard
    """
    _print_report(folder)


@main.command()
@click.option("--full", is_flag=True, help="Every combination, not only every pair of values.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to make.  [default: results/parity-TIME]")
@click.option("--resume", is_flag=True, help="Go on with the matrix in --out.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes of one thread each.  [default: usable cores]")
def parity(full: bool, out: Path | None, resume: bool, jobs: int | None) -> None:
    """Train scratchnet and Keras side by side in float64 and compare the cost of every step.

    A cell is one combination of optimizer, loss, activation, initializer, regularizer and size of the last batch. A
    selection in which all pairs of values meet takes about two minutes on two cores, --full more than half an hour.

    \b
    Examples:
      python -m bench parity
      python -m bench parity --full --out results/mine
    """
    from bench.parity.command import parity

    sys.exit(parity(full, out, resume, jobs))


@main.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder to make.  [default: results/noise-TIME]")
@click.option("--seeds", type=click.IntRange(2, 1000), default=20, show_default=True, help="Number of seeds.")
@click.option(
    "--examples",
    type=click.IntRange(32, 60_000),
    default=60_000,
    show_default=True,
    help="Training examples.",
)
def noise(out: Path | None, seeds: int, examples: int) -> None:
    """Measure the noise floor of float32: how far Keras drifts from itself, and scratchnet from Keras.

    Keras with and without XLA, with one thread and two, beside scratchnet with one and two, over an epoch of MNIST.
    Exit code 1: scratchnet drifts further than Keras; 3: too few seeds to say.

    \b
    Example:
      python -m bench noise --out results/noise
    """
    from bench.noise.command import noise

    sys.exit(noise(out, seeds, examples))


def _one_of(allowed: "Callable[[], Sequence[str]]") -> "Callable[..., tuple[str, ...] | None]":
    """Names with commas between, each of them allowed."""

    def read(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
        names = _names(context, parameter, value)
        for name in names or ():
            if name not in allowed():
                raise click.BadParameter(f"{name!r}; allowed: {', '.join(allowed())}")
        return names

    return read


def _backend_names() -> list[str]:
    from bench.backend import BACKENDS

    return list(BACKENDS)


def _architectures() -> list[str]:
    from bench.speed.grid import ARCHITECTURES

    return list(ARCHITECTURES)


@main.command(epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="The cells as JSON, alone on stdout.")
@click.option("--quick", is_flag=True, help="Two rounds only: a first impression, with wide intervals.")
@click.option("--backends", callback=_one_of(_backend_names), metavar="A,B", help="Measure these peers only.")
@click.option("--architectures", callback=_one_of(_architectures), metavar="A,B", help="Some of the grid's three only.")
@click.option("--optimizer", type=click.Choice(["sgd", "momentum", "adam"]), default="sgd", show_default=True)
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float32", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Folder to make.  [default: results/speed-TIME]")
def speed(
    as_json: bool,
    quick: bool,
    backends: tuple[str, ...] | None,
    architectures: tuple[str, ...] | None,
    optimizer: str,
    dtype: str,
    out: Path | None,
) -> None:
    """Time scratchnet beside every installed peer: three architectures at three batch sizes.

    Rounds of fresh processes that take turns, until the ratio to the fastest peer of each cell is known to 3 %: about
    half an hour on two quiet cores. Exit code 3: the machine was too noisy for that.

    \b
    Examples:
      python -m bench speed
      python -m bench speed --quick --json
      python -m bench speed --optimizer adam --architectures 784-128-10
    """
    from bench.speed.command import speed
    from bench.speed.grid import ARCHITECTURES, Grid

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill ends like Ctrl-C: no worker is left
    grid = Grid(architectures or tuple(ARCHITECTURES), optimizer=optimizer, dtype=dtype)
    sys.exit(speed(grid, backends, quick, as_json, out))


@main.command(epilog=EXIT_CODES)
@click.option("--quick", is_flag=True, help="Few values, scratchnet and two fast peers: about two minutes.")
@click.option("--backends", callback=_names, metavar="A,B", help="Measure these backends only.")
@click.option(
    "--axes", callback=_names, metavar="A,B", help="width, depth, batch, examples, threads, dtype, memmap, accuracy."
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder to make.  [default: results/scaling-TIME]")
@click.option("--resume", is_flag=True, help="Go on with the run in --out: only what has no record is measured.")
def scaling(
    quick: bool, backends: tuple[str, ...] | None, axes: tuple[str, ...] | None, out: Path | None, resume: bool
) -> None:
    """Measure how seconds and memory grow with each size of a training, and the time to an accuracy.

    About half an hour on two cores. Everything is beside its floors, each line with its fitted exponent.

    \b
    Examples:
      python -m bench scaling --quick
      python -m bench scaling --axes width,batch --backends scratchnet,jax-scan
      python -m bench scaling --out results/mine --resume
    """
    from bench.scaling.command import scaling

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill ends like Ctrl-C: no worker is left
    sys.exit(scaling(quick, out, resume, backends, axes))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON, alone on stdout.")
def doctor(as_json: bool) -> None:
    """Say what this machine could do and does not, what each thing costs, and the remedy.

    Forced or wrong BLAS kernels, two BLAS pools, threads, frequency scaling, container limits, a busy neighbour, the
    timer, memory. Exit code 0: no warning; 1: a warning, whose remedy is worth it; 2: nothing can be trained here.

    \b
    Examples:
      python -m bench doctor
      env -u OPENBLAS_CORETYPE python -m bench doctor --json
    """
    from bench.doctor.command import doctor

    sys.exit(doctor(as_json))


@main.command()
def schema() -> None:
    """Print the JSON Schema of a suite file, so that an editor can complete one.

    \b
    Example:
      python -m bench schema > suite.schema.json
    """
    import json

    from bench.spec import suite_schema

    click.echo(json.dumps(suite_schema(), indent=2))


@main.group(invoke_without_command=True)
@click.pass_context
def data(context: click.Context) -> None:
    """List the data that a spec can name, or prepare a TFDS set.

    \b
    Examples:
      python -m bench data
      python -m bench data prepare
    """
    if context.invoked_subcommand is None:
        from bench.data.available import available

        for name, where, state in available():
            click.echo(f"{name:24} {state}\n{'':24} {where}")


@data.command()
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where TFDS looks.  [default: TFDS's own]")
def prepare(data_dir: Path | None) -> None:
    """Build the TFDS form of MNIST from the shipped files, without a network: then `tfds:mnist` can be read."""
    from bench.data.prepare import prepare_mnist

    click.echo(f"tfds:mnist is prepared in {prepare_mnist(data_dir)}")
