"""Runs each command or suite once in each tree, without timing it, and records what code it ran.

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
from bench.gate.own_code import check_own_code, imports_of, not_as_installed, where_from
from bench.gate.pair import SIDES
from bench.gate.records import ImportsRecord

FIXED_WORK = (
    "fix the work (pytest --benchmark-disable, benchmark.pedantic(rounds=…, iterations=…), pyperf --loops, timeit -n, "
    "asv --quick), let it print the seconds of one call and use --own-clock, or use --pytest in place of --command"
)

NOT_AS_INSTALLED = (
    " came from the tree and not from the environment that --install made, so what was compiled there is not measured; "
    "see what puts the tree on sys.path (PYTHONPATH, pytest's pythonpath)"
)

Run = Callable[[Place, Mapping[str, str]], None]
"""Runs something once on a side, with these more environment variables."""


class WarmUp:
    """`checkout` is the user's own folder, whose files no side should run; `keep` gets what each side imported."""

    def __init__(
        self, places: Mapping[str, Place], checkout: Path, folder: Path, keep: Callable[[ImportsRecord], None]
    ) -> None:
        self._places, self._checkout, self._folder, self._keep = places, checkout, folder, keep
        self._logs, self.notes = 0, list[str]()
        folder.mkdir()
        shutil.copyfile(import_hook.__file__, folder / "sitecustomize.py")

    def command(self, command: Command) -> None:
        """Run a command once on each side.

        Raises NoVerdictError: if a run fails, a side runs other code than its own, or the work is not fixed.
        """
        # The command may set PYTHONPATH itself.
        path = f"PYTHONPATH={shlex.quote(str(self._folder))}{os.pathsep}"
        watched = replace(command, text=re.sub(r"\bPYTHONPATH=(?=[^\s;&|])", lambda _: path, command.text))

        def run(place: Place, more: Mapping[str, str]) -> None:
            watched.run(place, "in the warm-up", **more)

        tools = self.watch(command.name, run)
        if tools and not command.own_clock:
            said = f"{command.name} runs {min(tools)}, which repeats fast code more often; {FIXED_WORK}"
            raise NotFixedWorkError(said)

    def watch(self, name: str, run: Run) -> set[str]:
        """Run something once on each side, see what it imports, and note it; the benchmark tools that calibrated.

        Raises NoVerdictError: if a run fails, or a side runs other code than its own.
        """
        told = {side: self._told(run, self._places[side]) for side in SIDES}
        imports = {side: imports_of(self._places, side, reports) for side, reports in told.items()}
        for side in SIDES:
            self._keep(ImportsRecord(cell=name, side=side, checked=bool(told[side]), modules=imports[side]))
        check_own_code(self._places, imports, self._checkout)
        if any(imports.values()):
            self.notes.append(f"{name}: each side imported {', '.join(where_from(self._places, imports))}")
        if stray := not_as_installed(self._places, imports):
            self.notes.append(f"{name}: warning: {', '.join(stray)}{NOT_AS_INSTALLED}")
        return {report["calibrated"] for reports in told.values() for report in reports} - {""}

    def _told(self, run: Run, place: Place) -> list[dict[str, Any]]:
        """What each Python process told; nothing if none ran, or it was told to ignore PYTHONPATH."""
        self._logs += 1
        log = self._folder / f"{self._logs}.jsonl"
        first = os.pathsep.join(filter(None, (str(self._folder), os.environ.get("PYTHONPATH"))))
        run(place, {"PYTHONPATH": first, import_hook.LOG: str(log)})
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
