"""The group of all commands, and how their options are read. An error becomes one line on stderr and an exit code."""

import io
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import click

from bench.core.complaints import TRACEBACK_VARIABLE, complain, thread_errors, without_verdict
from bench.core.errors import EXIT_INTERRUPTED, EXIT_NO_VERDICT, EXIT_OK, EXIT_UNUSABLE, UnusableError

Command = TypeVar("Command", bound=Callable[..., Any])

EXIT_CODES = """\b
Exit codes: 0 all went well; 1 a backend failed, was killed, timed out, diverged or is not comparable;
2 input or output that cannot be used; 130 interrupted (what was finished is kept)."""

TRACEBACK = f"""

{TRACEBACK_VARIABLE}=1 in the environment shows the traceback of an error."""

UNEXPECTED: dict[str | None, int] = {"gate": EXIT_NO_VERDICT}
"""Command → its exit code after an error that nobody foresaw; of all others it is 2."""


class _UnexpectedError(Exception):
    """Ended this command; the cause says what it was."""

    def __init__(self, command: str | None) -> None:
        self.code = UNEXPECTED.get(command, EXIT_UNUSABLE)


class _OneLineErrors(click.Group):
    """Every complaint is one line on stderr; a command returns its exit code."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        _replace_what_cannot_be_printed()
        _end_politely()
        logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns of a matplotlibrc that no plot is made with
        thread_codes: list[int] = []
        with thread_errors(thread_codes):
            code = self._code(lambda: super(_OneLineErrors, self).main(*args, **{**kwargs, "standalone_mode": False}))
        sys.exit(without_verdict(code, thread_codes[0]) if thread_codes else code)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except (Exception, SystemExit) as error:
            raise _UnexpectedError(ctx.invoked_subcommand) from error

    def _code(self, run: Callable[[], int | None]) -> int:
        try:
            code = run()
            sys.stdout.flush()  # a full disk is noticed here, not when Python ends
            return code or EXIT_OK
        except click.ClickException as error:
            return complain(UnusableError(error.format_message()))
        except (KeyboardInterrupt, click.Abort):
            return EXIT_INTERRUPTED
        except _UnexpectedError as error:
            return complain(error.__cause__ or error, error.code)
        except Exception as error:
            return complain(error)


def _end_politely() -> None:
    """A polite kill ends like Ctrl-C: no worker is left."""
    with suppress(ValueError):  # only the main thread may
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _replace_what_cannot_be_printed() -> None:
    """A terminal that lacks a character shows `?` in its place: no reason to fail. Files are UTF-8 everywhere."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


@click.group(
    cls=_OneLineErrors, epilog=EXIT_CODES + TRACEBACK, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="scratchnet")
def main() -> None:
    """Train a network written from scratch in NumPy and the same network in Keras, and compare them honestly.

    \b
    Examples:
      scratchbench run                       the default suite, under two minutes
      scratchbench run standard              nine specs, three seeds each
      scratchbench run my.toml --out mine    a suite of your own
      scratchbench report results/quick-...  tables and plots again, from the records
      scratchbench compare old new           whether two runs learned the same
      scratchbench gate --against main       whether this tree trains slower than another revision
    """


PATH = click.Path(path_type=Path)
resume_option = click.option("--resume", is_flag=True, help="Continue the run in --out; what is finished is kept.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout, and nothing else.")


def out_option(kind: str) -> Callable[[Command], Command]:
    """Where a command that measures writes."""
    return click.option("--out", type=PATH, help=f"Folder to create.  [default: results/{kind}-TIME]")


def names_option(
    name: str, text: str, allowed: Callable[[], Sequence[str]] | None = None, **more: Any
) -> Callable[[Command], Command]:
    """Names with commas between; `allowed` is asked only when the option is given."""

    def read(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
        names = tuple(part.strip() for part in value.split(",")) if value is not None else None
        for one in names or ():
            if allowed and one not in allowed():
                raise click.BadParameter(f"{one!r}; allowed: {', '.join(allowed())}")
        return names

    return click.option(name, callback=read, **{"metavar": "A,B", "help": text, **more})


def backend_names() -> list[str]:
    """Every backend that there is."""
    from bench.backends.registry import BACKENDS

    return list(BACKENDS)
