"""Pairs of one command run in two trees: the gate for any project, in any language.

Fed by a command that holds `{tree}`; every run is a fresh process, so one run of each side is a pair.
"""

import random
import shlex
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bench.errors import UnusableError
from bench.gate import shell
from bench.gate.cores import children_on, draw
from bench.gate.pair import Pair
from bench.gate.side_process import LAST_LINE, SideLostError, how_it_ended
from bench.gate.sides import SIDES
from bench.gate.work import WorkChangedError

PLACE = "{tree}"


@dataclass(frozen=True)
class Command:
    """A shell command.

    text : `{tree}` in it is replaced by the folder of a side, which is also the working directory.
    limit : seconds that a run may take.
    own_clock : the last line of its output is the seconds to compare, instead of the whole run's.
    same_output : both sides must print the same (all but that last line), or they did not do the same work.
    threads : so many it computes with, and both sides of a pair share as many cores; None lets it run anywhere.

    Raises
    ------
    UnusableError
        Where `{tree}` or bash is missing.
    """

    text: str
    limit: float
    own_clock: bool = False
    same_output: bool = False
    threads: int | None = None

    def __post_init__(self) -> None:
        if PLACE not in self.text:
            raise UnusableError(f"--command {self.text!r}: must hold {PLACE}, which stands for the folder of each side")
        shell.bash()

    def run(self, side: str, tree: Path, when: str) -> tuple[float, bytes]:
        """Run it once; its seconds and its output.

        Raises
        ------
        SideLostError
            Where it hangs, is killed or ends with another exit code than 0.
        """
        text = self.text.replace(PLACE, shlex.quote(str(tree)))
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            ended = shell.run(text, tree, self.limit, output, errors)
            said, complaint = (_content(file) for file in (output, errors))
        if ended.timed_out:
            raise SideLostError(side, f"gave no answer within {self.limit:g} s {when}")
        if ended.code:
            # A shell reports a signal n that ended its child as exit code 128 + n.
            code = 128 - ended.code if ended.code > 128 else ended.code
            raise SideLostError(side, f"{how_it_ended(code)} {when}{_last_line(complaint)}")
        if self.own_clock:
            return self._own_seconds(side, said), said.strip().rpartition(b"\n")[0]
        return ended.wall, said

    def _own_seconds(self, side: str, output: bytes) -> float:
        last = (output.decode(errors="replace").strip().splitlines() or [""])[-1]
        with suppress(ValueError):
            if 0 < (seconds := float(last)) < float("inf"):
                return seconds
        reason = f"printed {last[:40]!r} as its last line; --own-clock needs the seconds there, a number above 0"
        raise SideLostError(side, reason)


class CommandPairs:
    """The source of pairs of a command."""

    def __init__(self, command: Command, trees: Mapping[str, Path], order: random.Random) -> None:
        self._command, self._trees, self._order = command, trees, order

    def __call__(self, number: int) -> Pair:
        """Run the command in both trees, in random order; before the first pair once in each without the clock.

        Raises
        ------
        SideLostError
            Where a run did not end well.
        WorkChangedError
            Where the outputs must be the same and are not.
        """
        started = time.perf_counter()
        if number == 1:
            for side in SIDES:
                self._command.run(side, self._trees[side], "in the warm-up")
        sides = self._order.sample(SIDES, len(SIDES))
        seconds, outputs = dict[str, float](), dict[str, bytes]()
        with children_on(draw(self._command.threads or 0, self._order)):
            for side in sides:
                seconds[side], outputs[side] = self._command.run(side, self._trees[side], f"in pair {number}")
        if self._command.same_output and outputs["old"].strip() != outputs["new"].strip():
            raise WorkChangedError(f"the sides did not print the same in pair {number}")
        return Pair(
            number=number,
            cell="command",
            order="".join("AB"[SIDES.index(side)] for side in sides),
            old_seconds=(seconds["old"],),
            new_seconds=(seconds["new"],),
            wall_seconds=time.perf_counter() - started,
        )


def _content(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _last_line(errors: bytes) -> str:
    lines = errors.decode(errors="replace").strip().splitlines()
    return f": {lines[-1][:LAST_LINE]}" if lines else ""
