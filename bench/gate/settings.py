"""Settings of a gate from a project's pyproject.toml, in `[tool.scratchbench.gate]`, and from a CI server."""

import json
import os
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench.core.errors import UnusableError, refused

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLE = "[tool.scratchbench.gate]"
NAME = "[a-z][a-z0-9.-]*"
"""Of a command. Upper case and `_` are left out: `PYTHONPATH={tree} python run.py` sets a variable."""
EVERY = "default"
"""The key of a table that stands for what has no name: `tolerance = {default = "3%", "*parse*" = "5%"}`."""


class Settings(NamedTuple):
    """Option, without its dashes → value as the command line would have it; `place` says where they are written."""

    place: str
    values: Mapping[str, Any]


def settings_of(folder: Path, allowed: Mapping[str, bool]) -> Settings:
    """Of the nearest pyproject.toml that has the table; `allowed` says of each option whether it can be repeated.

    Raises UnusableError: if the file or the table cannot be read.
    """
    for parent in (folder, *folder.parents):
        path = parent / "pyproject.toml"
        table = _table(path) if path.is_file() else None
        if table is not None:
            place = f"{path}: {TABLE}"
            return Settings(place, {key: _value(place, key, value, allowed) for key, value in table.items()})
    return Settings("", {})


def _table(path: Path) -> Mapping[str, Any] | None:
    try:
        with refused(path, "read"):
            found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnusableError(f"{path}: is no TOML ({error})") from None
    for key in ("tool", "scratchbench", "gate"):
        found = found.get(key) if isinstance(found, dict) else None
    if found is not None and not isinstance(found, dict):
        raise UnusableError(f"{path}: {TABLE} must be a table of options")
    table: Mapping[str, Any] | None = found
    return table


def _value(place: str, key: str, value: Any, allowed: Mapping[str, bool]) -> Any:
    if key not in allowed:
        raise UnusableError(f"{place} {key}: no such setting; allowed: {', '.join(sorted(allowed))}")
    if allowed[key]:
        return list(_repeated(place, key, value))
    if isinstance(value, dict | list):
        raise UnusableError(f"{place} {key}: one value is allowed, not several")
    return value if isinstance(value, bool) else str(value)


def _repeated(place: str, key: str, value: Any) -> Iterable[str]:
    """A table's keys are names."""
    if isinstance(value, dict):
        if key == "command" and (unusable := [name for name in value if not re.fullmatch(NAME, name)]):
            allowed = "lower-case letters, digits, . and -, a letter first"
            raise UnusableError(f"{place} {key}: {unusable[0]!r} cannot be the name of a command; allowed: {allowed}")
        return (str(text) if name == EVERY else f"{name}={text}" for name, text in value.items())
    return map(str, value if isinstance(value, list) else [value])


def base_in_ci(environment: Mapping[str, str] = os.environ) -> str | None:
    """The revision that a CI server compares with: the base of the pull or merge request, or what a push replaced."""
    if base := environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"):
        return base
    event = event_of(environment)
    found = at(event, ("pull_request", "base", "sha")) or at(event, ("before",))
    return found if isinstance(found, str) and set(found) != {"0"} else None


def event_of(environment: Mapping[str, str]) -> Any:
    """What GitHub tells of the event that started the run; None if it tells nothing."""
    try:
        return json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    except (KeyError, OSError, ValueError):
        return None


def at(event: Any, keys: Collection[str]) -> Any:
    """The value below these keys, or None."""
    for key in keys:
        event = event.get(key) if isinstance(event, dict) else None
    return event
