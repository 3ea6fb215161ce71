"""What a person sees while pairs are measured: one line that changes on a terminal, a line for each pair elsewhere.

It is drawn between pairs, so it disturbs none.
"""

import math
import time
from typing import Self

from rich.console import Console
from rich.text import Text

from bench.core.text import one_line
from bench.gate.decision import Rule, decide, effects
from bench.gate.pair import Pair


class GateProgress:
    """`title` says what is measured, `seconds` is the budget."""

    def __init__(self, title: str, rule: Rule, seconds: float) -> None:
        self._console, self._rule, self._started = Console(stderr=True), rule, time.perf_counter()
        self._seen: dict[str, list[float]] = {}
        self._print(f"{one_line(title, 200)}: pairs of fresh processes until the verdict, {seconds:.0f} s at most")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal and self._seen:
            self._console.print()

    def pair(self, pair: Pair) -> None:
        """One more pair is measured."""
        log_ratios = self._seen.setdefault(pair.cell, [])
        log_ratios.append(pair.log_ratio)
        effect, verdict = effects(log_ratios, self._rule)[-1], decide(log_ratios, self._rule)
        low, high = (f"{end:.3f}" if 0 < end < math.inf else "?" for end in (effect.low, effect.high))
        place = f"{one_line(pair.cell, 40)}, pair {pair.number}: {math.exp(pair.log_ratio):.3f}"
        elapsed = time.perf_counter() - self._started
        line = f"{place}; median {effect.ratio:.3f} ({low} to {high}) {verdict}, {elapsed:.0f} s"
        if self._console.is_terminal:
            self._console.print(Text(f"\r{line}".ljust(self._console.width)), end="\r", no_wrap=True, crop=True)
        else:
            self._print(line)

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
