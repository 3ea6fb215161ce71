"""The command that looks back over many runs.

It imports what it needs when it runs, so that `--help` answers at once.
"""

from pathlib import Path

import click

from bench.cli.group import PATH, main, names_option


def _metrics() -> list[str]:
    from bench.history.sources import METRICS

    return list(METRICS)


@main.command()
@click.option(
    "--folder",
    type=PATH,
    default=Path("results"),
    show_default=True,
    help="Read the runs in this folder and in all folders below it.",
)
@click.option("--branch", metavar="NAME", help="Read that folder from this git branch; the checkout is not touched.")
@names_option("--metric", "Show only these ratios.", _metrics)
@click.option("--format", "form", type=click.Choice(["table", "json", "markdown"]), default="table", show_default=True)
@click.option("--out", type=PATH, help="Folder for history.json, .md, .png and .svg.")
def history(folder: Path, branch: str | None, metric: tuple[str, ...] | None, form: str, out: Path | None) -> int:
    """Draw each ratio over all runs that were kept, and say where its level changed.

    It reads the folders of run, speed and gate, and the files of pytest-benchmark. Each machine has its own line.
    Exit code 0, whatever the steps; 2 if nothing can be read. An unreadable file is reported in one line on stderr.

    \b
    Examples:
      scratchbench history
      scratchbench history --metric fastest_peer,gate --out results/history
      scratchbench history --branch benchmarks --folder results --format markdown
    """
    from bench.history.command import history

    return history(folder, branch, metric, form, out)
