"""Commands of any project, in any language: placeholders for a side's folders, and one run of a command on a side."""

import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from bench.core.child_process import how_it_ended
from bench.core.errors import UnusableError
from bench.gate import shell
from bench.gate.gauges import GAUGES, Quantity, gauge
from bench.gate.no_verdict import TreeLostError, last_line
from bench.gate.settings import NAME

Clock = Literal["wall", "cpu"]
TREE, ENVIRONMENT = "{tree}", "{env}"
UNNAMED = "command"
NAMED = re.compile(f"({NAME})=(.*)", re.DOTALL)


@dataclass(frozen=True)
class Place:
    """A side's tree, and the folder of its own environment, which `--prepare` may make."""

    side: str
    tree: Path
    env: Path

    def fill(self, text: str) -> str:
        """A command with this side's folders in it."""
        return text.replace(TREE, shlex.quote(str(self.tree))).replace(ENVIRONMENT, shlex.quote(str(self.env)))

    @property
    def python(self) -> str:
        """That of its environment, or else the first one on PATH."""
        own = self.env / "bin" / "python"
        return str(own) if own.is_file() else shutil.which("python") or sys.executable

    @property
    def variables(self) -> dict[str, str]:
        """The programs of its environment stand first, if it has any."""
        programs = self.env / "bin"
        if not programs.is_dir():
            return {}
        return {"PATH": os.pathsep.join((str(programs), os.environ.get("PATH", ""))), "VIRTUAL_ENV": str(self.env)}


def prepare(command: str, places: Iterable[Place], limit: float, logs: Path) -> None:
    """Run the shell command once in the folder of each side; what it prints is kept as prepare-SIDE.log in `logs`.

    Raises TreeLostError: as `run_logged` does.
    """
    for place in places if command else ():
        run_logged(command, place, limit, logs / f"prepare-{place.side}.log", "prepared")


def run_logged(command: str, place: Place, limit: float, log: Path, done: str) -> None:
    """Run the shell command in the folder of the side, for `limit` seconds at most; `log` gets what it prints.

    Raises TreeLostError: says that the side was not `done`, with its last line and the log.
    """
    with log.open("ab") as output:
        ended = shell.run(place.fill(command), place.tree, limit, output, output, **place.variables)
    if ended.timed_out:
        raise TreeLostError(place.side, f"was not {done} within {limit:g} s (whole log: {log})")
    if ended.code:
        said = last_line(log.read_text(errors="replace")) or f": exit code {ended.code}"
        raise TreeLostError(place.side, f"could not be {done}{said} (whole log: {log})")


class Turn(NamedTuple):
    """A run: the seconds that are compared, those of both clocks, what was printed, and another amount if asked for."""

    seconds: float
    wall: float
    cpu: float
    output: bytes
    amount: float | None = None


@dataclass(frozen=True)
class Command:
    """A shell command.

    text : `{tree}` in it stands for a side's folder, which is also the working directory, `{env}` for its environment.
    limit : timeout of a run, in seconds.
    own_clock : the last line of its output is the seconds to compare.
    same_output : both sides must print the same (all but that last line), or they did not do the same work.
    threads : both sides of a pair share as many cores; None: any core.
    clock : wall time, or CPU time of the command and of the children that it waited for.
    installed : each side has its environment first on PATH, so the text need not name a folder of the side.
    quantity : what is compared.

    Raises UnusableError: if the folder of the side or bash is missing, two clocks are asked for, or this machine cannot
    measure the quantity.
    """

    text: str
    limit: float
    own_clock: bool = False
    same_output: bool = False
    threads: int | None = None
    name: str = UNNAMED
    clock: Clock = "wall"
    installed: bool = False
    quantity: Quantity = "seconds"

    def __post_init__(self) -> None:
        if not self.installed and TREE not in self.text and ENVIRONMENT not in self.text:
            place = f"must hold {TREE}, which stands for the folder of each side, or {ENVIRONMENT}, its environment"
            raise UnusableError(f"--command {self.text!r}: {place}")
        if self.own_clock and self.clock == "cpu":
            remedy = "choose one; with --own-clock the command prints the seconds"
            raise UnusableError(f"--clock cpu and --own-clock: {remedy}")
        if self.quantity != "seconds":
            if self.own_clock or self.clock == "cpu":
                raise UnusableError(
                    f"{self.quantity} is compared in place of seconds; leave out --clock and --own-clock"
                )
            gauge(self.quantity)
        shell.bash()

    def run(self, place: Place, when: str, **variables: str) -> Turn:
        """Run it once.

        Raises TreeLostError: if it hangs, is killed, ends with another exit code than 0, or tells no seconds.
        """
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors, self._counting() as (starts, read):
            variables = {**place.variables, **variables}
            ended = shell.run(place.fill(self.text), place.tree, self.limit, output, errors, starts, **variables)
            said, complaint = (_content(file) for file in (output, errors))
            self._check(ended, place.side, when, complaint)
            amount = read(place.side)
        if self.own_clock:
            seconds, said = _own_seconds(place.side, said), said.strip().rpartition(b"\n")[0]
        else:
            seconds = ended.wall if self.clock == "wall" else _cpu_seconds(place.side, ended.cpu)
        return Turn(seconds, ended.wall, ended.cpu, said, amount)

    def _check(self, ended: shell.Ended, side: str, when: str, complaint: bytes) -> None:
        if ended.timed_out:
            raise TreeLostError(side, f"gave no answer within {self.limit:g} s {when}")
        if ended.code:
            # A shell reports a signal n that ended its child as exit code 128 + n.
            code = 128 - ended.code if ended.code > 128 else ended.code
            raise TreeLostError(side, f"{how_it_ended(code)} {when}{last_line(complaint.decode(errors='replace'))}")

    @contextmanager
    def _counting(self) -> Iterator[tuple[list[str], Callable[[str], float | None]]]:
        """What starts the command, and what then reads the amount of the side; nothing where seconds are compared."""
        if self.quantity == "seconds":
            yield [], lambda side: None
            return
        by = GAUGES[self.quantity]
        with tempfile.NamedTemporaryFile("r") as file:
            yield by.starts(file.name), lambda side: _amount(side, self.quantity, by.read(file.read()))


def named(texts: Sequence[str]) -> dict[str, str]:
    """Name → command, of what `--command` was given each time.

    Raises UnusableError: if two have one name, or several have none.
    """
    found = dict[str, str]()
    for text in texts:
        match = NAMED.fullmatch(text)
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
    needs = "--own-clock needs the seconds there, a number above 0"
    raise TreeLostError(side, f"printed {last[:40]!r} as its last line; {needs}")


def _amount(side: str, quantity: Quantity, amount: float) -> float:
    if amount > 0:
        return amount
    raise TreeLostError(side, f"has no {quantity} that this system counts")


def _cpu_seconds(side: str, seconds: float) -> float:
    if seconds > 0:
        return seconds
    raise TreeLostError(side, "used no CPU time that this system counts; use --clock wall")


def _content(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()
