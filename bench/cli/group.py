"""The group of all commands, and how their options are read: every complaint is one line on stderr, and an exit code.

Feeds the modules of commands beside it.
"""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from bench.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_UNUSABLE, UnusableError

EXIT_CODES = """\b
Exit codes: 0 all went well; 1 a backend failed, was killed, timed out, diverged or is not comparable;
2 input or output that cannot be used; 130 interrupted (what was finished is kept)."""


class _OneLineErrors(click.Group):
    """Every complaint is one line on stderr."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
        except (UnusableError, click.ClickException) as error:
            message = error.format_message() if isinstance(error, click.ClickException) else str(error)
            click.echo(f"error: {' '.join(message.split())}", err=True)
            code = EXIT_UNUSABLE
        except (KeyboardInterrupt, click.Abort):
            code = EXIT_INTERRUPTED
        except BrokenPipeError:  # `| head`: nobody reads on, and Python would complain once more when it flushes
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = EXIT_UNUSABLE
        except OSError as error:  # a full disk or a folder that went away, wherever nothing nearer said it better
            click.echo(f"error: {error.filename or 'input or output'}: {error.strerror or error}", err=True)
            code = EXIT_UNUSABLE
        sys.exit(code or EXIT_OK)


@click.group(cls=_OneLineErrors, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="scratchnet")
def main() -> None:
    """Train a network written from scratch in NumPy and the same network in Keras, and compare them honestly.

    \b
    Examples:
      scratchbench run                       the default suite, under two minutes
      scratchbench run standard              nine cells, three seeds each
      scratchbench run my.toml --out mine    a suite of your own
      scratchbench report results/quick-...  tables and plots again, from the records
      scratchbench compare old new           whether two runs learned the same
      scratchbench gate --against main       whether this tree trains slower than another revision
    """


def names_of(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Names with commas between."""
    return tuple(part.strip() for part in value.split(",")) if value is not None else None


def one_of(allowed: Callable[[], Sequence[str]]) -> Callable[..., tuple[str, ...] | None]:
    """Names with commas between, each of them allowed."""

    def read(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
        names = names_of(context, parameter, value)
        for name in names or ():
            if name not in allowed():
                raise click.BadParameter(f"{name!r}; allowed: {', '.join(allowed())}")
        return names

    return read
