"""The folders of a side, and how a command names them."""

import shlex
from dataclasses import dataclass
from pathlib import Path

TREE, ENVIRONMENT = "{tree}", "{env}"


@dataclass(frozen=True)
class Place:
    """A side's tree, and the folder of its own environment, which is not there until `--prepare` makes it."""

    side: str
    tree: Path
    env: Path

    def fill(self, text: str) -> str:
        """A command with this side's folders in it."""
        return text.replace(TREE, shlex.quote(str(self.tree))).replace(ENVIRONMENT, shlex.quote(str(self.env)))
