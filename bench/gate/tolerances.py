"""The tolerance of each case: one for all, and others by name, in which `*` stands for any text."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.core.errors import UnusableError
from bench.core.text import first_of, one_line
from bench.gate.decision import Rule

MOST_NAMES = 5


@dataclass(frozen=True)
class Tolerances:
    """`common`, where no pattern of `named` fits; of several that fit the last."""

    common: float
    named: Mapping[str, float]

    def of(self, name: str) -> float:
        """Of the case of that name."""
        fitting = [tolerance for pattern, tolerance in self.named.items() if _fits(pattern, name)]
        return fitting[-1] if fitting else self.common

    def rules(self, names: Iterable[str], alpha: float) -> dict[str, Rule]:
        """The rule of each of these cases.

        Raises UnusableError: if a pattern fits none of them.
        """
        cases = list(names)
        for pattern in self.named:
            if not any(_fits(pattern, name) for name in cases):
                shown = first_of((one_line(name, 100) for name in cases), MOST_NAMES)
                raise UnusableError(f"--tolerance {pattern}=…: fits no case; cases: {shown}; * fits any text")
        return {name: Rule(self.of(name), alpha, len(cases)) for name in cases}


def _fits(pattern: str, name: str) -> bool:
    """Brackets mean themselves: they are in the names of parametrized tests."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None
