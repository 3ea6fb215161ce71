"""`scratchbench locate`: import, ask, print; the exit code."""

import contextlib
import io
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from bench.core.errors import EXIT_OK, UnusableError
from bench.core.files import write_atomically
from bench.locate.problems import specs_named
from bench.locate.render import FORMATS, hint
from bench.locate.run import Report, imported, locate_one


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
    """Print or write the reports; 1 where any of them names a mistake.

    Raises
    ------
    UnusableError
        Nothing could be said.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        subject, name = imported(options.target)
    specs = specs_named(options.spec, subject, name)
    if len(specs) > 1 and options.form in ("json", "html"):
        raise UnusableError(f"--spec names {len(specs)} specs; allowed with --format {options.form}: one")
    reports = [locate_one(subject, spec, name, options.seconds) for spec in specs]
    _show("\n".join(_shown(report, options) for report in reports), options.out)
    return max(report.exit_code for report in reports)


def _shown(report: Report, options: LocateOptions) -> str:
    return (hint if options.hint else FORMATS[options.form])(report.document)


def _show(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
        return
    write_atomically(out, text)
    print(f"written: {out}")


def template() -> int:
    """Print an adapter with comments."""
    sys.stdout.write((files("bench.locate") / "templates" / "adapter.txt").read_text("utf-8"))
    return EXIT_OK
