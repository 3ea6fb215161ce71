"""What is run once in each tree before anything is timed: a build, an installation.

Fed by `--prepare`; a side whose preparation fails is broken, which is no verdict of speed.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path

from bench.gate import shell
from bench.gate.side_process import LAST_LINE, SideLostError
from bench.gate.trees import Tree


def prepare(command: str, trees: Mapping[str, Tree], limit: float, logs: Path) -> None:
    """Run the shell command in the folder of each side; `{tree}` in it is that folder. Nothing where it is empty.

    What a side prints is kept in `logs`, as prepare-SIDE.log.

    Raises
    ------
    SideLostError
        With what a side said last and its log, where it fails or takes longer than `limit` seconds.
    """
    for side, tree in trees.items() if command else ():
        text = command.replace("{tree}", shlex.quote(str(tree.folder)))
        log = logs / f"prepare-{side}.log"
        with log.open("wb") as output:
            ended = shell.run(text, tree.folder, limit, output, output)
        if ended.timed_out:
            raise SideLostError(side, f"was not prepared within {limit:g} s (whole log: {log})")
        if ended.code:
            said = log.read_text(errors="replace").strip().splitlines() or [f"exit code {ended.code}"]
            raise SideLostError(side, f"could not be prepared: {said[-1][:LAST_LINE]} (whole log: {log})")
