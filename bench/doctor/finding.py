"""A finding, the measured ratio behind it, the order of findings, and their summary in one sentence."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.core.text import factor

State = Literal["ok", "warning", "unknown"]

WORTH = 1.05
"""From this ratio on a remedy is worth it: processes of identical code are up to 6 % apart, but not in every pair."""

UNCLEAR = 1.25
"""From this ratio on a single pair leaves it open whether there is a cost."""

_ORDER: dict[State, int] = {"warning": 0, "unknown": 1, "ok": 2}


@dataclass(frozen=True)
class Finding:
    """What one check found.

    says : the finding with its figures.
    cost : how many times as long an epoch takes because of it; None where that was not measured.
    remedy : a command or a sentence; empty if nothing is to be done.
    name : the check, given by the table of checks.
    """

    says: str
    state: State = "ok"
    cost: float | None = None
    remedy: str = ""
    name: str = ""


@dataclass(frozen=True)
class Ratio:
    """How many times as long one way takes as another, once for each pair that was measured side by side."""

    pairs: tuple[float, ...]

    @property
    def centre(self) -> float:
        """The median of the pairs."""
        return statistics.median(self.pairs)

    @property
    def is_worth_a_remedy(self) -> bool:
        """Large in every pair: on a noisy machine one pair proves nothing."""
        return self.centre >= WORTH and min(self.pairs) > 1

    @property
    def is_unclear(self) -> bool:
        """The pairs disagree whether it costs much."""
        return not self.is_worth_a_remedy and max(self.pairs) >= UNCLEAR

    def __str__(self) -> str:
        low, high = min(self.pairs), max(self.pairs)
        return f"{self.centre:.2f} times ({low:.2f} to {high:.2f} in {len(self.pairs)} pairs)"


def by_cost(findings: Iterable[Finding]) -> list[Finding]:
    """Warnings first, then what is unknown; within each the costliest first."""
    return sorted(findings, key=lambda finding: (_ORDER[finding.state], -(finding.cost or 0)))


def verdict(findings: Sequence[Finding]) -> str:
    """All findings in one sentence; they are sorted."""
    warnings = [finding for finding in findings if finding.state == "warning"]
    unknown = sum(finding.state == "unknown" for finding in findings)
    tail = f" ({unknown} could not tell)" if unknown else ""
    if not warnings:
        return f"none of {len(findings)} checks found anything that slows training{tail}"
    first = warnings[0]
    head = f"{len(warnings)} of {len(findings)} checks found something that slows training{tail}"
    return (
        f"{head}; the costliest: {first.name}, {factor(first.cost)} x" if first.cost else f"{head}; {first.name} first"
    )
