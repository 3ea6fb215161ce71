"""A command of any project, in any language: its text, its clock, and one run of it on a side."""

import re
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Literal, NamedTuple

from bench.core.errors import UnusableError
from bench.gate import shell
from bench.gate.places import ENVIRONMENT, TREE, Place
from bench.gate.tree_process import LAST_LINE, TreeLostError, how_it_ended

Clock = Literal["wall", "cpu"]
UNNAMED = "command"
# Upper case and `_` are left out: `PYTHONPATH={tree} python run.py` sets a variable.
NAME = re.compile(r"([a-z][a-z0-9.-]*)=(.*)", re.DOTALL)


class Turn(NamedTuple):
    """A run: the seconds that are compared, those of both clocks, and what was printed."""

    seconds: float
    wall: float
    cpu: float
    output: bytes


@dataclass(frozen=True)
class Command:
    """A shell command.

    text : `{tree}` in it is replaced by the folder of a side, which is also the working directory, and `{env}` by the
        folder of its environment.
    limit : seconds that a run may take.
    own_clock : the last line of its output is the seconds to compare, instead of the whole run's.
    same_output : both sides must print the same (all but that last line), or they did not do the same work.
    threads : so many it computes with, and both sides of a pair share as many cores; None lets it run anywhere.
    clock : the whole run's seconds are wall time, or CPU time of the command and the children that it waited for.

    Raises
    ------
    UnusableError
        Where the folder of the side or bash is missing, or two clocks are asked for.
    """

    text: str
    limit: float
    own_clock: bool = False
    same_output: bool = False
    threads: int | None = None
    name: str = UNNAMED
    clock: Clock = "wall"

    def __post_init__(self) -> None:
        if TREE not in self.text and ENVIRONMENT not in self.text:
            place = f"must hold {TREE}, which stands for the folder of each side, or {ENVIRONMENT}, its environment"
            raise UnusableError(f"--command {self.text!r}: {place}")
        if self.own_clock and self.clock == "cpu":
            raise UnusableError(
                "--clock cpu and --own-clock: choose one; with --own-clock the command prints the seconds"
            )
        shell.bash()

    def run(self, place: Place, when: str, **variables: str) -> Turn:
        """Run it once.

        Raises
        ------
        TreeLostError
            Where it hangs, is killed or ends with another exit code than 0, or its seconds cannot be known.
        """
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            ended = shell.run(place.fill(self.text), place.tree, self.limit, output, errors, **variables)
            said, complaint = (_content(file) for file in (output, errors))
        if ended.timed_out:
            raise TreeLostError(place.side, f"gave no answer within {self.limit:g} s {when}")
        if ended.code:
            # A shell reports a signal n that ended its child as exit code 128 + n.
            code = 128 - ended.code if ended.code > 128 else ended.code
            raise TreeLostError(place.side, f"{how_it_ended(code)} {when}{_last_line(complaint)}")
        if self.own_clock:
            seconds, said = _own_seconds(place.side, said), said.strip().rpartition(b"\n")[0]
        else:
            seconds = ended.wall if self.clock == "wall" else _cpu_seconds(place.side, ended.cpu)
        return Turn(seconds, ended.wall, ended.cpu, said)


def named(texts: Sequence[str]) -> dict[str, str]:
    """Name → command, of what `--command` was given each time.

    Raises
    ------
    UnusableError
        Where two have one name, or several have none.
    """
    found = dict[str, str]()
    for text in texts:
        match = NAME.fullmatch(text)
        name, command = match.groups() if match else (UNNAMED, text)
        if name in found:
            what = f"name {name!r} is used twice" if match else "several commands need names"
            remedy = "write --command name=CMD, with a name of its own for each (lower-case letters, digits, . and -)"
            raise UnusableError(f"--command {text!r}: {what}; {remedy}")
        found[name] = command
    return found


def _own_seconds(side: str, output: bytes) -> float:
    last = (output.decode(errors="replace").strip().splitlines() or [""])[-1]
    with suppress(ValueError):
        if 0 < (seconds := float(last)) < float("inf"):
            return seconds
    reason = f"printed {last[:40]!r} as its last line; --own-clock needs the seconds there, a number above 0"
    raise TreeLostError(side, reason)


def _cpu_seconds(side: str, seconds: float) -> float:
    if seconds > 0:
        return seconds
    raise TreeLostError(side, "used no CPU time that this system counts; use --clock wall")


def _content(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _last_line(errors: bytes) -> str:
    lines = errors.decode(errors="replace").strip().splitlines()
    return f": {lines[-1][:LAST_LINE]}" if lines else ""
