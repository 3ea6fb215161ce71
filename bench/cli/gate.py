"""The command of the speed gate."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from bench.cli.group import Command, json_option, main, out_option
from bench.core.errors import EXIT_OK, UnusableError

if TYPE_CHECKING:
    from bench.gate.command import GateOptions
    from bench.gate.commands import Command as ShellCommand
    from bench.gate.suites import Suite
    from bench.gate.tolerances import Tolerances
    from bench.spec import TrainingSpec

GATE_EXIT_CODES = """\b
Exit codes: 0 pass; 1 fail: slower by more than the tolerance; 2 input that cannot be used; 3 not decidable in the time;
4 no verdict on speed: a side is broken or ran other code, the work changed, or the gate itself failed;
130 interrupted (what was measured is kept)."""

BISECT_EXIT_CODES = """\b
Exit codes: 0 found; 1 BAD is not slower than GOOD; 2 input that cannot be used; 3 undecidable between several commits;
4 no verdict on BAD; 130 interrupted (what was measured is kept)."""

AGAINST_HELP = "Git revision that the work tree is compared with.  [default: in CI the base of the change]"
THREADS_HELP = "Threads of each side; both sides share this many cores.  [default: 1; with --command, any core]"
TOLERANCE_HELP = "The largest slowdown that passes. NAME=5% is for one case; * in NAME matches any text.  [default: 3%]"
COMMAND_HELP = "Time this command. {tree} is a side's folder, {env} that of its environment. Several need names."
PYTEST_HELP = "Time each test that uses pytest-benchmark. ARGS are arguments of pytest, such as tests/benchmarks."
ASV_HELP = "Time each time_ benchmark of an asv suite. DIR is its folder; patterns of names may follow it."
INSTALL_HELP = "Create an environment for each side and run this command in it, such as 'pip install {tree}'."
CLOCK_HELP = "Clock for commands and suites. cpu is user and system time, without waiting."
CELL, TOLERANCE = "784-128-10:32", "3%"


def _fraction(context: click.Context, parameter: click.Parameter, value: str) -> float:
    """3 %, 3% and 0.03 are the same."""
    text = value.strip()
    try:
        fraction = float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        fraction = -1.0
    if not 0 < fraction < 1:
        raise click.BadParameter(f"{value!r}; allowed: above 0 and below 100 %, such as 3% or 0.03")
    return fraction


def _tolerances(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> "Tolerances":
    """Each `3%` or `NAME=3%`; of several without a name the last counts."""
    from bench.gate.tolerances import Tolerances

    common, named = TOLERANCE, {}
    for value in values:
        name, given, text = value.rpartition("=")
        if given:
            named[name.strip()] = _fraction(context, parameter, text)
        else:
            common = value
    return Tolerances(_fraction(context, parameter, common), named)


def _cells(value: str) -> "list[TrainingSpec]":
    from bench.gate.plan_files import cell_of

    try:
        return list({spec.name: spec for spec in map(cell_of, value.split(","))}.values())
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--cells'") from None


class _Settings(click.Command):
    """Takes from `[tool.scratchbench.gate]` of pyproject.toml what the command line leaves out."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if {"-h", "--help"} & set(args):
            return super().make_context(info_name, args, parent, **extra)
        from bench.gate.settings import settings_of

        settings = settings_of(Path.cwd(), {key: option.multiple for key, option in SETTINGS.items()})
        own = {option.name for option in self.params}
        named = {SETTINGS[key].name: value for key, value in settings.values.items() if SETTINGS[key].name in own}
        try:
            return super().make_context(info_name, args, parent, default_map=named, **extra)
        except click.BadParameter as error:
            if error.param and error.param.name in named and not set(error.param.opts) & set(args):
                message = f"{error.message} (in {settings.place})"
                raise click.BadParameter(message, error.ctx, error.param, error.param_hint) from None
            raise


class _GateGroup(_Settings, click.Group):
    """The gate itself, unless one of its commands is named."""


