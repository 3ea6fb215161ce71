"""The address where the project is published, for links in files that leave this repository."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tomllib

REPOSITORY = "https://github.com/scratchnet/scratchnet"


def revision() -> str:
    """The tag of this version; links and installations name it, so that they stay what they are."""
    try:
        return f"v{version('scratchnet')}"
    except PackageNotFoundError:  # a checkout that is not installed
        project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
        return f"v{project['project']['version']}"


def page(link: str) -> str:
    """The address of `docs/derivation/forward.md#the-loss` or the like in this version."""
    return f"{REPOSITORY}/blob/{revision()}/{link}"
