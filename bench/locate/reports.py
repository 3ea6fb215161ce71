"""The process of `scratchbench locate` that imports the network, calls it and writes the reports."""

from bench.core.errors import UnusableError
from bench.locate.command import LocateOptions
from bench.locate.problems import specs_named
from bench.locate.render import FORMATS, hint
from bench.locate.run import Report, imported, locate_one
from bench.locate.subject import SECONDS


def reports(options: LocateOptions) -> tuple[int, str]:
    """The exit code, and the reports in the form that is asked for.

    Raises UnusableError: nothing could be said.
    """
    subject, name = imported(options.target, max(options.seconds, SECONDS))
    specs = specs_named(options.spec, subject, name)
    if len(specs) > 1 and options.form in ("json", "html"):
        raise UnusableError(f"--spec names {len(specs)} specs; allowed with --format {options.form}: one")
    made = [locate_one(subject, spec, name, options.seconds) for spec in specs]
    return max(report.exit_code for report in made), "\n".join(_shown(report, options) for report in made)


def _shown(report: Report, options: LocateOptions) -> str:
    return (hint if options.hint else FORMATS[options.form])(report.document)
