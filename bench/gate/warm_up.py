"""Runs a command once in each tree without the clock, and learns what code it ran.

Python runs a `sitecustomize` on PYTHONPATH before anything else, so the user's program need not cooperate.
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
from bench.gate.commands import Command, Place
from bench.gate.no_verdict import NotFixedWorkError
from bench.gate.own_code import check_own_code, imports_of
from bench.gate.pair import SIDES
from bench.gate.records import ImportsRecord

FIXED_WORK = (
    "fix the work (pytest --benchmark-disable, benchmark.pedantic(rounds=…, iterations=…), pyperf --loops, timeit -n, "
    "asv --quick) or let it print the seconds of one call and use --own-clock"
)


class WarmUp:
    """`checkout` is the user's own folder, whose files no side should run; `keep` gets what each side imported."""

    def __init__(
        self, places: Mapping[str, Place], checkout: Path, folder: Path, keep: Callable[[ImportsRecord], None]
    ) -> None:
        self._places, self._checkout, self._folder, self._keep = places, checkout, folder, keep
        folder.mkdir()
        shutil.copyfile(import_hook.__file__, folder / "sitecustomize.py")

    def __call__(self, command: Command) -> None:
        """Run the command on each side.

        Raises NoVerdictError: if a run fails, a side runs other code than its own, or the work is not fixed.
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
        """What each Python process told; nothing if none ran, or it was told to ignore PYTHONPATH."""
        log = self._folder / f"{command.name}-{place.side}.jsonl"
        first = os.pathsep.join(filter(None, (str(self._folder), os.environ.get("PYTHONPATH"))))
        # The command may set PYTHONPATH itself.
        path = f"PYTHONPATH={shlex.quote(str(self._folder))}{os.pathsep}"
        text = re.sub(r"\bPYTHONPATH=(?=[^\s;&|])", lambda _: path, command.text)
        replace(command, text=text).run(place, "in the warm-up", **{"PYTHONPATH": first, import_hook.LOG: str(log)})
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
