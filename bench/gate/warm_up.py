"""The untimed run of a command in each tree, which tells what code it ran.

Python reads a `sitecustomize` from PYTHONPATH before it runs anything, so the user's program need not cooperate.
"""

import json
import os
import re
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.gate import import_hook
from bench.gate.own_code import check_own_code, imports_of
from bench.gate.places import Place
from bench.gate.records import ImportsRecord
from bench.gate.shell_command import Command
from bench.gate.tree_pairs import SIDES

FIXED_WORK = (
    "fix the work (pytest --benchmark-disable, benchmark.pedantic(rounds=…, iterations=…), pyperf --loops, timeit -n, "
    "asv --quick) or let it print the seconds of one call and use --own-clock"
)


class NotFixedWorkError(Exception):
    """The command does more where it is faster, so its seconds say nothing."""


class WarmUp:
    """Runs a command once on each side and checks that each runs its own code.

    checkout : the user's own files, which neither side should run.
    keep : is given what each side imported.
    """

    def __init__(
        self, places: Mapping[str, Place], checkout: Path, folder: Path, keep: Callable[[ImportsRecord], None]
    ) -> None:
        self._places, self._checkout, self._folder, self._keep = places, checkout, folder, keep
        folder.mkdir()
        shutil.copyfile(import_hook.__file__, folder / "sitecustomize.py")

    def __call__(self, command: Command) -> None:
        """Run it.

        Raises
        ------
        TreeLostError
            Where a run did not end well.
        OtherCodeError
            Where a side did not run its own code.
        NotFixedWorkError
            Where the command chooses by the clock how much it does.
        """
        told = {side: self._run(command, self._places[side]) for side in SIDES}
        tools = {report["calibrated"] for reports in told.values() for report in reports} - {""}
        if tools and not command.own_clock:
            said = f"{command.name} runs {min(tools)}, which repeats fast code more often; {FIXED_WORK}"
            raise NotFixedWorkError(said)
        imports = {side: imports_of(self._places, side, reports) for side, reports in told.items()}
        for side in SIDES:
            checked = bool(told[side])
            self._keep(ImportsRecord(cell=command.name, side=side, checked=checked, modules=imports[side]))
        check_own_code(self._places, imports, self._checkout)

    def _run(self, command: Command, place: Place) -> list[dict[str, Any]]:
        """What each Python process that ran told; none where none did, or it was told to ignore PYTHONPATH."""
        log = self._folder / f"{command.name}-{place.side}.jsonl"
        first = os.pathsep.join(filter(None, (str(self._folder), os.environ.get("PYTHONPATH"))))
        variables = {"PYTHONPATH": first, import_hook.LOG: str(log)}
        _watched(command, self._folder).run(place, "in the warm-up", **variables)
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def _watched(command: Command, folder: Path) -> Command:
    """The command with the folder first in every PYTHONPATH that it sets itself."""
    text = re.sub(
        r"\bPYTHONPATH=(?=[^\s;&|])", lambda _: f"PYTHONPATH={shlex.quote(str(folder))}{os.pathsep}", command.text
    )
    return replace(command, text=text)
