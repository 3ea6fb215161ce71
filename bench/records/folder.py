"""The folder of a run: a new one, or one whose run is resumed."""

from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path

from bench.core.errors import UnusableError, refused


def new_folder(out: Path | None, name: str, resumes: bool = True) -> Path:
    """Make a run folder, `out` or else results/NAME-TIME; one that holds anything is never written to.

    resumes : the command can go on with an earlier run.

    Raises UnusableError: where the folder is in use or cannot be made.
    """
    with refused(out or "results", "made", "; choose another --out"):
        if out is None:
            return _default_folder(name)
        out.mkdir(parents=True, exist_ok=True)
        in_use = any(out.iterdir())
    if in_use:
        remedy = ", or --resume the run in it" if resumes else ""
        raise UnusableError(f"{out}: holds something already; choose another --out{remedy}")
    return out


def _default_folder(name: str) -> Path:
    """With a number if another run began in this second. Git ignores it, so the user's repository looks unchanged."""
    first = Path("results") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    folder, numbers = first, count(2)
    while not _made(folder):
        folder = Path(f"{first}-{next(numbers)}")
    (folder / ".gitignore").write_text("*\n")
    return folder


def _made(folder: Path) -> bool:
    """Whether this process made it, and no other one."""
    with suppress(FileExistsError):
        folder.mkdir(parents=True)
        return True
    return False


def resumed_folder(out: Path | None, what: str = "run") -> Path:
    """The folder of a run to go on with."""
    if out is None or not out.is_dir():
        raise UnusableError(f"--resume needs --out DIR, the folder of the {what} to go on with")
    return out
