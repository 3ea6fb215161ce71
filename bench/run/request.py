"""What a run command asks for: the suite and its changes, the folder, and what that folder already holds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bench.backends.registry import entry
from bench.core.errors import UnusableError
from bench.core.models import LONGEST_VALUE, first_reason
from bench.core.text import one_line
from bench.records.folder import new_folder, resumed_folder
from bench.records.log import has_records
from bench.records.run import Records
from bench.spec import LARGEST_SEED, MOST_EPOCHS, MOST_SEEDS, Suite, load_suite

DEFAULT_SUITE = "quick"
ALLOWED = {
    "epochs": f"a whole number from 1 to {MOST_EPOCHS}",
    "seeds": f"1 to {MOST_SEEDS} distinct whole numbers from 0 to {LARGEST_SEED} with commas between, such as 0,1,2",
}
"""Option → its values, in words."""


@dataclass(frozen=True)
class RunRequest:
    """A suite to train in a folder; `earlier` holds the records of a run that is resumed."""

    suite_name: str
    suite: Suite
    folder: Path
    earlier: Records | None = None


def new_run(suite: Suite | str | None, overrides: Mapping[str, Any], out: Path | None) -> RunRequest:
    """A run in a new folder: `out`, or results/SUITE-TIME.

    Raises UnusableError: where suite, overrides or folder cannot be used.
    """
    name, chosen = _named_suite(suite, overrides)
    return RunRequest(name, chosen, new_folder(out, name))


def resumed_run(suite: Suite | str | None, overrides: Mapping[str, Any], folder: Path | None) -> RunRequest:
    """The run that `folder` holds. Suite and overrides may be left out; where given, they must be those of the run.

    Raises UnusableError: where there is no such run, or it was made from another suite.
    """
    folder = resumed_folder(folder)
    if not has_records(folder):  # killed before its first record
        name, chosen = _named_suite(suite, overrides)
        return RunRequest(name, chosen, folder)
    earlier = Records.read(folder)
    changed = suite is not None or any(value is not None for value in overrides.values())
    if changed and _named_suite(suite or earlier.run.suite_name, overrides)[1] != earlier.run.suite:
        remedy = "resume it without SUITE and options, or start anew"
        raise UnusableError(f"{folder}: holds a run of another suite; {remedy}")
    return RunRequest(earlier.run.suite_name, earlier.run.suite, folder, earlier)


def _named_suite(given: Suite | str | None, overrides: Mapping[str, Any]) -> tuple[str, Suite]:
    """The suite's name, for its folder and records, and the suite with what was changed in it."""
    if isinstance(given, Suite):
        name, suite = re.sub(r"\W+", "-", given.title).strip("-").lower() or "suite", given
    else:
        given = given or DEFAULT_SUITE
        name, suite = Path(given).stem, load_suite(given)
    changed = _with_overrides(suite, overrides)
    for backend in changed.backends:
        entry(backend)
    return name, changed


def _with_overrides(suite: Suite, overrides: Mapping[str, Any]) -> Suite:
    """The suite with the backends, epochs and seeds that were asked for."""
    given = {key: value for key, value in overrides.items() if value is not None}
    changes: dict[str, Any] = {"backends": given.pop("backends")} if "backends" in given else {}
    specs = [spec.model_dump() | given for spec in suite.specs]
    try:
        return Suite.model_validate(suite.model_dump() | changes | {"specs": specs})
    except ValidationError as error:
        option = next((str(part) for part in reversed(error.errors()[0]["loc"]) if part in overrides), "options")
        raise UnusableError(f"--{option}: {_problem(option, overrides.get(option), error)}") from None


def _problem(option: str, value: Any, error: ValidationError) -> str:
    if option not in ALLOWED:
        return first_reason(error)
    told = ",".join(map(str, value if isinstance(value, tuple) else [value]))
    return f"{one_line(told, LONGEST_VALUE)!r}; allowed: {ALLOWED[option]}"
