"""What is run once in each tree before anything is timed: a build, an installation.

Fed by `--prepare`; a side whose preparation fails is broken, which is no verdict of speed.
"""

from collections.abc import Iterable
from pathlib import Path

from bench.gate import shell
from bench.gate.places import Place
from bench.gate.tree_process import LAST_LINE, TreeLostError


def prepare(command: str, places: Iterable[Place], limit: float, logs: Path) -> None:
    """Run the shell command in the folder of each side; `{tree}` in it is that folder, `{env}` one for its environment.

    Nothing where it is empty.

    What a side prints is kept in `logs`, as prepare-SIDE.log.

    Raises
    ------
    TreeLostError
        With what a side said last and its log, where it fails or takes longer than `limit` seconds.
    """
    for place in places if command else ():
        log = logs / f"prepare-{place.side}.log"
        with log.open("wb") as output:
            ended = shell.run(place.fill(command), place.tree, limit, output, output)
        if ended.timed_out:
            raise TreeLostError(place.side, f"was not prepared within {limit:g} s (whole log: {log})")
        if ended.code:
            said = log.read_text(errors="replace").strip().splitlines() or [f"exit code {ended.code}"]
            raise TreeLostError(place.side, f"could not be prepared: {said[-1][:LAST_LINE]} (whole log: {log})")
