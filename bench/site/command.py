"""`scratchbench site`: reads every run below a folder and writes the pages."""

import sys
from pathlib import Path

from rich.console import Console

from bench.core.errors import EXIT_OK, UnusableError, refused
from bench.core.files import write_atomically
from bench.core.text import one_line
from bench.site.page import index
from bench.site.runs import SiteRun, add_run, run_folders

INDEX_NAME = "index.html"
MARKER = ".nojekyll"
"""Tells GitHub Pages to publish the files as they are; here it also says that the folder is a site of ours."""


def site(folder: Path, out: Path) -> int:
    """Write OUT/index.html and OUT/runs/RUN/report.html; the exit code.

    Raises UnusableError: where there is no run, or OUT holds something else or cannot be written.
    """
    if not folder.is_dir():
        raise UnusableError(f"{folder}: no folder; name one with runs in it, such as results")
    found = list(run_folders(folder))
    if not found:
        raise UnusableError(f"{folder}: no run in it or in a folder below it; `scratchbench run` writes some")
    _prepare(out)
    runs = _runs(found, folder, out)
    if not runs:
        raise UnusableError(f"{folder}: none of its {len(found)} runs can be read")
    write_atomically(out / INDEX_NAME, index(runs))
    print(f"{len(runs)} run{'s' * (len(runs) != 1)}: {out / INDEX_NAME}")
    return EXIT_OK


def _prepare(out: Path) -> None:
    with refused(out, "made", "; choose another --out"):
        out.mkdir(parents=True, exist_ok=True)
        others = [path.name for path in out.iterdir() if path.name != ".git"]
    if others and MARKER not in others:
        raise UnusableError(f"{out}: holds something that is no site; choose another --out")
    write_atomically(out / MARKER, "")


def _runs(found: list[Path], folder: Path, out: Path) -> list[SiteRun]:
    """Those that can be read; of each other one a warning."""
    runs = []
    console = Console(stderr=True)
    with console.status("") as status:
        for number, path in enumerate(found, 1):
            status.update(f"run {number} of {len(found)}")
            try:
                runs.append(add_run(path, folder, out))
            except UnusableError as error:
                print(f"warning: {one_line(error)}", file=sys.stderr)
    return runs
