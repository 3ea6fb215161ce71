"""The command that finds the wrong equation of somebody's own network."""

from pathlib import Path

import click

from bench.cli.group import main

EXIT_CODES = """\b
Exit codes: 0 no mistake was found (conventions are reported, but are no mistakes); 1 a mistake was found;
2 the network or the spec cannot be used: one line says what was expected."""


@main.command(epilog=EXIT_CODES)
@click.argument("target", metavar="MODULE:NETWORK", required=False)
@click.option("--spec", metavar="FILE|NAME", help="What the network should compute.  [default: its attribute `spec`]")
@click.option("--template", is_flag=True, help="Print or write an adapter with comments, and do nothing else.")
@click.option("--hint", is_flag=True, help="Show only a question that leads to the first mistake, as text.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json", "html"]),
    default="text",
    show_default=True,
)
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: stdout]")
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 86_400),
    default=60.0,
    show_default=True,
    help="Timeout of one call of the network, in seconds.",
)
def locate(
    target: str | None, spec: str | None, template: bool, hint: bool, form: str, out: Path | None, seconds: float
) -> int:
    """Say which equation of a network that you wrote is wrong, and why.

    The network is called through an adapter of plain methods (--template prints one). Each of its tensors is compared
    with the result of the derivation's equation for the same inputs. Then mistakes are planted into the derivation
    until it gives the same numbers as the network.

    \b
    Examples:
      scratchbench locate --template > adapter.py
      scratchbench locate adapter:MyNetwork
      scratchbench locate adapter:MyNetwork --hint
      scratchbench locate adapter:MyNetwork --spec sports --format html --out report.html
    """
    from bench.locate import command

    if template:
        return command.template(out)
    if target is None:
        raise click.UsageError("Missing argument 'MODULE:NETWORK'; allowed: module:Name, as in adapter:MyNetwork")
    return command.run(command.LocateOptions(target, spec, form, out, hint, seconds))
