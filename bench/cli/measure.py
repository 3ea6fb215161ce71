"""The commands that measure: parity, the noise of float32, speed, growth, and what slows this machine.

Each command imports what it needs when it runs, so that `--help` answers at once.
"""

from collections.abc import Callable
from pathlib import Path

import click

from bench.cli.group import EXIT_CODES, backend_names, json_option, main, names_option, out_option, resume_option


def _of_grid(name: str) -> Callable[[], list[str]]:
    """The choices that `bench.speed.grid` has under that name."""

    def choices() -> list[str]:
        from bench.speed import grid

        return list(map(str, getattr(grid, name)))

    return choices


@main.command()
@click.option("--full", is_flag=True, help="Train every combination, not only every pair of values.")
@out_option("parity")
@resume_option
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes, with one thread each.  [default: usable cores]")
def parity(full: bool, out: Path | None, resume: bool, jobs: int | None) -> int:
    """Train scratchnet and Keras side by side in float64 and compare the cost of every step.

    A cell is one combination of optimizer, loss, activation, initializer, regularizer and size of the last batch. By
    default, cells are selected so that every pair of values occurs: about two minutes on two cores. --full takes more
    than half an hour.

    \b
    Examples:
      scratchbench parity
      scratchbench parity --full --out results/mine
    """
    from bench.parity.command import parity

    return parity(full, out, resume, jobs)


@main.command()
@out_option("noise")
@click.option("--seeds", type=click.IntRange(2, 1000), default=20, show_default=True, help="Number of seeds.")
@click.option(
    "--examples", type=click.IntRange(32, 60_000), default=60_000, show_default=True, help="Training examples."
)
def noise(out: Path | None, seeds: int, examples: int) -> int:
    """Measure the noise floor of float32: how far Keras drifts from itself, and scratchnet from Keras.

    It trains Keras with and without XLA, and scratchnet, each with one and with two threads, for one epoch of MNIST.
    Exit code 1: scratchnet drifts further than Keras; 3: too few seeds to say.

    \b
    Example:
      scratchbench noise --out results/noise
    """
    from bench.noise.command import noise

    return noise(out, seeds, examples)


@main.command(epilog=EXIT_CODES)
@json_option
@click.option("--quick", is_flag=True, help="Two rounds only: a first impression, with wide intervals.")
@names_option("--backends", "Measure these peers only.", backend_names)
@names_option("--architectures", "Measure only these of the grid's three.", _of_grid("ARCHITECTURES"))
@names_option("--batch-sizes", "Measure only these of the grid's three.", _of_grid("BATCH_SIZES"))
@names_option("--activations", "Activations of the hidden layers.  [default: relu]", _of_grid("ACTIVATIONS"))
@click.option("--optimizer", type=click.Choice(["sgd", "momentum", "adam"]), default="sgd", show_default=True)
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float32", show_default=True)
@out_option("speed")
def speed(
    as_json: bool,
    quick: bool,
    backends: tuple[str, ...] | None,
    architectures: tuple[str, ...] | None,
    batch_sizes: tuple[str, ...] | None,
    activations: tuple[str, ...] | None,
    optimizer: str,
    dtype: str,
    out: Path | None,
) -> int:
    """Time scratchnet beside every installed peer: three architectures at three batch sizes.

    Each round starts fresh processes, which take turns. Rounds go on until the ratio to the fastest peer of each cell
    is known to 3 %: about an hour on two quiet cores. Exit code 3: the machine was too noisy for that.

    \b
    Examples:
      scratchbench speed
      scratchbench speed --quick --json
      scratchbench speed --optimizer adam --architectures 784-128-10
      scratchbench speed --activations sigmoid,tanh,gelu,silu --architectures 784-128-10 --batch-sizes 128
    """
    from bench.speed.command import speed
    from bench.speed.grid import ARCHITECTURES, BATCH_SIZES, RELU, Grid

    grid = Grid(
        architectures=architectures or tuple(ARCHITECTURES),
        batch_sizes=tuple(map(int, batch_sizes or BATCH_SIZES)),
        activations=activations or (RELU,),
        optimizer=optimizer,
        dtype=dtype,
    )
    return speed(grid, backends, quick, as_json, out)


@main.command(epilog=EXIT_CODES)
@click.option("--quick", is_flag=True, help="Measure few values, scratchnet and two fast peers: about two minutes.")
@names_option("--backends", "Measure these backends only.")
@names_option("--axes", "Measure these axes only: width, depth, batch, examples, threads, dtype, memmap, accuracy.")
@out_option("scaling")
@resume_option
def scaling(
    quick: bool, backends: tuple[str, ...] | None, axes: tuple[str, ...] | None, out: Path | None, resume: bool
) -> int:
    """Measure how seconds and memory grow with each size of a training, and the time to an accuracy.

    It takes about half an hour on two cores. The results stand beside their floors, and each line has its exponent.

    \b
    Examples:
      scratchbench scaling --quick
      scratchbench scaling --axes width,batch --backends scratchnet,jax-scan
      scratchbench scaling --out results/mine --resume
    """
    from bench.scaling.command import scaling

    return scaling(quick, out, resume, backends, axes)


@main.command()
@json_option
def doctor(as_json: bool) -> int:
    """Find what slows this machine, what each cause costs, and the remedy.

    It checks for forced or wrong BLAS kernels, two BLAS pools, threads, frequency scaling, container limits, a busy
    neighbour, the timer and memory. Exit code 0: no warning; 1: a warning, whose remedy is worth it; 2: nothing can be
    trained here.

    \b
    Examples:
      scratchbench doctor
      env -u OPENBLAS_CORETYPE scratchbench doctor --json
    """
    from bench.doctor.command import doctor

    return doctor(as_json)