def _base_in_ci() -> str | None:
    from bench.gate.settings import base_in_ci

    return base_in_ci()


def _gate_options(command: Command) -> Command:
    """Those of a gate, whichever revisions it compares."""
    for option in reversed(GATE_OPTIONS):
        command = option(command)
    return command


GATE_OPTIONS = (
    click.option(
        "--tolerance", "tolerances", multiple=True, metavar="[NAME=]%", callback=_tolerances, help=TOLERANCE_HELP
    ),
    click.option("--cells", default=CELL, show_default=True, help="Networks of this project, separated by commas."),
    click.option("--command", metavar="[NAME=]CMD", multiple=True, help=COMMAND_HELP),
    click.option("--pytest", metavar="ARGS", multiple=True, help=PYTEST_HELP),
    click.option("--asv", metavar="DIR", multiple=True, help=ASV_HELP),
    click.option("--clock", type=click.Choice(["wall", "cpu"]), default="wall", show_default=True, help=CLOCK_HELP),
    click.option("--measure", type=click.Choice(["peak-memory"]), help="Compare this instead of seconds."),
    click.option("--count", type=click.Choice(["instructions"]), help="Compare perf's count for a command, not time."),
    click.option("--own-clock", is_flag=True, help="The command prints the seconds to compare as its last line."),
    click.option("--same-output", is_flag=True, help="Give no verdict if the two sides print different output."),
    click.option("--install", default="", metavar="CMD", help=INSTALL_HELP),
    click.option("--prepare", default="", metavar="CMD", help="Run once in each side's folder first, such as a build."),
    click.option("--minutes", type=click.FloatRange(0.1, 600), default=5.0, show_default=True, help="Time budget."),
    click.option(
        "--time-limit", type=click.FloatRange(0.1), default=600.0, show_default=True, help="Timeout per run (seconds)."
    ),
    click.option(
        "--alpha", default="1%", show_default=True, callback=_fraction, help="Probability of a wrong verdict."
    ),
    click.option("--threads", type=click.IntRange(1, 256), help=THREADS_HELP),
    json_option,
)


@main.group(epilog=GATE_EXIT_CODES, cls=_GateGroup, invoke_without_command=True)
@click.option("--against", default=_base_in_ci, metavar="REV", help=AGAINST_HELP)
@click.option("--revision", default="", metavar="REV", help="Compare this revision instead of the work tree.")
@click.option("--comment", is_flag=True, help="In CI, write the report as a comment on the pull or merge request.")
@_gate_options
@out_option("gate")
@click.pass_context
def gate(context: click.Context, /, as_json: bool, out: Path | None, **given: Any) -> int:
    """Fail if the work tree is slower than another revision, and only then.

    Both sides do the same work in fresh processes that take turns; a pair of processes is one observation. The gate
    measures pairs until the verdict is known. Its error probability holds however often it looks at the pairs. It never
    touches the checkout, branches or stash.

    \b
    Examples:
      scratchbench gate --against main
      scratchbench gate --against v0.1.0 --tolerance 5% --cells 784-128-10:32,784-512-512-10:128
      scratchbench gate --against main --pytest tests/benchmarks --tolerance '*test_parse*=5%'
      scratchbench gate --against main --install 'pip install {tree}' --command 'python {tree}/benchmark.py'
      scratchbench gate --against main --command 'fit=make -C {tree} fit' --command 'load=make -C {tree} load'
      scratchbench gate bisect v1.0 HEAD --pytest tests/benchmarks
    """
    if context.invoked_subcommand:
        return EXIT_OK
    from bench.gate.command import gate

    if given["against"] is None:
        raise UnusableError("Missing option '--against': the revision to compare with, such as --against main")
    return gate(_options(context, given), as_json, out, given["comment"])


