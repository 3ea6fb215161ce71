"""The command that makes static pages about many runs.

It imports what it needs when it runs, so that `--help` answers at once.
"""

from pathlib import Path

import click

from bench.cli.group import PATH, main


@main.command()
@click.argument("folder", type=PATH, default=Path("results"))
@click.option("--out", type=PATH, default=Path("site"), show_default=True, help="Folder for the pages.")
def site(folder: Path, out: Path) -> int:
    """Write pages on all runs in FOLDER (default results) and below: a searchable table, and each ratio's history.

    OUT holds index.html and a page for every run, and can be hosted as it is, on GitHub Pages for example. A later call
    writes OUT again. A run that cannot be read is reported in one line on stderr.

    \b
    Examples:
      scratchbench site
      scratchbench site results/reference --out public
    """
    from bench.site.command import site

    return site(folder, out)
