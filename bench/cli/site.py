"""The command that makes static pages over many runs.

It imports what it needs when it runs, so that `--help` answers at once.
"""

from pathlib import Path

import click

from bench.cli.group import PATH, main


@main.command()
@click.argument("folder", type=PATH, default=Path("results"))
@click.option("--out", type=PATH, default=Path("site"), show_default=True, help="Folder of the pages.")
def site(folder: Path, out: Path) -> int:
    """Write pages over all runs in FOLDER (default results) and below: a table to search, and each ratio's history.

    OUT holds index.html and a page for every run, and can be hosted as it is, on GitHub Pages for example. A later call
    writes it again. Of a run that cannot be read, one line goes to stderr.

    \b
    Examples:
      scratchbench site
      scratchbench site results/reference --out public
    """
    from bench.site.command import site

    return site(folder, out)