@gate.command(epilog=BISECT_EXIT_CODES, cls=_Settings)
@click.argument("good")
@click.argument("bad")
@_gate_options
@out_option("bisect")
@click.pass_context
def bisect(context: click.Context, /, good: str, bad: str, as_json: bool, out: Path | None, **given: Any) -> int:
    """Find the commit between GOOD and BAD that made something slower.

    Each step is a gate of one commit against GOOD, with its own budget (--minutes). --alpha is the probability that the
    whole search names a wrong commit. If commits cannot be decided, it names those that may be the slower one.

    \b
    Examples:
      scratchbench gate bisect v1.0 HEAD --pytest tests/benchmarks
      scratchbench gate bisect v1.0 HEAD --install 'pip install {tree}' --command 'python {tree}/benchmark.py'
    """
    from bench.gate.find_commit import bisect

    return bisect(_options(context, {**given, "against": good}), bad, as_json, out)


def _options(context: click.Context, given: Mapping[str, Any]) -> "GateOptions":
    from bench.gate.command import GateOptions

    names = ("against", "install", "prepare", "tolerances", "alpha", "threads")
    told = {name: given[name] for name in names}
    revision = given.get("revision", "")
    return GateOptions(jobs=_jobs(context, given), seconds=60 * given["minutes"], revision=revision, **told)


JOBS = ("cells", "command", "pytest", "asv")


def _jobs(context: click.Context, given: Mapping[str, Any]) -> "list[ShellCommand | Suite | TrainingSpec]":
    """What is measured: commands and suites, or else networks of this project.

    Raises UnusableError: if options do not fit each other.
    """
    from bench.gate.commands import Command, named
    from bench.gate.suites import Suite

    texts, pytest, asv = (() if _is_replaced(context, name) else given[name] for name in JOBS[1:])
    if not texts and (given["own_clock"] or given["same_output"] or given["count"]):
        raise UnusableError("--own-clock, --same-output and --count need --command")
    if not (texts or pytest or asv):
        if given["clock"] != "wall" or given["measure"]:
            raise UnusableError("--clock and --measure need --command, --pytest or --asv")
        return _networks(context, given["cells"])
    if context.get_parameter_source("cells") is ParameterSource.COMMANDLINE:
        other = "--command" if texts else "--pytest" if pytest else "--asv"
        raise UnusableError(f"--cells and {other}: choose one; --cells are networks of this project")
    quantity = given["count"] or given["measure"] or "seconds"
    common = {"limit": given["time_limit"], "clock": given["clock"], "threads": given["threads"], "quantity": quantity}
    own = {"own_clock": given["own_clock"], "same_output": given["same_output"], "installed": bool(given["install"])}
    return [
        *(Command(text, name=name, **common, **own) for name, text in named(texts).items()),
        *(Suite("pytest", text, **common) for text in pytest),
        *(Suite("asv", text, **common) for text in asv),
    ]


def _networks(context: click.Context, cells: str) -> "list[ShellCommand | Suite | TrainingSpec]":
    """Those of this project, which are what the gate compares if nothing else is named.

    Raises UnusableError: if nothing is named, and the current folder is another project's.
    """
    here = Path.cwd()
    is_ours = any((folder / "scratchnet" / "__init__.py").is_file() for folder in (here, *here.parents))
    if not is_ours and context.get_parameter_source("cells") is ParameterSource.DEFAULT:
        remedy = "--pytest tests/benchmarks, --asv benchmarks or --command 'python {tree}/benchmark.py'"
        raise UnusableError(f"nothing to measure: name your benchmarks, such as {remedy}")
    return list(_cells(cells))


def _is_replaced(context: click.Context, name: str) -> bool:
    """Whether pyproject.toml names these jobs and the command line names others."""
    sources = {one: context.get_parameter_source(one) for one in JOBS}
    return sources[name] is ParameterSource.DEFAULT_MAP and ParameterSource.COMMANDLINE in sources.values()


SETTINGS = {
    option.opts[0].lstrip("-"): option for option in (*bisect.params, *gate.params) if isinstance(option, click.Option)
}
"""Name in pyproject.toml → option."""
