"""What a person sees while pairs are measured: one line that changes on a terminal, a line a pair elsewhere.

Fed by the pairs, between which it is drawn, so that it disturbs none.
"""

import math
import time
from typing import Self

from rich.console import Console
from rich.text import Text

from bench.core.text import one_line
from bench.gate.decision import Looks, Rule, decide
from bench.gate.pair import Pair


class GateProgress:
    """`title` says what is measured, `seconds` is the budget."""

    def __init__(self, title: str, rule: Rule, seconds: float) -> None:
        self._console, self._rule, self._seconds = Console(stderr=True), rule, seconds
        self._title, self._started = one_line(title, 200), time.perf_counter()
        self._seen: dict[str, list[float]] = {}
        self._looks: dict[str, Looks] = {}

    def __enter__(self) -> Self:
        self._print(f"{self._title}: pairs of fresh processes until the verdict, {self._seconds:.0f} s at most")
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal and self._seen:
            self._console.print()

    def pair(self, pair: Pair) -> None:
        """One more is there."""
        logarithms = self._seen.setdefault(pair.cell, [])
        logarithms.append(pair.log_ratio)
        so_far = self._looks.setdefault(pair.cell, Looks(self._rule)).add(pair.log_ratio)
        low, high = (f"{end:.3f}" if 0 < end < math.inf else "?" for end in (so_far.low, so_far.high))
        verdict = decide(logarithms, self._rule)
        elapsed = time.perf_counter() - self._started
        place = f"{one_line(pair.cell, 40)}, pair {pair.number}: {math.exp(pair.log_ratio):.3f}"
        state = f"median {so_far.ratio:.3f} ({low} to {high}) {verdict}, {elapsed:.0f} s"
        self._show(f"{place}; {state}")

    def _show(self, line: str) -> None:
        if self._console.is_terminal:
            self._console.print(Text(f"\r{line}".ljust(self._console.width)), end="\r", no_wrap=True, crop=True)
        else:
            self._print(line)

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
