"""The folder of a run: a new one, or one to go on with."""

from datetime import datetime
from pathlib import Path

from bench.core.errors import UnusableError, refused


def new_folder(out: Path | None, name: str) -> Path:
    """Make a run folder, `out` or else results/NAME-TIME; one that holds anything is never written to.

    Git ignores the default folder, for it would make the user's repository look changed.

    Raises UnusableError: where the folder is in use or cannot be made.
    """
    folder = out or Path("results") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    with refused(folder, "made", "; choose another --out"):
        folder.mkdir(parents=True, exist_ok=True)
        in_use = any(folder.iterdir())
        if out is None and not in_use:
            (folder / ".gitignore").write_text("*\n")
    if in_use:
        raise UnusableError(f"{folder}: holds something already; choose another --out, or --resume the run in it")
    return folder


def resumed_folder(out: Path | None, what: str = "run") -> Path:
    """The folder of a run to go on with."""
    if out is None or not out.is_dir():
        raise UnusableError(f"--resume needs --out DIR, the folder of the {what} to go on with")
    return out
