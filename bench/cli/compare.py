"""The command that compares two runs.

It imports what it needs when it runs, so that `--help` answers at once.
"""

from pathlib import Path

import click

from bench.cli.group import PATH, main, names_option

EXIT_CODES = """\b
Exit codes: 0 B is within tolerance (shown to be equivalent, or better); 1 B is worse by more than that;
2 input or output that cannot be used, or nothing to compare; 3 not decidable with these data."""


@main.command(epilog=EXIT_CODES)
@click.argument("a", type=PATH)
@click.argument("b", type=PATH)
@click.option(
    "--format", "form", type=click.Choice(["table", "markdown", "json", "html"]), default="table", show_default=True
)
@click.option("--out", type=PATH, help="File to write.  [default: stdout; html: compare.html]")
@names_option(
    "--fail-on",
    "Quantities that decide the exit code: accuracy, cost, speed; for a regression r2, mae, rmse, not accuracy.",
    lambda: ["accuracy", "r2", "cost", "mae", "rmse", "speed"],
    default="accuracy,r2,cost",
    show_default=True,
)
@click.option(
    "--tolerance",
    multiple=True,
    metavar="NAME=VALUE",
    help="How much worse B may be; repeatable.  [default: accuracy=0.5 (points), r2=0.01, cost=2%, mae=2%, rmse=2%, "
    "speed=5%]",
)
@names_option(
    "--allow-different",
    "Compare specs even if these fields differ, such as optimizer or batch_size. Speed is then not compared.",
    metavar="FIELD,...",
)
def compare(
    a: Path,
    b: Path,
    form: str,
    out: Path | None,
    fail_on: tuple[str, ...],
    tolerance: tuple[str, ...],
    allow_different: tuple[str, ...] | None,
) -> int:
    """Say whether B, the candidate, is as good as A, the baseline: accuracy, cost, answers, speed.

    A and B are run folders, their records.jsonl, or folders that hold several runs.

    \b
    Examples:
      scratchbench compare results/reference results/mine
      scratchbench compare old new --format html --out compare.html
      scratchbench compare old new --fail-on accuracy --tolerance accuracy=0.2
      scratchbench compare old new --allow-different optimizer.learning_rate
    """
    from bench.compare.command import run

    return run(a, b, form, out, fail_on, tolerance, allow_different or ())
