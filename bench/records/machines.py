"""The machines on which cells ran, and what two machines must share for their times to be compared."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.core.environment import FORCING_VARIABLES
from bench.core.text import one_line

UNNAMED = "host not recorded"
MOMENTARY = ("load_average", "warnings", "git_dirty")
"""Facts of an environment that change while a run goes on, or follow from such."""


@dataclass(frozen=True)
class Machine:
    """A host (empty where it was not recorded), threads of every backend, and the facts that it told of itself."""

    host: str
    threads: int
    environment: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Tells two machines apart, and one machine before and after its software changed."""
        lasting = {name: value for name, value in self.environment.items() if name not in MOMENTARY}
        text = json.dumps([self.host, self.threads, lasting], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def kind(self) -> dict[str, str]:
        """What must be the same for times to be compared, name → value."""
        return {name: read(self) for name, read in KIND.items()}

    @property
    def hardware(self) -> str:
        """Processor, cores and threads: of a machine, whatever its name is."""
        of, threads = self.kind, f"{self.threads} thread{'' if self.threads == 1 else 's'}"
        return f"({one_line(of['CPU model'], 80)}, {of['usable cores']} cores, {threads})"

    @property
    def title(self) -> str:
        """One line for a person."""
        return f"{one_line(self.host or UNNAMED, 80)} {self.hardware}"


def _fact(name: str) -> Callable[[Machine], str]:
    return lambda machine: str(machine.environment.get(name, "not recorded"))


def _forced(machine: Machine) -> str:
    variables = machine.environment.get("variables")
    set_here = variables if isinstance(variables, dict) else {}
    return ", ".join(f"{name}={set_here[name]}" for name in FORCING_VARIABLES if name in set_here) or "none"


KIND: dict[str, Callable[[Machine], str]] = {
    "CPU model": _fact("cpu_model"),
    "usable cores": _fact("usable_cores"),
    "CPU limit": _fact("cpu_limit_cores"),
    "system": _fact("machine"),
    "Python": _fact("python_version"),
    "threads": lambda machine: str(machine.threads),
    "forcing variables": _forced,
}
