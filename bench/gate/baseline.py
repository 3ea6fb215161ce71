"""A baseline: how long scratchnet takes beside yardsticks, kept in a file for when its revision cannot be built.

Fed by rounds of fresh processes; feeds the gate, which measures the same ratios again and compares.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator
from scipy.stats import binom

from bench.core.errors import UnusableError
from bench.core.files import write_atomically
from bench.core.models import FiniteRecord, first_problem, refuse_repeated
from bench.gate.anytime import median_interval
from bench.gate.decision import Effect, Rule, Verdict
from bench.gate.rounds import Round

SMALLEST = 8
"""Rounds: fewer have no interval of the median at the level of the gate."""
KEPT_FACTS = ("cpu_model", "machine", "usable_cores", "steps", "python_version")
KEPT_PACKAGES = ("numpy", "scipy", "numba", "tensorflow", "keras")
MUST_AGREE = ("machine", "usable_cores", "steps", *KEPT_PACKAGES)
"""What a yardstick or the network computes with; the processor's model may differ, and then the yardsticks tell."""
APART = 0.10
"""How far two yardsticks may be from one another, here and there, for their machines to be compared."""


class CellBaseline(FiniteRecord):
    """One cell: the plan that was trained, and ln(scratchnet / yardstick) of each round."""

    cell: str
    plan_fingerprint: str
    log_ratios: dict[str, tuple[float, ...]]


class Baseline(FiniteRecord):
    """The file that `scratchbench baseline save` writes."""

    schema_version: Literal[1] = 1
    kind: Literal["baseline"] = "baseline"
    saved: str = Field(description="UTC, ISO 8601")
    revision: str | None
    threads: int
    machine: dict[str, str | int | None]
    cells: tuple[CellBaseline, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        refuse_repeated("the cell", (cell.cell for cell in self.cells))
        return self

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        write_atomically(path, self.model_dump_json(indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Baseline":
        """What `save` wrote.

        Raises
        ------
        UnusableError
            Names the file and the place.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise UnusableError(f"{path}: cannot be read ({error.strerror or error})") from None
        except ValidationError as error:
            raise UnusableError(f"{path}: no baseline: {first_problem(error)}") from None


def machine_facts(environment: Mapping[str, Any]) -> dict[str, str | int | None]:
    """What a baseline keeps of the machine that it was measured on."""
    packages = {name: environment["packages"].get(name) for name in KEPT_PACKAGES}
    return {**{name: environment[name] for name in KEPT_FACTS}, **packages}


def other_machine(baseline: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Why the two machines cannot be compared, by what they are; empty where they may be."""
    different = [name for name in MUST_AGREE if baseline.get(name) != here.get(name)]
    return "; ".join(f"{name} is {here.get(name)} here, {baseline.get(name)} in the baseline" for name in different)


def yardsticks_apart(old: Mapping[str, Sequence[float]], new: Mapping[str, Sequence[float]]) -> str:
    """Why the two machines cannot be compared, by what was measured; empty where they may be.

    Both yardsticks are code that did not change: where one is slower here, and the other is not, no yardstick holds.
    """
    shared = [name for name in old if name in new]
    if len(shared) < 2:
        return ""
    first, second = shared[:2]
    apart = [median(side[second]) - median(side[first]) for side in (new, old)]
    if abs(apart[0] - apart[1]) <= math.log1p(APART):
        return ""
    here, there = (math.exp(value) for value in apart)
    told = f"{first} takes {here:.3g} times the seconds of {second} here, {there:.3g} times in the baseline"
    return f"the machine is too different to be compared: {told} (allowed: {APART:.0%} apart)"


def fixed_interval(values: Sequence[float], alpha: float) -> tuple[float, float]:
    """Interval of the median of a sample of fixed size, each end wrong with α at most (binomial; Thompson 1936)."""
    ordered, n = np.sort(values), len(values)
    at = int(binom.ppf(alpha, n, 0.5)) - 1
    at = at + 1 if at + 1 < n and binom.cdf(at + 1, n, 0.5) <= alpha else at
    return (-math.inf, math.inf) if at < 0 else (float(ordered[at]), float(ordered[n - 1 - at]))


def effect_of(old: Sequence[float], new: Sequence[float], rule: Rule) -> Effect:
    """How many times as long scratchnet takes, in units of one yardstick: the new median over the old one.

    The error is shared by both intervals: the old one's sample has a fixed size, the new one is looked at every round.
    """
    low_alpha, high_alpha = rule.fail_alpha / 2, rule.alpha / 2
    (old_low, _), (_, old_high) = fixed_interval(old, high_alpha), fixed_interval(old, low_alpha)
    low, high = median_interval(new, low_alpha, high_alpha)
    ratio = math.exp(median(new) - median(old))
    return Effect(ratio, math.exp(low - old_high), math.exp(high - old_low), len(new))


def decide(effects: Sequence[Effect], rule: Rule) -> Verdict:
    """By every yardstick: it fails where all say that it is slower, it passes where all say that it is not."""
    limit = 1 + rule.tolerance
    if all(effect.low > limit for effect in effects):
        return "fail"
    return "pass" if all(effect.high < limit for effect in effects) else "undecided"


def by_yardstick(rounds: Sequence[Round]) -> dict[str, tuple[float, ...]]:
    """Yardstick → its log ratio of each round."""
    names = rounds[0].keys() if rounds else ()
    return {name: tuple(each[name] for each in rounds) for name in names}
