"""`scratchbench locate`: checks the network in another process, prints the report, returns the exit code."""

import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from bench.core.errors import EXIT_OK
from bench.core.files import write_atomically
from bench.locate.isolated import answer_of


@dataclass(frozen=True)
class LocateOptions:
    """What the command line says."""

    target: str
    spec: str | None = None
    form: str = "text"
    out: Path | None = None
    hint: bool = False
    seconds: float = 60.0


def run(options: LocateOptions) -> int:
    """Print or write the reports, made in another process; 1 where any of them names a mistake.

    Raises UnusableError: nothing could be said.
    """
    code, text, complaint = answer_of("bench.locate.reports:reports", options)
    sys.stderr.write(complaint)
    if not complaint:
        _show(text, options.out)
    return code


def _show(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
        return
    write_atomically(out, text)
    print(f"written: {out}")


def template(out: Path | None = None) -> int:
    """Print or write an adapter with comments."""
    _show((files("bench.locate") / "templates" / "adapter.txt").read_text("utf-8"), out)
    return EXIT_OK
