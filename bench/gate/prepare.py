"""What is run once in each tree before anything is timed: a build, an installation.

Fed by `--prepare`; a side whose preparation fails is broken, which is no verdict of speed.
"""

import shlex
import subprocess
from collections.abc import Mapping

from bench.gate.side_process import LAST_LINE, SideLostError
from bench.gate.trees import Tree


def prepare(command: str, trees: Mapping[str, Tree], limit: float) -> None:
    """Run the shell command in the folder of each side; `{tree}` in it is that folder. Nothing where it is empty.

    Raises
    ------
    SideLostError
        With the last line that a side said, where it fails or takes longer than `limit` seconds.
    """
    for side, tree in trees.items() if command else ():
        text = command.replace("{tree}", shlex.quote(str(tree.folder)))
        try:
            subprocess.run(
                text,
                shell=True,
                cwd=tree.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=limit,
                check=True,
            )
        except subprocess.TimeoutExpired:
            raise SideLostError(side, f"was not prepared within {limit:g} s") from None
        except subprocess.CalledProcessError as error:
            said = error.stdout.decode(errors="replace").strip().splitlines() or [f"exit code {error.returncode}"]
            raise SideLostError(side, f"could not be prepared: {said[-1][:LAST_LINE]}") from None
