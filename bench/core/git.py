"""Reads from git; never writes."""

import os
import subprocess
from pathlib import Path

from bench.core.errors import UnusableError


class GitError(UnusableError):
    """What git printed when it failed; empty if it was told to be quiet."""

    def __init__(self, said: str) -> None:
        super().__init__(f"git: {said}")
        self.said = said


def git(*arguments: str, at: Path | None = None, **variables: str) -> bytes:
    """What git prints in that folder, by default the current one, with more environment `variables`.

    Raises GitError: with what it said.
    Raises UnusableError: where there is no git.
    """
    # A git hook's GIT_DIR would point at another repository, and a lock would disturb a commit under way.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=at,
            env={**inherited, "GIT_OPTIONAL_LOCKS": "0", **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        ).stdout
    except OSError as error:
        raise UnusableError(f"git: cannot be run ({error.strerror or error}); install it") from None
    except subprocess.CalledProcessError as error:
        raise GitError(" ".join(error.stderr.decode("utf-8", "replace").split())) from None
